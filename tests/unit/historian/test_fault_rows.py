from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway.domain.fault_stats import Occurrence
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import State
from gateway.domain.worktime import Interval
from gateway.historian.fault_rows import AFTER, BEFORE, FaultHistory, read
from gateway.historian.reading import reading
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch, StoreUnavailable
from gateway.wire.cloudevent import Envelope
from tests.support.postgres import Database
from tests.support.stores import SOURCE, START, envelope, fault_data, status_data, text

MINUTE = timedelta(minutes=1)
SPAN = Span(START, START + 60 * MINUTE)


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    opened = SqlStore.open(database.url)
    yield opened
    opened.close()


def write(store: SqlStore, *events: Envelope) -> None:
    store.write(Batch(events, store.ledger().plan(events)))


def fault(seq: int, raised: timedelta, cleared: timedelta | None = None) -> Envelope:
    data = fault_data(f"f{seq}", "raised", raised_at=text(START + raised))
    if cleared is not None:
        data |= {"transition": "cleared", "cleared_at": text(START + cleared)}
    return envelope("fault", seq, seq, data, at=START + 30 * MINUTE)


def test_faults_of_the_span_and_what_may_be_the_same_failure(
    store: SqlStore, database: Database
) -> None:
    write(
        store,
        fault(1, -2 * BEFORE, -BEFORE),
        fault(2, -2 * BEFORE, MINUTE),
        fault(3, -BEFORE / 2, -BEFORE / 4),
        fault(4, 5 * MINUTE),
        fault(5, 60 * MINUTE),
    )
    found = read(database.url, SOURCE, SPAN)
    assert [one.raised_at - START for one in found.occurrences["press-03"]] == [
        -2 * BEFORE,
        -BEFORE / 2,
        5 * MINUTE,
    ]
    assert found.occurrences["press-03"][2] == Occurrence(
        "E17", START + 5 * MINUTE, equipment="press-03"
    )
    assert found.texts["press-03", "E17"] == {"zh": "防护门打开", "en": "Guard open"}


def test_states_around_the_span_up_to_the_newest_fact(store: SqlStore, database: Database) -> None:
    begins = [-3 * BEFORE, -2 * BEFORE, timedelta(0), 30 * MINUTE, AFTER + 61 * MINUTE]
    states = ["idle", "stopped", "fault", "running", "idle"]
    events = [
        envelope("status", n, n, status_data(state, START + since), at=START + since)
        for n, (state, since) in enumerate(zip(states, begins, strict=True), 1)
    ]
    write(store, *events[:4])
    newest = read(database.url, SOURCE, SPAN)
    assert newest.until == START + 30 * MINUTE
    assert newest.intervals["press-03"][-1].until == START + 30 * MINUTE
    write(store, events[4])
    assert read(database.url, SOURCE, SPAN).intervals["press-03"] == [
        Interval(State.STOPPED, START - 2 * BEFORE, START),
        Interval(State.FAULT, START, START + 30 * MINUTE),
        Interval(State.RUNNING, START + 30 * MINUTE, START + AFTER + 61 * MINUTE),
    ]


@pytest.mark.usefixtures("store")
def test_an_empty_store_and_another_gateway_tell_nothing(database: Database) -> None:
    assert read(database.url, SOURCE, SPAN) == FaultHistory()
    assert read(database.url, "/plant/gateways/gw-02", SPAN) == FaultHistory()


@pytest.mark.usefixtures("store")
def test_a_question_changes_nothing(database: Database) -> None:
    change = "DELETE FROM schema_version"
    with pytest.raises(StoreUnavailable, match=r"read.?only"), reading(database.url, SOURCE) as db:
        list(db.rows(change))
    assert database.query("SELECT COUNT(*) FROM schema_version") == [(1,)]


def test_a_server_that_is_not_there_shows_no_password() -> None:
    url = "postgresql+psycopg://u:secret@127.0.0.1:1/x"
    with pytest.raises(StoreUnavailable) as caught, reading(url, SOURCE):
        pass
    assert "secret" not in str(caught.value)
