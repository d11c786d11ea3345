import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import product
from pathlib import Path

import orjson
import pytest

from gateway.journal.errors import CommandRepeated, JournalFailed, JournalInUse, JournalUnusable
from gateway.journal.identity import IdentityChange
from gateway.journal.journal import Journal
from gateway.journal.lineage import Rival
from gateway.journal.lock import FileLock
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import CommandRecord, Entry, StreamHead
from tests.support.clock import MORNING, FakeClock
from tests.support.journal import SMALL, count, entry, open_journal, reading
from tests.support.until import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.db"


async def test_append_returns_when_events_and_state_are_on_the_disk(path: Path) -> None:
    async with open_journal(path) as journal:
        seqs = await journal.append([entry("press-07", counts=2), entry("oven-1", total=5)])
        with JournalReader(path) as beside:
            assert seqs == [row.seq for row in beside.rows(0, 10)] == [1, 2, 3]
            assert beside.states() == {"press-07": b'{"total": 2}', "oven-1": b'{"total": 5}'}


async def test_a_row_is_the_event(path: Path) -> None:
    clock = FakeClock()
    event = reading(21.5, at=clock.now(), group="slow")
    clock.advance(0.25)
    async with open_journal(path, now=clock.now) as journal:
        await journal.append([Entry("press-07", [event])])
        (row,) = await journal.rows(0, 10)
    assert (row.equipment, row.type, row.part) == ("press-07", "reading", "slow")
    assert orjson.loads(row.data) == event.data()
    assert row.recorded_ms - row.time_ms == 250
    assert row.epoch == journal.epoch


async def test_seq_and_streamseq_go_on_after_a_restart(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry(counts=3)])
        epoch = journal.epoch
    async with open_journal(path) as journal:
        assert journal.epoch == epoch
        assert (journal.head(), journal.first_seq()) == (3, 1)
        assert journal.heads("press-07") == {"count": StreamHead(3, 3)}
        assert journal.state("press-07") == b'{"total": 3}'
        assert await journal.append([entry()]) == [4]
        (row,) = await journal.rows(3, 10)
        assert row.streamseq == 4


