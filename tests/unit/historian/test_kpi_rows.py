from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import State
from gateway.domain.worktime import Interval
from gateway.historian.kpi_rows import read
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch, StoreUnavailable
from gateway.wire.cloudevent import Envelope
from tests.support.postgres import Database
from tests.support.stores import (
    EPOCH,
    SOURCE,
    START,
    count_data,
    envelope,
    reading_data,
    status_data,
)

MINUTE = timedelta(minutes=1)
HOUR = Span(START, START + 60 * MINUTE)
ORDER = {"order_no": "WO-1", "product": None, "batch": None, "ideal_cycle_ms": 2000}
BREAK = {"code": "lunch", "category": "break", "text": {}, "planned": True}


@pytest.fixture
def url(database: Database) -> str:
    return database.url


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = SqlStore.open(url)
    yield opened
    opened.close()


def write(store: SqlStore, *events: Envelope) -> None:
    store.write(Batch(events, store.ledger().plan(events)))


def status(seq: int, number: int, state: str, minute: float, **more: object) -> Envelope:
    at = START + minute * MINUTE
    return envelope("status", seq, number, status_data(state, at, **more), at=at)


def count(seq: int, number: int, total: float, minute: float, **more: object) -> Envelope:
    at = START + minute * MINUTE
    return envelope("count", seq, number, count_data(0, total, **more), at=at)


def test_intervals_with_their_orders_and_reasons(store: SqlStore, url: str) -> None:
    write(
        store,
        status(1, 1, "running", -10, order=ORDER),
        status(2, 2, "idle", 5, reason=BREAK),
        status(3, 3, "idle", 5, repeat=True),
        status(4, 4, "running", 20),
        envelope("reading", 5, 1, reading_data({"t": 1}), at=START + 30 * MINUTE),
    )
    found = read(url, SOURCE, HOUR, {}).intervals
    assert found == {
        "press-03": [
            Interval(State.RUNNING, START - 10 * MINUTE, START + 5 * MINUTE, order_no="WO-1"),
            Interval(
                State.IDLE, START + 5 * MINUTE, START + 20 * MINUTE, planned=True, category="break"
            ),
            Interval(State.RUNNING, START + 20 * MINUTE, START + 30 * MINUTE),
        ]
    }


def test_what_lies_outside_is_not_read(store: SqlStore, url: str) -> None:
    write(
        store, status(1, 1, "running", -20), status(2, 2, "idle", -10), status(3, 3, "running", 70)
    )
    assert [one.state for one in read(url, SOURCE, HOUR, {}).intervals["press-03"]] == [State.IDLE]
    assert read(url, "/plant/gateways/gw-02", HOUR, {}).intervals == {}


def test_the_last_note_about_an_interval_gives_its_reason(store: SqlStore, url: str) -> None:
    first = {"code": "x", "category": "material", "text": {}, "planned": False}
    notes = [
        {"about": f"{EPOCH}-1", "by": "li", "comment": None, "reason": reason}
        for reason in (BREAK, first, BREAK, None)
    ]
    write(
        store,
        status(1, 1, "stopped", 0),
        *(envelope("note", 2 + n, 1 + n, data, at=HOUR.ends) for n, data in enumerate(notes)),
    )
    (interval,) = read(url, SOURCE, HOUR, {}).intervals["press-03"]
    assert (interval.planned, interval.category) == (True, "break")


def test_parts_by_the_minute_and_by_the_difference_of_totals(store: SqlStore, url: str) -> None:
    write(
        store,
        status(1, 1, "running", 0, order=ORDER),
        count(10, 1, 100, 0.5, order=ORDER),
        count(11, 2, 103, 1.2, order=ORDER),
        count(13, 4, 110, 1.8, order=ORDER),
        count(14, 5, 112, 2.5),
        count(15, 6, 3, 3, counter="rejects", kind="reject", origin="manual"),
        count(16, 7, 9, 3, counter="kwh", kind="energy"),
    )
    history = read(url, SOURCE, HOUR, {"press-03": 1500.0})
    assert history.parts["press-03"] == [
        Parts(START, "good", 0, 2.0, order_no="WO-1"),
        Parts(START + MINUTE, "good", 10, 2.0, order_no="WO-1"),
        Parts(START + 2 * MINUTE, "good", 2, 1.5),
        Parts(START + 3 * MINUTE, "reject", 0, 1.5, "manual"),
    ]
    assert history.counted["press-03"] == {"good", "reject", "energy"}


@pytest.mark.usefixtures("store")
def test_an_empty_store_has_no_facts(url: str) -> None:
    history = read(url, SOURCE, HOUR, {})
    assert (history.intervals, history.parts, history.counted) == ({}, {}, {})


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(StoreUnavailable, match="there is no such file"):
        read(f"sqlite:///{path}", SOURCE, HOUR, {})
    assert not path.exists()


def test_a_file_of_something_else_is_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="no such table"):
        read(f"sqlite:///{path}", SOURCE, HOUR, {})
