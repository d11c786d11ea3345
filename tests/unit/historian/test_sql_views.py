"""What departments ask the views, over both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.historian.sql import SqlStore
from gateway.historian.sql_dialect import adapted
from gateway.historian.store import Batch, Birth
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

MINUTE = timedelta(minutes=1)
ORDER = {"order_no": "WO-1", "product": "A-77", "batch": "B9"}
SHIFT = {"code": "A", "production_date": "2026-03-20"}


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    opened = SqlStore.open(database.url)
    yield opened
    opened.close()


def write(store: SqlStore, *events: Envelope) -> None:
    store.write(Batch(events, store.ledger().plan(events)))


def test_a_later_word_is_the_reason_of_the_interval(store: SqlStore, database: Database) -> None:
    reason = {"code": "x", "category": "material", "planned": False}
    later = {"code": "lunch", "category": "break", "planned": True}
    notes = [
        {"about": f"{EPOCH}-1", "by": "li", "comment": None, "reason": one}
        for one in (reason, later, None)
    ]
    write(
        store,
        envelope("status", 1, 1, status_data("idle", START, reason=reason)),
        envelope("status", 2, 2, status_data("stopped", START + MINUTE, reason=reason)),
        *(envelope("note", 3 + n, 1 + n, note) for n, note in enumerate(notes)),
    )
    found = "SELECT reason_code, reason_category, planned FROM status_interval ORDER BY seq"
    assert database.query(found) == [("lunch", "break", True), ("x", "material", False)]
    told = "SELECT reason_code, planned FROM status_event ORDER BY seq"
    assert database.query(told) == [("x", False), ("x", False)]


def test_who_acknowledged_and_under_which_order_and_shift(
    store: SqlStore, database: Database
) -> None:
    acked = {"acked": True, "acked_by": "li", "acked_at": text(START + MINUTE)}
    shelf = {"shelved_until": text(START + 60 * MINUTE), "flood": True, "first_up": True}
    raised = fault_data("f1", "raised", order=ORDER, shift=SHIFT)
    later = fault_data("f1", "shelved", shift={**SHIFT, "code": "B"}, **acked, **shelf)
    write(store, envelope("fault", 2, 2, later), envelope("fault", 1, 1, raised))
    found = (
        "SELECT acked_by, acked_at, shelved_until, first_up, flood, order_no, product, batch,"
        " shift, production_date FROM fault_occurrence"
    )
    at, until = text(START + MINUTE), text(START + 60 * MINUTE)
    told = ("li", at, until, True, True)
    assert database.query(found) == [(*told, "WO-1", "A-77", "B9", "A", "2026-03-20")]


def test_a_reading_says_its_order_and_what_is_uncertain(
    store: SqlStore, database: Database
) -> None:
    data = reading_data({"force": 9.5, "speed": 2}, uncertain=["force"], order=ORDER)
    write(store, envelope("reading", 1, 1, data))
    found = "SELECT tag, value, quality, order_no, batch FROM reading ORDER BY tag"
    assert database.query(found) == [
        ("force", 9.5, "uncertain", "WO-1", "B9"),
        ("speed", 2, "good", "WO-1", "B9"),
    ]


def test_parts_energy_and_time_of_an_order(store: SqlStore, database: Database) -> None:
    write(
        store,
        envelope("status", 1, 1, status_data("running", START, order=ORDER)),
        envelope("status", 2, 2, status_data("idle", START + 9 * MINUTE, order=ORDER)),
        envelope("status", 3, 3, status_data("running", START + 10 * MINUTE)),
        envelope("count", 4, 1, count_data(0, 100, anomaly="baseline", order=ORDER)),
        envelope("count", 5, 2, count_data(30, 130, order=ORDER)),
        envelope("count", 6, 3, count_data(5, 135)),
        envelope("count", 7, 4, count_data(0, 1, counter="kwh", kind="energy", order=ORDER)),
        envelope("count", 8, 5, count_data(2.5, 3.5, counter="kwh", kind="energy", order=ORDER)),
    )
    made = "SELECT order_no, batch, kind, quantity FROM production_per_order ORDER BY kind"
    assert database.query(made) == [("WO-1", "B9", "energy", 2.5), ("WO-1", "B9", "good", 30)]
    spent = "SELECT order_no, product, state, duration_ms FROM time_per_order ORDER BY state"
    assert database.query(spent) == [
        ("WO-1", "A-77", "idle", 60_000),
        ("WO-1", "A-77", "running", 540_000),
    ]


def test_an_equipment_that_moved_is_one_equipment(store: SqlStore, database: Database) -> None:
    for line, name in (("line-1", "Press 3"), ("line-2", "Press 03")):
        birth = Birth(SOURCE, "press-03", f"plant/stamping/{line}/press-03", {"name": {"en": name}})
        store.write(Batch(births=[birth]))
    write(store, *(_at_line(number, f"line-{number}") for number in (1, 2)))
    found = "SELECT subject, name_en, name_zh FROM equipment"
    assert database.query(found) == [("plant/stamping/line-2/press-03", "Press 03", None)]
    states = "SELECT equipment, name_en, since FROM current_state"
    assert database.query(states) == [("press-03", "Press 03", text(START + 2 * MINUTE))]
    assert database.query("SELECT COUNT(*) FROM status_interval") == [(2,)]


def _at_line(number: int, line: str) -> Envelope:
    at = START + number * MINUTE
    told = envelope("status", number, number, status_data("running", at), at=at)
    return replace(told, subject=f"plant/stamping/{line}/press-03")


def test_the_shares_of_the_faults_of_a_gateway(store: SqlStore, database: Database) -> None:
    def cleared(seq: int, code: str, minutes: int) -> Envelope:
        end = text(START + minutes * MINUTE)
        return envelope(
            "fault", seq, seq, fault_data(f"f{seq}", "cleared", code=code, cleared_at=end)
        )

    write(store, cleared(1, "E1", 10), cleared(2, "E2", 30))
    found = "SELECT code, share, cumulative FROM fault_pareto ORDER BY share DESC"
    assert database.query(found) == [("E2", 0.75, 0.75), ("E1", 0.25, 1)]


def test_a_query_is_adapted_to_its_database() -> None:
    query = "SELECT MS(a.x, y), LEAST(1, 2), GREATEST(1, 2), NOW()"
    assert "EPOCH FROM (y - a.x)" in adapted(query, "postgresql")
    assert "LEAST(1, 2), GREATEST(1, 2), NOW()" in adapted(query, "postgresql")
    assert "julianday(y) - julianday(a.x)" in adapted(query, "sqlite")
    assert "MIN(1, 2), MAX(1, 2), strftime(" in adapted(query, "sqlite")