async def test_what_readers_may_have_been_given_is_on_the_disk_first(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry(counts=10)])
        assert _given(path) == 0
        assert len(await journal.rows(0, 5)) == 5
        given = _given(path)
        assert given >= 5
        assert len(await journal.rows(5, 5)) == 5
        assert _given(path) == given  # not once for each row
        for _ in range(2):
            await journal.append([entry(counts=given // 2)])
        assert [row.seq for row in await journal.rows(given - 1, 3)] == [
            given,
            given + 1,
            given + 2,
        ]
        assert _given(path) >= given + 2


def _given(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as beside:
        ((seq,),) = beside.execute("SELECT value FROM mark WHERE name = 'given'").fetchall()
        return int(seq)


async def test_local_events_take_no_streamseq(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([Entry("press-07", [count(1)], local=True), entry("press-07")])
        assert [(r.local, r.streamseq) for r in await journal.rows(0, 10)] == [
            (True, 0),
            (False, 1),
        ]
        assert journal.last_seqs() == {"count": 2}


async def test_many_appends_share_a_transaction(path: Path) -> None:
    async with open_journal(path) as journal:
        watch = journal.watch()
        seqs = await asyncio.gather(*(journal.append([entry(f"m-{i}")]) for i in range(100)))
        assert seqs == [[i + 1] for i in range(100)]
        names: set[str] = set()
        while len(names) < 100:
            names |= await watch.changed()


async def test_cancelling_the_waiter_does_not_undo_the_append(path: Path) -> None:
    async with open_journal(path) as journal:
        watch = journal.watch()
        waiting = asyncio.create_task(journal.append([entry()]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await watch.changed() == {"press-07"}
        assert len(await journal.rows(0, 10)) == 1


async def test_a_cursor_is_on_the_disk_soon_and_never_goes_back(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry(counts=5)])
        await journal.advance("publish", 4)
        await journal.advance("publish", 2)
        assert journal.cursor("publish") == 4
        with JournalReader(path) as beside:
            await until(lambda: beside.cursor("publish") == 4, timeout_s=90)
        with pytest.raises(ValueError, match="beyond"):
            await journal.advance("publish", 6)
    async with open_journal(path) as journal:
        assert journal.cursor("publish") == 4


async def test_a_heartbeat_is_on_the_disk_soon(path: Path) -> None:
    clock = FakeClock()
    async with open_journal(path, now=clock.now) as journal:
        assert journal.last_alive is None
        clock.advance(60)
        journal.heartbeat(clock.now())
        with JournalReader(path) as beside:
            await until(lambda: beside.last_alive() == clock.now(), timeout_s=90)


async def test_last_alive_is_the_end_of_the_run_before(path: Path) -> None:
    clock = FakeClock()
    async with open_journal(path, now=clock.now) as journal:
        await journal.append([entry()])
        ended = clock.now()
    clock.advance(3600)
    async with open_journal(path, now=clock.now) as journal:
        assert journal.last_alive == ended


async def test_a_command_is_obeyed_once(path: Path) -> None:
    order = CommandRecord("c-1", {"accepted": True})
    async with open_journal(path) as journal:
        assert await journal.reply_to("c-1") is None
        results = await asyncio.gather(
            journal.append([entry(counts=2)], order),
            journal.append([entry()], order),
            return_exceptions=True,
        )
        assert results[0] == [1, 2]
        assert isinstance(results[1], CommandRepeated)
    async with open_journal(path) as journal:
        assert await journal.reply_to("c-1") == {"accepted": True, "seq": 2}
        with pytest.raises(CommandRepeated):
            await journal.append([entry()], order)
        assert journal.head() == 2


async def test_what_is_not_json_is_refused_alone(path: Path) -> None:
    async with open_journal(path) as journal:
        with pytest.raises(TypeError):
            await journal.append([Entry("press-07", [reading(object())])])  # type: ignore[arg-type]
        assert await journal.append([entry()]) == [1]


async def test_a_second_process_is_refused(path: Path) -> None:
    async with open_journal(path):
        with pytest.raises(JournalInUse, match="another gateway process"):
            Journal.open(path, now=FakeClock().now, limits=SMALL)
    async with open_journal(path):
        pass


async def test_after_close_nothing_is_accepted(path: Path) -> None:
    async with open_journal(path) as journal:
        pass
    with pytest.raises(JournalFailed, match="closed"):
        await journal.append([entry()])
    assert not path.with_name("journal.db-wal").exists()


async def test_a_new_epoch_counts_streams_from_one_and_disowns_what_a_rival_has_not(
    path: Path,
) -> None:
    async with open_journal(path) as journal:
        await journal.append([Entry("press-07", [reading()]), entry(counts=2)])
        await journal.advance("publish", 1)
        first = journal.epoch
        watch = journal.watch()
        before = asyncio.create_task(journal.append([entry(total=4)]))
        turning = asyncio.create_task(journal.new_epoch("copy", Rival(first, shared=2)))
        after = asyncio.create_task(journal.append([entry(total=5)]))
        assert await turning == journal.epoch > first
        assert journal.previous_epochs == (first,)
        assert (await before, await after) == ([4], [6])
        assert journal.heads("press-07") == {"gap": StreamHead(1, 5), "count": StreamHead(1, 6)}
        assert journal.cursor("publish") == 1
        assert await watch.changed() == {"press-07"}
        rows = await journal.rows(1, 10)
        assert [(row.type, row.epoch == first, row.local) for row in rows] == [
            ("count", True, False),
            ("count", True, True),
            ("count", True, True),
            ("gap", False, False),
            ("count", False, False),
        ]
    async with open_journal(path) as journal:
        assert journal.previous_epochs == (first,)


async def test_each_start_is_a_life_of_its_own(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry(counts=3)])
        first = journal.lineage
    async with open_journal(path) as journal:
        assert journal.lineage.life != first.life
        assert journal.lineage.lives[:-1] == first.lives
        assert journal.lineage.end_of(first.life) == 3


async def test_a_row_the_loop_was_not_told_of_is_not_shown(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry()])
    async with open_journal(path) as journal:  # what was committed before is in the file only
        appending = asyncio.create_task(journal.append([entry()]))
        for _ in range(4):  # handed to the writer; from here on the loop hears nothing
            await asyncio.sleep(0)
        with JournalReader(path) as beside:
            while len(beside.rows(0, 10)) < 2:
                pass
        rows = await journal.rows(0, 10)
        assert [row.seq for row in rows] == [1]
        await journal.advance("mqtt", rows[-1].seq)
        await appending
        assert [row.seq for row in await journal.rows(0, 10)] == [1, 2]


async def test_the_newest_rows_are_those_of_the_file(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry()])
    async with open_journal(path) as journal:
        for number in range(4):
            await journal.append([entry(), Entry("oven-1", [count(1)], local=number == 2)])
        with JournalReader(path) as beside:
            for after, limit, upto in product(range(11), (1, 3, 20), (0, 1, 4, 9, 10, None)):
                found = await journal.rows(after, limit, upto)
                assert found == beside.rows(after, limit, upto)


async def test_what_was_removed_is_not_shown(path: Path) -> None:
    async with open_journal(path) as journal:
        await journal.append([entry(), entry()])
        await journal.new_epoch("copied", Rival(journal.epoch, 1))
        shown = await journal.rows(0, 10)
        assert [(row.seq, row.local) for row in shown[:2]] == [(1, False), (2, True)]
        with JournalReader(path) as beside:
            assert shown == beside.rows(0, 10)


async def test_a_span_of_time_is_read(path: Path) -> None:
    async with open_journal(path) as journal:
        late = count(2, at=MORNING + timedelta(hours=1))
        await journal.append([Entry("press-07", [count(1), late])])
        found = await journal.rows_between(late.at, late.at, 0, 10)
        assert [row.seq for row in found] == [2]


async def test_retention_is_told_like_any_commit(path: Path) -> None:
    limits = Limits(max_bytes=10**9, readings_max_bytes=10_000, ballast_bytes=0)
    async with open_journal(path, limits=limits) as journal:
        watch = journal.watch()
        await journal.append([Entry("press-07", [reading(n) for n in range(200)])])
        await until(lambda: journal.first_seq() > 1)
        assert await watch.changed() == {"press-07"}
        assert journal.heads("press-07")["gap"] == StreamHead(1, 201)
        assert journal.head() == 201
        assert journal.last_seqs() == {"reading": 200, "gap": 201}
        with JournalReader(path) as beside:
            assert beside.rows(0, 1)[0].seq == journal.first_seq()


def test_a_place_that_cannot_hold_a_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnusable, match="cannot be created here"):
        Journal.open(tmp_path / "file" / "j.db", now=FakeClock().now, limits=SMALL)


def test_a_failed_open_leaves_no_lock(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalUnusable):
        Journal.open(path, now=FakeClock().now, limits=SMALL)
    FileLock(path).release()


async def test_places_and_retirement_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path) as journal:
        await journal.append([entry("press-07"), entry("oven-01")])
        await journal.identify(IdentityChange(occupied={"a/b": "press-07", "a/c": "oven-01"}))
        await journal.identify(IdentityChange(retired="press-07"))
        assert set(journal.states()) == {"oven-01"}
        assert journal.places() == {"a/b": None, "a/c": "oven-01"}
    async with open_journal(path) as journal:
        assert set(journal.states()) == {"oven-01"}
        assert journal.heads("press-07")["count"].streamseq == 1
        await journal.identify(IdentityChange(vacated=["a/b"]))
        assert journal.places() == {"a/c": "oven-01"}


async def test_an_epoch_may_begin_without_giving_up_what_is_on_its_way(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "j.db") as journal:
        await journal.append([entry(counts=3)])
        old = journal.epoch
        await journal.new_epoch("retired equipment is back")
        await journal.append([entry(total=4)])
        rows = await journal.rows(journal.cursor("mqtt"), 10)
        assert [(row.epoch, row.streamseq) for row in rows] == [
            *((old, number) for number in (1, 2, 3)),
            (journal.epoch, 1),
        ]
