import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.journal.ballast import Ballast
from gateway.journal.errors import FileFull, JournalFull
from gateway.journal.ledger import Begins, Ledger
from gateway.journal.numbering import Append, prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.journal.space import HOLD_S, Space
from tests.support.clock import MORNING
from tests.support.journal import count, entry, reading
from tests.support.publishing import status
from tests.support.small_disk import fill as take_the_rest
from tests.support.small_disk import small_disk

FULL_DISK_BYTES = 2 << 20


def opened(
    path: Path, limits: Limits, readers: Mapping[str, Begins] | None = None
) -> tuple[Ledger, Space]:
    return open_ledger(
        path, at=MORNING, limits=limits, randbelow=Random(1).randrange, readers=readers
    )


def readings(equipment: str, number: int) -> Append:
    return prepare([Entry(equipment, [reading(i) for i in range(number)])])


def live_bytes(ledger: Ledger) -> int:
    query = ledger.connection.execute
    (pages,), (free,) = (query(f"PRAGMA {n}").fetchone() for n in ("page_count", "freelist_count"))
    return int(pages - free) * 4096


def test_the_journal_stays_within_its_quota(tmp_path: Path) -> None:
    limits = Limits(max_bytes=400_000, readings_max_bytes=200_000, ballast_bytes=0)
    ledger, space = opened(tmp_path / "j.db", limits)
    for _ in range(100):
        ledger.commit([readings("press-07", 20), prepare([entry(counts=10)])], {}, MORNING)
        while space.trim(MORNING):
            pass
        assert live_bytes(ledger) <= 400_000
        assert ledger.reading_bytes <= 200_000
    ledger.close(MORNING)


def test_a_full_journal_keeps_new_readings_until_they_are_delivered(tmp_path: Path) -> None:
    limits = Limits(max_bytes=400_000, readings_max_bytes=200_000, ballast_bytes=0)
    ledger, space = opened(tmp_path / "j.db", limits)
    for _ in range(30):
        ledger.commit([prepare([entry(counts=50)])], {"publish": ledger.head}, MORNING)
        ledger.commit([readings("press-07", 1)], {}, MORNING)
        space.trim(MORNING)
    newest = ledger.head
    ledger.close(MORNING)
    with JournalReader(tmp_path / "j.db") as beside:
        assert beside.rows(newest - 1, 1)[0].type == "reading"
        assert not [row for row in beside.rows(0, 10_000) if row.type == "gap"]


def test_a_stretch_that_goes_undelivered_is_named(tmp_path: Path) -> None:
    limits = Limits(max_bytes=10**9, readings_max_bytes=10_000, ballast_bytes=0)
    ledger, space = opened(tmp_path / "j.db", limits)
    ledger.commit([readings("press-07", 10), prepare([entry()])], {}, MORNING)
    ledger.commit([readings("press-07", 90)], {"publish": 4}, MORNING)
    assert space.trim(MORNING + timedelta(hours=1))
    assert not space.trim(MORNING)
    ledger.close(MORNING)
    with JournalReader(tmp_path / "j.db") as beside:
        kept = beside.rows(0, 1000)
    left = [row.streamseq for row in kept if row.type == "reading"]
    (gap,) = [row for row in kept if row.type == "gap"]
    said = orjson.loads(gap.data)
    assert (said["stream"], said["reason"]) == ("reading", "retention")
    assert (said["from_streamseq"], said["to_streamseq"]) == (5, left[0] - 1)
    assert said["count"] == left[0] - 5
    assert [row.seq for row in kept if row.type == "count"] == [11]


def test_free_pages_go_back_to_the_file_system_in_steps(tmp_path: Path) -> None:
    limits = Limits(max_bytes=10**9, readings_max_bytes=10_000, ballast_bytes=0)
    path = tmp_path / "j.db"
    ledger, space = opened(path, limits)
    heavy = prepare([Entry("press-07", [reading(group="g" * 20_000) for _ in range(600)])])
    ledger.commit([heavy], {}, MORNING)
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    while space.trim(MORNING):
        pass
    steps = 0
    while space.tidy():
        steps += 1
    assert 1 < steps < 20
    ledger.close(MORNING)
    assert path.stat().st_size < before / 1.5


