import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import exc

from gateway.historian.ledger import Ledger, Loss, Series, Stream
from gateway.historian.runs import Hole
from gateway.historian.sql import SqlStore
from gateway.historian.sql_engine import as_store_errors
from gateway.historian.store import (
    Batch,
    Birth,
    DeadLetter,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
    Unstorable,
)
from gateway.wire.cloudevent import Envelope
from tests.support.postgres import Database
from tests.support.stores import (
    EPOCH,
    SOURCE,
    START,
    count_data,
    envelope,
    fault_data,
    reading_data,
    status_data,
    text,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    opened = SqlStore.open(database.url, zone=SHANGHAI)
    yield opened
    opened.close()


def write(store: SqlStore, *events: Envelope) -> None:
    store.write(Batch(events, store.ledger().plan(events)))


ORDER = {"order_no": "WO-1", "product": "A-77", "batch": "B9"}


def day() -> list[Envelope]:
    """An hour of a press: baseline, 10 parts, a fault, 5 parts under another order."""
    minute = timedelta(minutes=1)
    states = [("offline", 0, None), ("running", 1, None), ("fault", 21, 1_200_050)]
    status = [
        envelope(
            "status", 1 + n, 1 + n, status_data(state, START + at * minute, prev_duration_ms=ms)
        )
        for n, (state, at, ms) in enumerate(states)
    ]
    counts = [
        envelope("count", 10, 1, count_data(0, 0, anomaly="baseline"), at=START),
        envelope("count", 11, 2, count_data(4, 4, order=ORDER), at=START + 5 * minute),
        envelope("count", 12, 3, count_data(6, 10, order=ORDER), at=START + 10 * minute),
        envelope("count", 13, 4, count_data(5, 15), at=START + 65 * minute),
    ]
    raised = fault_data("f1", "raised", order=ORDER)
    cleared = fault_data(
        "f1", "cleared", cleared_at=text(START + minute), duration_ms=60_000, raises=3
    )
    faults = [
        envelope("fault", 20, 1, raised, at=START),
        envelope("fault", 21, 2, cleared, at=START + minute),
        envelope("fault", 22, 3, fault_data("f2", "raised", raised_at=text(START + 2 * minute))),
    ]
    return status + counts + faults


def test_the_views_give_the_right_numbers(store: SqlStore, database: Database) -> None:
    write(store, *day())
    birth = {"name": {"zh": "3号冲床", "en": "Press 03"}}
    store.write(Batch(births=[Birth(SOURCE, "press-03", "plant/stamping/line-2/press-03", birth)]))
    intervals = database.query("SELECT state, since, until, duration_ms FROM status_interval")
    assert intervals == [
        ("offline", "2026-03-20T01:00:00.000Z", "2026-03-20T01:01:00.000Z", 60_000),
        ("running", "2026-03-20T01:01:00.000Z", "2026-03-20T01:21:00.000Z", 1_200_050),
        ("fault", "2026-03-20T01:21:00.000Z", None, None),
    ]
    assert database.query("SELECT equipment, name_zh, state, since FROM current_state") == [
        ("press-03", "3号冲床", "fault", "2026-03-20T01:21:00.000Z")
    ]
    hours = "SELECT hour_local, order_no, product, quantity FROM production_per_hour ORDER BY 1, 4"
    assert database.query(hours) == [
        ("2026-03-20T09:00+08:00", None, None, 0),
        ("2026-03-20T09:00+08:00", "WO-1", "A-77", 10),
        ("2026-03-20T10:00+08:00", None, None, 5),
    ]
    states = "SELECT day_local, state, duration_ms, intervals FROM time_per_state ORDER BY state"
    assert database.query(states) == [
        ("2026-03-20", "offline", 60_000, 1),
        ("2026-03-20", "running", 1_200_050, 1),
    ]
    pareto = "SELECT code, text_zh, occurrences, raises, duration_ms, active FROM fault_pareto"
    assert database.query(pareto) == [("E17", "防护门打开", 2, 4, 63 * 60_000 + 60_000, 1)]


def test_any_order_and_any_repetition_give_the_same_rows(
    store: SqlStore, database: Database
) -> None:
    chance = random.Random(3)
    dumps = []
    for n in range(4):
        events = day() if n == 0 else chance.choices(day(), k=30) + chance.sample(day(), 10)
        for start in range(0, len(events), 3):
            write(store, *events[start : start + 3])
        tables = ("status_event", "count_event", "fault_occurrence", "mark", "status_interval")
        dumps.append([sorted(database.query(f"SELECT * FROM {t}"), key=repr) for t in tables])  # noqa: S608
        database.execute(*(f"DELETE FROM {table}" for table in ("event", *tables[:-1])))  # noqa: S608
    assert dumps[1:] == [dumps[0]] * 3


def test_a_late_raise_never_reopens_a_fault(store: SqlStore, database: Database) -> None:
    raised, cleared = day()[7], day()[8]
    write(store, cleared)
    write(store, raised)
    found = "SELECT cleared_at, raises, transition, order_no FROM fault_occurrence"
    assert database.query(found) == [("2026-03-20T01:01:00.000Z", 3, "cleared", "WO-1")]


def test_a_fault_that_lives_on_in_a_new_epoch_is_the_same_occurrence(
    store: SqlStore, database: Database
) -> None:
    cleared = replace(day()[8], epoch="t5k2m1-0000", id="t5k2m1-0000-2", seq=2)
    write(store, cleared)
    write(store, day()[7])
    found = "SELECT epoch, cleared_at IS NOT NULL FROM fault_occurrence"
    assert database.query(found) == [("t5k2m1-0000", 1)]


def test_a_new_epoch_ends_the_last_state_of_the_old_one(
    store: SqlStore, database: Database
) -> None:
    later = status_data("offline", START + timedelta(hours=2))
    new = envelope("status", 1, 1, later, epoch="t5k2m1-0000")
    write(store, *day(), new)
    until = database.query("SELECT until FROM status_interval WHERE state = 'fault'")
    assert until == [("2026-03-20T03:00:00.000Z",)]


def test_a_repeat_of_a_state_is_no_interval(store: SqlStore, database: Database) -> None:
    again = status_data("fault", START + timedelta(minutes=21), repeat=True)
    write(store, *day(), envelope("status", 99, 4, again))
    assert database.query("SELECT COUNT(*) FROM status_interval") == [(3,)]


def test_readings_keep_numbers_texts_and_what_was_bad(store: SqlStore, database: Database) -> None:
    values = {"temperature": 21.5, "run": True, "program": "P-9", "count": 7, "list": [1, 2]}
    data = reading_data(values, bad={"pressure": "timeout"})
    write(store, envelope("reading", 1, 1, data))
    rows = database.query(
        'SELECT "group", tag, value, text_value, quality FROM reading ORDER BY tag'
    )
    assert rows == [
        ("plc", "count", 7.0, None, "good"),
        ("plc", "list", None, "[1,2]", "good"),
        ("plc", "pressure", None, "timeout", "bad"),
        ("plc", "program", None, "P-9", "good"),
        ("plc", "run", 1.0, None, "good"),
        ("plc", "temperature", 21.5, None, "good"),
    ]


def test_health_gaps_and_notes_have_their_tables(store: SqlStore, database: Database) -> None:
    health = {"link": "plc", "state": "offline", "last_ok": None, "rtt_ms": 3.5, "failures": 2}
    error = {"class": "Unreachable", "text": "refused"}
    gap = {"stream": "count", "from_streamseq": 2, "to_streamseq": 4, "count": 3}
    note = {
        "about": "f1",
        "by": "li",
        "comment": "门",
        "reason": {"code": "x", "category": "safety"},
    }
    write(
        store,
        envelope("health", 1, 1, health | {"error": error}),
        envelope("gap", 2, 1, gap | {"reason": "retention"}),
        envelope("note", 3, 1, note),
    )
    assert database.query("SELECT link, state, failures, error_class FROM health_event") == [
        ("plc", "offline", 2, "Unreachable")
    ]
    assert database.query("SELECT stream, to_streamseq, reason FROM gap_event") == [
        ("count", 4, "retention")
    ]
    assert database.query("SELECT about, comment, reason_category FROM note_event") == [
        ("f1", "门", "safety")
    ]


def test_a_fact_with_broken_data_is_kept_whole_and_reported(
    store: SqlStore, database: Database
) -> None:
    write(store, envelope("count", 1, 1, {"counter": 5}), envelope("future", 2, 1, {"x": 1}))
    assert database.query("SELECT type FROM event ORDER BY seq") == [("count",), ("future",)]
    ((reason,),) = database.query("SELECT reason FROM dead_letter")
    assert "count" in reason


def test_marks_positions_and_losses_survive_in_the_same_transaction(
    store: SqlStore, database: Database
) -> None:
    write(store, day()[0], day()[2])
    ledger = store.ledger()
    stream = Stream(SOURCE, EPOCH, "press-03", "status")
    assert ledger.holes(stream.series) == [(stream, Hole(2, 2, 2, 2))]
    changes = ledger.plan_loss([Loss(stream, Hole(2, 2, 2, 2), "gone")])
    store.write(Batch((), changes, at=START))
    store.write(Batch((), ledger.plan_position(stream.series, 9)))
    assert store.ledger().marks[stream].last == 3
    assert store.ledger().position(Series(SOURCE, EPOCH)) == 9
    assert database.query("SELECT type, from_streamseq, to_streamseq, reason FROM loss") == [
        ("status", 2, 2, "gone")
    ]
    assert database.query("SELECT streamseq, seq FROM mark") == [(3, 3)]


def test_a_batch_that_fails_leaves_nothing(store: SqlStore, database: Database) -> None:
    bad = envelope("note", 2, 1, {"about": "x", "by": "y", "comment": {"not": "a text"}})
    with pytest.raises(Unstorable):
        write(store, day()[0], bad)
    assert database.query("SELECT * FROM event") == []
    assert store.ledger().marks == {}


def test_a_seq_no_database_can_hold_is_unstorable(store: SqlStore) -> None:
    with pytest.raises(Unstorable):
        write(store, envelope("future", 2**63, 1, {}, at=START))


def test_stored_events_come_back_as_they_were(store: SqlStore) -> None:
    write(store, *day())
    rows = store.events_after(0, 100)
    assert [event for _, event in rows] == day()
    assert store.events_after(rows[3][0], 2) == rows[4:6]


def test_the_cursor_of_a_chart_store_is_kept(store: SqlStore) -> None:
    assert store.cursors() == {}
    store.advance("a", 5)
    store.advance("a", 6)
    assert store.cursors() == {"a": 6}


def test_dead_letters_are_kept_as_they_came(store: SqlStore, database: Database) -> None:
    store.write(Batch(dead=[DeadLetter(START, "t", b"\xff\x00", "not JSON\x00")]))
    assert database.query("SELECT topic, payload FROM dead_letter") == [("t", b"\xff\x00")]


def test_a_locked_store_is_unavailable(store: SqlStore, database: Database) -> None:
    impatient = SqlStore.open(database.url, busy_timeout_ms=50)
    with database.locked(), pytest.raises(StoreUnavailable, match="lock"):
        write(impatient, day()[0])
    write(impatient, day()[0])
    impatient.close()
    assert len(store.events_after(0, 10)) == 1


def test_it_opens_again_and_refuses_tables_of_a_later_version(
    store: SqlStore, database: Database
) -> None:
    write(store, *day())
    store.close()
    again = SqlStore.open(database.url)
    assert len(again.events_after(0, 100)) == len(day())
    again.close()
    database.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StoreUnusable, match="99"):
        SqlStore.open(database.url)


