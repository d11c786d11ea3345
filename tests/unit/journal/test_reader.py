import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.journal.ledger import Ledger
from gateway.journal.numbering import prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import CommandRecord, Entry
from tests.support.clock import MORNING
from tests.support.journal import count, entry


def opened(path: Path, *, seed: int = 1) -> Ledger:
    limits = Limits(ballast_bytes=0)
    return open_ledger(path, at=MORNING, limits=limits, randbelow=Random(seed).randrange)[0]


def test_a_journal_that_is_not_there_reads_as_empty(tmp_path: Path) -> None:
    with JournalReader(tmp_path / "j.db") as reader:
        assert (reader.head(), reader.states(), reader.heads("a")) == (0, {}, {})
        assert (reader.rows(0, 10), reader.rows_between(MORNING, MORNING, 0, 10)) == ([], [])
        assert (reader.epoch(), reader.last_alive(), reader.reply_to("c")) == (None, None, None)
        assert reader.cursor("publish") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_is_just_being_created_reads_as_empty(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "j.db").close()
    with JournalReader(tmp_path / "j.db") as reader:
        assert reader.head() == 0
        ledger = opened(tmp_path / "j.db")
        assert reader.epoch() == ledger.epoch
        ledger.close(MORNING)


def test_it_reads_with_and_without_the_gateway_and_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    ledger = opened(path)
    append = prepare([entry(counts=3)], CommandRecord("c-1", {"accepted": True}))
    ledger.commit([append], {"publish": 2}, MORNING)
    ends: list[Callable[[], None]] = [
        lambda: None,
        ledger.abandon,
        lambda: opened(path).close(MORNING),
    ]
    for end in ends:
        end()
        with JournalReader(path) as reader:
            assert [row.seq for row in reader.rows(1, 10)] == [2, 3]
            assert [row.seq for row in reader.rows(0, 10, upto=2)] == [1, 2]
            assert [row.seq for row in reader.rows(0, 1)] == [1]
            assert reader.reply_to("c-1") == {"accepted": True, "seq": 3}
            assert reader.cursor("publish") == 2
            assert reader.last_alive() == MORNING


def test_a_file_put_in_its_place_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    first = opened(path)
    with JournalReader(path) as reader:
        assert reader.epoch() == first.epoch
        first.close(MORNING)
        path.rename(tmp_path / "old.db")
        assert reader.epoch() is None
        second = opened(path, seed=2)
        assert reader.epoch() == second.epoch != first.epoch
        second.close(MORNING)


def test_reading_does_not_hold_up_writing_or_the_log(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    ledger = opened(path)
    with JournalReader(path) as reader:
        for total in range(50):
            ledger.commit([prepare([entry(counts=20, total=total)])], {}, MORNING)
            assert len(reader.rows(0, 100_000)) == 20 * (total + 1)
        busy, _, _ = ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
        assert path.with_name("j.db-wal").stat().st_size == 0
    ledger.close(MORNING)


times_s = st.integers(0, 20)


@settings(max_examples=25, deadline=None)
@given(st.lists(times_s, max_size=30), times_s, times_s, st.integers(0, 30))
def test_a_span_of_time_comes_in_order_of_seq(
    tmp_path_factory: pytest.TempPathFactory, at_s: list[int], start: int, end: int, after: int
) -> None:
    path = tmp_path_factory.mktemp("span") / "j.db"
    ledger = opened(path)
    events = [count(at=MORNING + timedelta(seconds=s)) for s in at_s]
    ledger.commit([prepare([Entry("press-07", events)])], {}, MORNING)
    span = (MORNING + timedelta(seconds=start), MORNING + timedelta(seconds=end))
    expected = [i for i, s in enumerate(at_s, 1) if start <= s <= end and i > after]
    found: list[int] = []
    with JournalReader(path) as reader:
        while page := reader.rows_between(*span, found[-1] if found else after, 3):
            found += [row.seq for row in page]
    ledger.close(MORNING)
    assert found == expected