def test_a_full_file_makes_room_by_class_and_takes_the_append(tmp_path: Path) -> None:
    ledger, space = opened(tmp_path / "j.db", Limits(ballast_bytes=0))
    ledger.connection.execute("PRAGMA max_page_count = 200")
    accepted = fill(ledger, space, rounds=300)
    ledger.close(MORNING)
    with JournalReader(tmp_path / "j.db") as beside:
        rows = beside.rows(0, 100_000)
        assert beside.states() == {"press-07": b'{"total": %d}' % accepted}
    gaps = [orjson.loads(row.data) for row in rows if row.type == "gap"]
    assert {gap["stream"] for gap in gaps} == {"reading"}
    assert [row.streamseq for row in rows if row.type == "count"] == list(range(1, accepted + 1))


def test_a_full_file_with_nothing_to_delete_says_so(tmp_path: Path) -> None:
    ledger, space = opened(tmp_path / "j.db", Limits(ballast_bytes=0))
    ledger.connection.execute("PRAGMA max_page_count = 20")
    large = prepare([Entry("press-07", state=b"x" * 1_000_000)])
    with pytest.raises(FileFull, match="nothing left to delete"):
        space.with_room(lambda: ledger.commit([large], {}, MORNING), MORNING)
    ledger.abandon()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, FULL_DISK_BYTES) as place:
        yield place


