"""What departments ask the views, over both databases."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count as counting
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
NUMBERS = counting(100)
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


def part(second: float, epoch: str = EPOCH) -> str:
    return f"{epoch}-1@{text(START + timedelta(seconds=second))}"


def noted(about: str, code: str | None, *, planned: bool = False) -> dict[str, Any]:
    reason = None if code is None else {"code": code, "category": "material", "planned": planned}
    return {"about": about, "by": "li", "comment": "word", "reason": reason}


def test_parts_of_an_interval_have_reasons_of_their_own_and_join_again(
    store: SqlStore, database: Database
) -> None:
    """The whole was measured as 59.5 s though the wall says 60: the parts share what it was."""
    told = [
        noted(f"{EPOCH}-1", "late coil"),
        noted(part(20), "lunch", planned=True),
        noted(part(50), "x"),
        noted(part(50), "no operator"),
        noted(part(-5), "before it began"),
        noted(part(60), "after it ended"),
        noted(part(30), "a mistake"),
        noted(part(30), None),
    ]
    later = status_data("running", START + MINUTE, prev_duration_ms=59_500)
    write(
        store,
        envelope("status", 1, 1, status_data("idle", START)),
        envelope("status", 2, 2, later),
        *(envelope("note", 3 + n, 1 + n, note) for n, note in enumerate(told)),
    )
    found = "SELECT id, since, until, duration_ms, reason_code, planned, about FROM status_interval"
    moments = [text(START + timedelta(seconds=one)) for one in (0, 20, 50, 60)]
    event = f"{EPOCH}-1"
    assert database.query(f"{found} WHERE state = 'idle' ORDER BY since") == [
        (event, *moments[0:2], 19_833, "late coil", False, event),
        (event, *moments[1:3], 29_750, "lunch", True, part(20)),
        (event, *moments[2:4], 9_917, "no operator", False, part(50)),
    ]
    sums = "SELECT state, duration_ms, intervals FROM time_per_state"
    assert database.query(sums) == [("idle", 59_500, 1)]
    assert database.query("SELECT COUNT(*) FROM status_event") == [(2,)]
    joined = [noted(part(second), None) for second in (20, 50)]
    write(store, *(envelope("note", 20 + n, 9 + n, note) for n, note in enumerate(joined)))
    assert database.query(f"{found} WHERE state = 'idle'") == [
        (event, moments[0], moments[3], 59_500, "late coil", False, event)
    ]


def test_an_interval_that_lasts_is_split_too(store: SqlStore, database: Database) -> None:
    write(
        store,
        envelope("status", 1, 1, status_data("idle", START)),
        envelope("note", 2, 1, noted(part(20), "lunch")),
    )
    found = "SELECT duration_ms, reason_code FROM status_interval ORDER BY since"
    assert database.query(found) == [(20_000, None), (None, "lunch")]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.integers(-2_000, 70_000), min_size=1, max_size=6),
    st.integers(59_000, 61_000),
    st.data(),
)
def test_whatever_is_split_the_parts_add_up_to_the_interval(
    database: Database, cuts: list[int], whole_ms: int, data: st.DataObject
) -> None:
    store = SqlStore.open(database.url)
    try:
        joined = [data.draw(st.sampled_from(cuts))] if data.draw(st.booleans()) else []
        told = [(ms, "x") for ms in cuts] + [(ms, None) for ms in joined]
        later = status_data("running", START + MINUTE, prev_duration_ms=whole_ms)
        name, epoch = f"press-{next(NUMBERS)}", f"t{next(NUMBERS):05}-0000"
        about = partial(part, epoch=epoch)
        events = [
            ("status", status_data("idle", START)),
            ("status", later),
            *(("note", noted(about(ms / 1000), code)) for ms, code in told),
        ]
        streams: Counter[str] = Counter()
        for seq, (kind, what) in enumerate(events, 1):
            streams[kind] += 1
            write(store, envelope(kind, seq, streams[kind], what, epoch=epoch, equipment=name))
    finally:
        store.close()
    columns = "equipment, duration_ms, since, until"
    rows = database.query(
        f"SELECT {columns} FROM status_interval WHERE state = 'idle' ORDER BY since"  # noqa: S608
    )
    found = [row[1:] for row in rows if row[0] == name]
    assert sum(row[0] for row in found) == whole_ms
    assert all(row[0] >= 0 for row in found)
    assert (found[0][1], found[-1][2]) == (text(START), text(START + MINUTE))
    assert [row[2] for row in found[:-1]] == [row[1] for row in found[1:]]
    within = {ms for ms in cuts if 0 < ms < 60_000} - set(joined)
    assert len(found) == len(within) + 1


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
