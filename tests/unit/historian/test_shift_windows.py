from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.shifts import Pattern, Pause, ShiftCalendar, shifts_between
from gateway.historian.shift_windows import (
    AHEAD,
    BEHIND,
    FURTHEST,
    ShiftPlan,
    ShiftWindow,
    first_moment,
    windows,
)
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch
from tests.support.postgres import Database
from tests.support.stores import SOURCE, START, envelope, status_data

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
EARLY = Pattern("A", time(8), time(16), (Pause(time(11, 30), time(12)),))
LATE = Pattern("B", time(16), time(0, 30))
CALENDAR = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), (EARLY, LATE)))
PLAN = ShiftPlan(SOURCE, {"press-03": CALENDAR})


def utc(hour: float) -> datetime:
    return datetime(2026, 3, 20, tzinfo=UTC) + timedelta(hours=hour)


def test_a_break_is_a_window_of_its_own() -> None:
    day = "2026-03-20"
    assert windows(CALENDAR, utc(0), utc(9)) == [
        ShiftWindow(utc(0), utc(3.5), "A", day, planned=True),
        ShiftWindow(utc(3.5), utc(4), "A", day, planned=False),
        ShiftWindow(utc(4), utc(8), "A", day, planned=True),
        ShiftWindow(utc(8), utc(16.5), "B", day, planned=True),
    ]


def test_the_first_window_may_begin_within_a_break() -> None:
    (pause, rest) = windows(CALENDAR, utc(3.75), utc(5))
    assert (pause.begins, pause.planned, rest.begins, rest.planned) == (
        utc(3.75),
        False,
        utc(4),
        True,
    )


def test_nobody_works_on_a_holiday() -> None:
    calendar = replace(CALENDAR, exceptions={date(2026, 3, 20): ()})
    assert {one.production_date for one in windows(calendar, utc(0), utc(72))} == {
        "2026-03-21",
        "2026-03-22",
    }


CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
PATTERNS = st.builds(
    Pattern,
    st.sampled_from("ABC"),
    CLOCKS,
    CLOCKS,
    st.lists(st.builds(Pause, CLOCKS, CLOCKS), max_size=2).map(tuple),
)


@given(st.lists(PATTERNS, max_size=3).map(tuple), st.integers(0, 47), st.integers(1, 72))
def test_windows_are_disjoint_and_add_up_to_the_shifts(
    patterns: tuple[Pattern, ...], first: int, hours: int
) -> None:
    calendar = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), patterns))
    begins, ends = utc(first), utc(first + hours)
    found = windows(calendar, begins, ends)
    assert all(one.begins < one.ends for one in found)
    assert all(one.ends <= following.begins for one, following in pairwise(found))
    shifts = shifts_between(calendar, begins, ends)
    worked = sum((one.ends_at - max(one.starts_at, begins) for one in shifts), timedelta())
    assert sum((one.ends - one.begins for one in found), timedelta()) == worked


def test_the_first_windows_reach_back_as_far_as_facts_may() -> None:
    now = START
    assert first_moment(now, None) == now - BEHIND
    assert first_moment(now, now - DAY) == now - BEHIND
    assert first_moment(now, now - 300 * DAY) == now - 300 * DAY
    assert first_moment(now, datetime(1970, 1, 1, tzinfo=UTC)) == now - FURTHEST


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    opened = SqlStore.open(database.url)
    yield opened
    opened.close()


SPANS = "SELECT begins, ends, shift, planned FROM shift_window WHERE begins >= '{}' ORDER BY begins"


def test_a_plan_is_written_once_and_goes_on(store: SqlStore, database: Database) -> None:
    store.plan_shifts(PLAN, START)
    first = database.query("SELECT * FROM shift_window ORDER BY begins")
    assert first[0][2] < (START - BEHIND + DAY).isoformat()
    store.plan_shifts(PLAN, START)
    assert database.query("SELECT * FROM shift_window ORDER BY begins") == first
    store.plan_shifts(PLAN, START + 5 * DAY)
    later = database.query("SELECT * FROM shift_window ORDER BY begins")
    assert later[: len(first)] == first
    assert later[-1][3] >= (START + 5 * DAY + AHEAD).isoformat()


def test_windows_go_on_where_they_ended_however_long_nobody_wrote(
    store: SqlStore, database: Database
) -> None:
    store.plan_shifts(PLAN, START)
    store.plan_shifts(PLAN, START + 200 * DAY)
    rows = database.query(
        "SELECT production_date, COUNT(*) FROM shift_window GROUP BY 1 ORDER BY 1"
    )
    days = [date.fromisoformat(day) for day, _ in rows]
    assert all(following - day == DAY for day, following in pairwise(days))
    assert {count for _, count in rows[1:-1]} == {4}


def test_a_calendar_that_changes_counts_from_now_on(store: SqlStore, database: Database) -> None:
    now = utc(5)  # in the third window of a day
    store.plan_shifts(PLAN, now)
    changed = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), (Pattern("X", time(6), time(22)),)))
    store.plan_shifts(ShiftPlan(SOURCE, {"press-03": changed}), now)
    today = database.query(SPANS.format("2026-03-20T04:00:00.000Z"))[:3]
    assert today == [
        ("2026-03-20T04:00:00.000Z", "2026-03-20T08:00:00.000Z", "A", True),
        ("2026-03-20T08:00:00.000Z", "2026-03-20T14:00:00.000Z", "X", True),
        ("2026-03-20T22:00:00.000Z", "2026-03-21T14:00:00.000Z", "X", True),
    ]


def test_what_left_the_plan_has_no_shifts_to_come(store: SqlStore, database: Database) -> None:
    store.plan_shifts(PLAN, START)
    store.plan_shifts(ShiftPlan("/plant/gateways/gw-02", {"oven": CALENDAR}), START)
    store.plan_shifts(ShiftPlan(SOURCE), START)
    rows = database.query("SELECT source, MAX(begins) FROM shift_window GROUP BY source ORDER BY 1")
    assert rows[0] == (SOURCE, "2026-03-20T00:00:00.000Z")
    assert rows[1][1] > (START + 13 * DAY).isoformat()


def test_a_shift_to_come_has_no_time_yet_and_one_nobody_told_of_is_unknown(
    store: SqlStore, database: Database
) -> None:
    ahead = datetime.now(UTC) + 2 * DAY
    event = envelope("status", 1, 1, status_data("running", utc(9)), at=utc(10))
    store.write(Batch([event], store.ledger().plan([event])))
    store.plan_shifts(PLAN, utc(0))
    store.plan_shifts(PLAN, ahead)
    told = "SELECT state, spent, duration_ms FROM state_by_shift WHERE production_date = '{}'"
    hour_ms = 3_600_000
    assert sorted(database.query(told.format("2026-03-20") + " AND shift = 'A'")) == [
        ("offline", "planned_stop", hour_ms / 2),
        ("offline", "unknown", 7.5 * hour_ms),
    ]
    assert sorted(database.query(told.format("2026-03-20") + " AND shift = 'B'")) == [
        ("offline", "unknown", 7.5 * hour_ms),
        ("running", "production", hour_ms),
    ]
    assert database.query(told.format(ahead.date() + DAY)) == []