@pytest.mark.fault(
    12,
    injection="a disk of 2 MB fills while counts and readings come in",
    expectation="the ballast makes room, readings go first and are named, no count is lost; the"
    " alarm disk_full holds",
)
def test_a_full_disk_is_survived_with_the_ballast(
    full_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = full_disk / "j.db"
    ledger, space = opened(path, Limits(ballast_bytes=512 << 10))
    accepted = fill(ledger, space, rounds=200)
    assert "deleting the oldest rows" in caplog.text
    space.look()
    assert space.standing.alarm == "disk_full"
    ledger.close(MORNING)
    with JournalReader(path) as beside:
        assert beside.states() == {"press-07": b'{"total": %d}' % accepted}
        kept = [row.streamseq for row in beside.rows(0, 100_000) if row.type == "count"]
    assert kept[-1] == accepted


def test_readers_that_find_no_room_are_waited_for(full_disk: Path) -> None:
    path, limits = full_disk / "j.db", Limits(ballast_bytes=128 << 10)
    opened(path, limits)[0].close(MORNING)
    take_the_rest(full_disk)
    with pytest.raises(JournalFull, match="no room on the disk"):
        opened(path, limits, {f"{n:05000}": "newest" for n in range(100)})


@pytest.mark.fault(
    12,
    injection="somebody's file takes the rest of a disk of 48 MB; nobody takes what 400 commits"
    " append meanwhile",
    expectation="the rows take the room of the ballast, none is lost; the alarm holds until there"
    " is room for it again",
)
def test_nothing_is_deleted_while_there_is_ballast(tmp_path: Path) -> None:
    with small_disk(tmp_path, 48 << 20) as place:
        path = place / "j.db"
        ledger, _ = opened(path, Limits())
        now = Moment()
        space = Space(path, ledger, Limits(), Ballast(path, 32 << 20), mono_s=now)
        space.prepare()
        commit_alone(ledger, space, 2000 // 20)
        assert space.standing.alarm is None
        theirs = take_the_rest(place)
        alarms = commit_alone(ledger, space, 400)
        assert (ledger.lost, ledger.merged) == (0, 0)
        assert ledger.first_seq == 1
        full_at = alarms.index("disk_full")
        assert set(alarms[:full_at]) <= {None}
        assert set(alarms[full_at:]) == {"disk_full"}
        theirs.unlink()
        now.s += HOLD_S
        assert commit_alone(ledger, space, 1) == ["disk_full"]  # 48 MB are not plenty for 32
        ledger.close(MORNING)


def test_the_alarm_of_a_full_disk_stands_until_the_ballast_is_back_and_a_minute(
    full_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, size = full_disk / "j.db", 512 << 10
    ledger, _ = opened(path, Limits(ballast_bytes=size))
    now = Moment()
    space = Space(path, ledger, Limits(ballast_bytes=size), Ballast(path, size), mono_s=now)
    theirs = take_the_rest(full_disk)
    full_at = commit_alone(ledger, space, 10).index("disk_full")
    now.s += HOLD_S + 1
    assert commit_alone(ledger, space, 1) == ["disk_full"]
    assert full_at < 10
    theirs.unlink()
    now.s += 1
    with caplog.at_level("INFO"):
        assert commit_alone(ledger, space, 1) == [None]
    assert "has room again" in caplog.text
    assert path.with_name("j.db.ballast").stat().st_size == size
    ledger.close(MORNING)


def test_a_quota_that_fills_with_what_nobody_has_is_told_before_anything_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, limits = tmp_path / "j.db", Limits(max_bytes=400_000, ballast_bytes=0)
    ledger, _ = opened(path, limits)
    now = Moment()
    space = Space(path, ledger, limits, Ballast(path, 0), mono_s=now)

    def alarm() -> str | None:
        now.s += 1
        space.look()
        return space.standing.alarm

    while alarm() is None:
        commit_alone(ledger, space, 1)
        assert not space.trim(MORNING)
    assert 280_000 <= live_bytes(ledger) < 300_000
    assert alarm() == space.standing.alarm == "quota"
    assert caplog.text.count("not delivered yet") == 1
    ledger.commit([], {"publish": ledger.head // 20}, MORNING)
    assert alarm() == "quota"  # not at the first row that goes out
    ledger.commit([], {"publish": ledger.head // 5}, MORNING)
    assert alarm() is None
    commit_alone(ledger, space, 1)
    assert alarm() is None
    ledger.close(MORNING)


class Moment:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def commit_alone(ledger: Ledger, space: Space, commits: int) -> list[str | None]:
    """Append twenty rows that never go unless they must; return the alarm after each."""
    alarms: list[str | None] = []
    for _ in range(commits):
        append = prepare([Entry("press-07", [status() for _ in range(20)])])
        space.with_room(lambda append=append: ledger.commit([append], {}, MORNING), MORNING)  # type: ignore[misc]
        space.look()
        alarms.append(space.standing.alarm)
    return alarms


@pytest.mark.fault(
    13,
    injection="somebody's file takes the last byte when the journal is new",
    expectation="it goes on by the room of the ballast, though there is nothing to delete",
)
@pytest.mark.parametrize("half_is_gone", [False, True])
def test_a_full_disk_with_nothing_to_delete_is_survived(
    full_disk: Path, *, half_is_gone: bool
) -> None:
    path = full_disk / "j.db"
    ledger, space = opened(path, Limits(ballast_bytes=512 << 10))
    if half_is_gone:
        Ballast(path, 512 << 10).give_to_rows()
    theirs = take_the_rest(full_disk)
    fill(ledger, space, rounds=5)
    assert ledger.lost == 0
    space.look()
    assert space.standing.alarm == "disk_full"
    theirs.unlink()
    ledger.close(MORNING)


@pytest.mark.fault(
    13,
    injection="somebody's file takes the last byte before the start",
    expectation="the journal opens by giving up readings, and goes on",
)
def test_a_disk_full_at_the_start_is_survived(full_disk: Path) -> None:
    path = full_disk / "j.db"
    ledger, space = opened(path, Limits(ballast_bytes=512 << 10))
    fill(ledger, space, rounds=20)
    ledger.abandon()
    take_the_rest(full_disk)
    assert shutil.disk_usage(full_disk).free == 0
    ledger, space = opened(path, Limits(ballast_bytes=512 << 10))
    assert fill(ledger, space, rounds=5) == 5
    ledger.close(MORNING)


def counts_alone(ledger: Ledger, space: Space, totals: range) -> None:
    for first in totals[::10]:
        counts = [count(total) for total in range(first, first + 10)]
        append = prepare([Entry("press-07", counts, b"{}")])
        space.with_room(lambda append=append: ledger.commit([append], {}, MORNING), MORNING)  # type: ignore[misc]
        space.trim(MORNING)


def booked(path: Path) -> tuple[list[tuple[int, int]], list[str]]:
    """Return (delta, total) of each count that is left, and why numbers are gone."""
    with JournalReader(path) as beside:
        rows = beside.rows(0, 100_000)
    facts = [(row.type, orjson.loads(row.data)) for row in rows]
    counts = [(data["delta"], data["total"]) for kind, data in facts if kind == "count"]
    return counts, sorted({data["reason"] for kind, data in facts if kind == "gap"})


def test_on_a_disk_full_of_counts_the_whole_sum_stays(full_disk: Path) -> None:
    path = full_disk / "j.db"
    ledger, space = opened(path, Limits(ballast_bytes=512 << 10))
    counts_alone(ledger, space, range(1, 6001))
    assert ledger.lost == 0
    ledger.close(MORNING)
    counts, reasons = booked(path)
    assert len(counts) < 6000
    assert sum(delta for delta, _ in counts) == 6000
    assert reasons == ["merged"]


def test_what_was_given_before_a_crash_stays_as_it_was(tmp_path: Path) -> None:
    path, limits = tmp_path / "j.db", Limits(max_bytes=200_000, ballast_bytes=0)
    ledger, space = opened(path, limits)
    counts_alone(ledger, space, range(1, 101))
    ledger.give(100)
    ledger.abandon()
    ledger, space = opened(path, limits)
    counts_alone(ledger, space, range(101, 2001))
    assert ledger.merged > 0
    ledger.close(MORNING)
    counts, _ = booked(path)
    assert counts[:100] == [(1, total) for total in range(1, 101)]
    assert sum(delta for delta, _ in counts) == 2000


def test_where_nobody_noted_what_was_given_all_may_have_been(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    ledger, space = opened(path, Limits(ballast_bytes=0))
    counts_alone(ledger, space, range(1, 101))
    assert ledger.given == 0
    ledger.connection.execute("INSERT INTO life VALUES (99, '99-of-an-older-program', 100)")
    ledger.abandon()
    ledger, _ = opened(path, Limits(ballast_bytes=0))
    assert ledger.given == 100
    ledger.begin_epoch("import", MORNING)
    assert ledger.given == 100
    ledger.close(MORNING)


def test_a_delivered_row_goes_before_any_count_becomes_another(tmp_path: Path) -> None:
    limits = Limits(max_bytes=150_000, ballast_bytes=0)
    ledger, space = opened(tmp_path / "j.db", limits)
    counts_alone(ledger, space, range(1, 101))
    ledger.commit([], {"mqtt": 100}, MORNING)
    counts_alone(ledger, space, range(101, 201))
    assert (ledger.merged, ledger.lost) == (0, 0)
    assert ledger.first_seq > 1
    ledger.close(MORNING)


def fill(ledger: Ledger, space: Space, *, rounds: int) -> int:
    """Append a count and twenty readings again and again; return how many were accepted."""
    for total in range(1, rounds + 1):
        append = prepare(
            [
                Entry(
                    "press-07",
                    [count(total), *(reading(i) for i in range(20))],
                    b'{"total": %d}' % total,
                )
            ]
        )
        space.with_room(lambda append=append: ledger.commit([append], {}, MORNING), MORNING)  # type: ignore[misc]
    return rounds