@pytest.mark.parametrize("url", ["nonsense", "nosuchdb://x", "sqlite+nope:///x"])
def test_a_wrong_url_is_unusable_and_shows_no_password(url: str) -> None:
    with pytest.raises(StoreUnusable):
        SqlStore.open(url)
    with pytest.raises(StoreError) as caught:
        SqlStore.open("postgresql+psycopg://u:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        SqlStore.open(f"sqlite:///{tmp_path}/file/history.db")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (exc.OperationalError("INSERT", {}, Exception("locked")), StoreUnavailable),
        (exc.InternalError("INSERT", {}, Exception("gone")), StoreUnavailable),
        (exc.InterfaceError("INSERT", {}, Exception("closed")), StoreUnavailable),
        (exc.TimeoutError("no connection free"), StoreUnavailable),
        (exc.DataError("INSERT", {}, Exception("too long")), Unstorable),
        (exc.IntegrityError("INSERT", {}, Exception("null")), Unstorable),
        (exc.ProgrammingError("INSERT", {}, Exception("a dict")), Unstorable),
        (exc.StatementError("cannot bind", "INSERT", {}, ValueError("x")), Unstorable),
        (exc.NoSuchModuleError("nope"), StoreUnusable),
        (PermissionError("no"), StoreUnavailable),
    ],
)
def test_errors_are_told_by_what_to_do_next(theirs: Exception, ours: type[StoreError]) -> None:
    with pytest.raises(ours), as_store_errors("x"):
        raise theirs


def test_a_bug_of_ours_is_no_store_error() -> None:
    with pytest.raises(KeyError), as_store_errors("x"):
        raise KeyError("bug")


def test_an_empty_database_knows_nothing(store: SqlStore) -> None:
    assert store.ledger().all_series() == Ledger().all_series()
