"""Readings that are held in memory: what is on the disk, what is not, and what a crash costs."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.journal import held
from gateway.journal.ledger import Ledger
from gateway.journal.numbering import prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from tests.support.broker import Broker, broker
from tests.support.clock import MORNING
from tests.support.journal import entry, open_journal, reading
from tests.support.publishing import EVENTS, listening, publishing, settings_for
from tests.support.until import until

__all__ = ["broker"]

HOLDING = Limits(ballast_bytes=0, hold_readings=True)


def readings(first: int, number: int = 1, equipment: str = "press-03") -> Entry:
    return Entry(equipment, [reading(first + n) for n in range(number)])


def on_disk(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [kind for (kind,) in connection.execute("SELECT type FROM event ORDER BY seq")]


def opened(path: Path) -> Ledger:
    return open_ledger(path, at=MORNING, limits=HOLDING, randbelow=Random(1).randrange)[0]


async def test_what_is_taken_never_touches_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path, limits=HOLDING) as journal:
        await journal.append([readings(1, 5)])
        await journal.append([entry("press-03", counts=2)])
        rows = await journal.rows(0, 100)
        assert [row.type for row in rows] == ["reading"] * 5 + ["count"] * 2
        assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6, 7]
        assert on_disk(path) == ["count", "count"]
        await journal.advance("mqtt", 7)
    assert on_disk(path) == ["count", "count"]


async def test_only_readings_are_held(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path, limits=HOLDING) as journal:
        local = Entry("press-03", [reading(1)], local=True)
        await journal.append([entry(), readings(1), local])
        assert on_disk(path) == ["count", "reading"]


async def test_an_end_in_order_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path, limits=HOLDING) as journal:
        await journal.append([readings(1, 5)])
        await journal.advance("mqtt", 2)
    assert on_disk(path) == ["reading"] * 3
    async with open_journal(path, limits=HOLDING) as journal:
        assert await journal.append([readings(6)]) == [6]
        assert journal.cursor("mqtt") == 2
        rows = await journal.rows(2, 100)
    assert [(row.seq, row.streamseq) for row in rows] == [(n, n) for n in range(3, 7)]


async def test_a_late_broker_sends_them_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "LATE_S", 0.0)
    path = tmp_path / "j.db"
    async with open_journal(path, limits=HOLDING) as journal:
        await journal.append([readings(1, 3)])
        await journal.append([readings(4, 3)])
        await until(lambda: len(on_disk(path)) == 6)
        assert len(await journal.rows(0, 100)) == 6


def test_a_crash_gives_no_number_twice_and_names_what_it_may_have_cost(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    ledger = opened(path)
    ledger.commit([prepare([readings(1, 5)])], {}, MORNING)
    ledger.commit([prepare([readings(6, 5)])], {}, MORNING)
    assert (ledger.head, len(on_disk(path))) == (10, 0)
    ledger.abandon()
    again = opened(path)
    assert again.head > 10
    with JournalReader(path) as beside:
        (gap,) = beside.rows(0, 100)
    assert gap.seq > 10
    said = orjson.loads(gap.data)
    assert (said["stream"], said["reason"]) == ("reading", "not_observed")
    again.commit([prepare([readings(11)])], {}, MORNING)
    (row,) = [row for row in again.take_changes().rows if row.type == "reading"]
    assert said["from_streamseq"] == 1
    assert 10 < said["to_streamseq"] == row.streamseq - 1
    again.close(MORNING)
    third = opened(path)
    assert third.take_changes().rows == []
    third.close(MORNING)


def test_a_commit_that_fails_has_promised_nothing(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "j.db")
    ledger.connection.execute(
        "CREATE TEMP TRIGGER no BEFORE INSERT ON promise BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(Exception, match="no"):
        ledger.commit([prepare([readings(1)])], {}, MORNING)
    ledger.connection.execute("DROP TRIGGER no")
    ledger.commit([prepare([readings(1)])], {}, MORNING)
    found = ledger.connection.execute("SELECT streamseq FROM promise").fetchall()
    assert found == [(1 + held.STREAMSEQS_AHEAD,)]
    ledger.close(MORNING)


async def test_a_new_epoch_takes_them_along(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path, limits=HOLDING) as journal:
        await journal.append([readings(1, 3)])
        await journal.new_epoch("test")
        await journal.append([readings(4)])
        rows = await journal.rows(0, 100)
        assert [row.streamseq for row in rows] == [1, 2, 3, 1]
        assert [row.epoch == journal.epoch for row in rows] == [False, False, False, True]


async def test_a_journal_that_is_trimmed_shows_them_all(tmp_path: Path) -> None:
    limits = Limits(max_bytes=300_000, ballast_bytes=0, hold_readings=True)
    path = tmp_path / "j.db"
    async with open_journal(path, limits=limits) as journal:
        after, seen = 0, []
        for total in range(1, 4000, 40):
            await journal.append([readings(total, 10), entry("press-03", counts=40, total=total)])
            for row in await journal.rows(after, 1000):
                seen.append(row.seq)
                after = row.seq
            await journal.advance("mqtt", after)
        assert seen == list(range(1, journal.head() + 1))
        assert path.stat().st_size < 3_000_000


async def test_everything_arrives_over_a_broker_in_order(broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(broker)
    async with (
        listening(settings, EVENTS) as ear,
        open_journal(tmp_path / "j.db", limits=HOLDING) as journal,
        publishing(settings, journal) as publisher,
    ):
        await until(lambda: publisher.stats().online)
        for total in range(1, 200, 2):
            await journal.append([readings(total, 2), entry("press-03", counts=2, total=total)])
            if total == 99:
                broker.suspend()
        broker.resume()
        assert await publisher.drain(30)
        assert journal.head() == 400
        await until(lambda: len(ear.events()) >= 400, timeout_s=20)
        seqs = [int(event["id"].rpartition("-")[2]) for event in ear.events()]
    assert list(dict.fromkeys(seqs)) == list(range(1, 401))
    assert on_disk(tmp_path / "j.db").count("count") == 200
