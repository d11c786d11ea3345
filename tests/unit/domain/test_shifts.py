from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.shifts import (
    DAY,
    Pattern,
    Pause,
    ShiftCalendar,
    Span,
    breaks_between,
    changes,
    next_change,
    shift_at,
    shifts_between,
)
from gateway.domain.vocabulary import Shift

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
EARLY = Pattern("A", time(6), time(14), (Pause(time(10), time(10, 15)),))
LATE = Pattern("B", time(14), time(22))
NIGHT = Pattern("C", time(22), time(6), (Pause(time(23, 50), time(0, 20)), Pause(time(3), time(4))))
THREE = (EARLY, LATE, NIGHT)


def three_shifts(zone: ZoneInfo) -> ShiftCalendar:
    return ShiftCalendar(zone, dict.fromkeys(range(7), THREE))


def local(zone: ZoneInfo, *when: int) -> datetime:
    return datetime(*when, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


def test_a_night_shift_belongs_to_the_date_it_began_on() -> None:
    calendar = three_shifts(SHANGHAI)
    shift = shift_at(calendar, local(SHANGHAI, 2026, 3, 21, 3))
    assert shift == Shift(
        "C",
        date(2026, 3, 20),
        local(SHANGHAI, 2026, 3, 20, 22),
        local(SHANGHAI, 2026, 3, 21, 6),
    )
    assert shift.data() == {"code": "C", "production_date": "2026-03-20"}


def test_the_instant_of_a_change_is_of_the_later_shift() -> None:
    calendar = three_shifts(SHANGHAI)
    change = local(SHANGHAI, 2026, 3, 20, 14)
    before, after = (
        shift_at(calendar, change - timedelta(microseconds=1)),
        shift_at(calendar, change),
    )
    assert (before and before.code, after and after.code) == ("A", "B")
    assert next_change(calendar, change - timedelta(microseconds=1)) == change
    assert next_change(calendar, change) == local(SHANGHAI, 2026, 3, 20, 22)


def test_a_shift_before_the_day_starts_belongs_to_the_date_before() -> None:
    dawn = Pattern("D", time(0), time(6))
    calendar = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), (dawn, EARLY)), {}, time(6))
    found = [shift_at(calendar, local(SHANGHAI, 2026, 3, 20, hour)) for hour in (0, 6)]
    assert [shift and shift.production_date for shift in found] == [
        date(2026, 3, 19),
        date(2026, 3, 20),
    ]


def test_a_shift_may_last_a_whole_day() -> None:
    whole = Pattern("W", time(8), time(8))
    calendar = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), (whole,)))
    shift = shift_at(calendar, local(SHANGHAI, 2026, 3, 20, 7, 59))
    assert shift is not None
    assert shift.production_date == date(2026, 3, 19)
    assert shift.ends_at - shift.starts_at == DAY


@pytest.mark.fault(
    25,
    injection="a night shift in which summer time begins",
    expectation="the shift is an hour shorter",
)
def test_the_night_in_spring_is_an_hour_shorter() -> None:
    (night,) = shifts_between(
        three_shifts(BERLIN), local(BERLIN, 2026, 3, 29, 1), local(BERLIN, 2026, 3, 29, 5)
    )
    assert night.production_date == date(2026, 3, 28)
    assert night.ends_at - night.starts_at == timedelta(hours=7)


@pytest.mark.fault(
    25,
    injection="a night shift in which summer time ends",
    expectation="the shift is an hour longer",
)
def test_the_night_in_autumn_is_an_hour_longer() -> None:
    calendar = three_shifts(BERLIN)
    (night,) = shifts_between(
        calendar,
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    assert night.ends_at - night.starts_at == timedelta(hours=9)
    assert next_change(calendar, night.starts_at) == night.ends_at


def test_a_time_shown_twice_is_its_first_and_one_left_out_lies_later() -> None:
    split = (Pattern("X", time(22), time(2, 30)), Pattern("Y", time(2, 30), time(10)))
    calendar = ShiftCalendar(BERLIN, dict.fromkeys(range(7), split))
    autumn = next_change(calendar, datetime(2026, 10, 24, 22, tzinfo=UTC))
    spring = next_change(calendar, datetime(2026, 3, 28, 23, tzinfo=UTC))
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert spring == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_holiday_has_no_shift_and_an_extra_day_has_one() -> None:
    holiday, extra = date(2026, 10, 1), date(2026, 10, 10)
    calendar = ShiftCalendar(
        SHANGHAI, dict.fromkeys(range(5), (EARLY,)), {holiday: (), extra: (LATE,)}
    )
    assert shift_at(calendar, local(SHANGHAI, 2026, 10, 1, 8)) is None
    assert next_change(calendar, local(SHANGHAI, 2026, 9, 30, 15)) == local(
        SHANGHAI, 2026, 10, 2, 6
    )
    shift = shift_at(calendar, local(SHANGHAI, 2026, 10, 10, 15))
    assert shift is not None
    assert shift.code == "B"


def test_where_two_were_planned_the_later_takes_over() -> None:
    extra = Pattern("E", time(4), time(6))
    friday, saturday = date(2026, 3, 20), date(2026, 3, 21)
    calendar = ShiftCalendar(SHANGHAI, {}, {friday: (NIGHT,), saturday: (extra, extra)})
    found = shifts_between(
        calendar, local(SHANGHAI, 2026, 3, 20, 0), local(SHANGHAI, 2026, 3, 22, 0)
    )
    assert [(shift.code, shift.ends_at - shift.starts_at) for shift in found] == [
        ("C", timedelta(hours=6)),
        ("E", timedelta(hours=2)),
    ]


def test_an_empty_calendar_never_changes() -> None:
    calendar = ShiftCalendar(SHANGHAI)
    assert shift_at(calendar, local(SHANGHAI, 2026, 3, 20, 8)) is None
    assert next_change(calendar, local(SHANGHAI, 2026, 3, 20, 8)) is None


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_outside_the_years_of_a_plan_nobody_works(year: int) -> None:
    calendar = three_shifts(SHANGHAI)
    at = datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert shift_at(calendar, at) is None
    assert next_change(calendar, at) is None
    assert list(changes(calendar, at, at)) == []
    assert shifts_between(calendar, at, at) == []


def test_breaks_lie_within_their_shift() -> None:
    calendar = three_shifts(SHANGHAI)
    begins, ends = local(SHANGHAI, 2026, 3, 20, 6), local(SHANGHAI, 2026, 3, 21, 6)
    assert breaks_between(calendar, begins, ends) == [
        Span(local(SHANGHAI, 2026, 3, 20, 10), local(SHANGHAI, 2026, 3, 20, 10, 15)),
        Span(local(SHANGHAI, 2026, 3, 20, 23, 50), local(SHANGHAI, 2026, 3, 21, 0, 20)),
        Span(local(SHANGHAI, 2026, 3, 21, 3), local(SHANGHAI, 2026, 3, 21, 4)),
    ]


def test_breaks_are_cut_by_the_window() -> None:
    calendar = three_shifts(SHANGHAI)
    begins, ends = local(SHANGHAI, 2026, 3, 21, 0), local(SHANGHAI, 2026, 3, 21, 3, 30)
    assert [span.duration for span in breaks_between(calendar, begins, ends)] == [
        timedelta(minutes=20),
        timedelta(minutes=30),
    ]


CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
PAUSES = st.builds(Pause, CLOCKS, CLOCKS)
PATTERNS = st.lists(
    st.builds(
        Pattern,
        st.sampled_from("ABCD"),
        CLOCKS,
        CLOCKS,
        st.lists(PAUSES, max_size=2).map(tuple),
    ),
    max_size=4,
).map(tuple)
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in ("Asia/Shanghai", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu")
    ]
)
CALENDARS = st.builds(
    ShiftCalendar,
    ZONES,
    st.dictionaries(st.integers(0, 6), PATTERNS),
    st.dictionaries(st.dates(date(2026, 3, 25), date(2026, 4, 2)), PATTERNS, max_size=4),
    CLOCKS,
)


def within_16_days_of(begins: datetime) -> st.SearchStrategy[datetime]:
    return st.timedeltas(timedelta(0), 16 * DAY).map(lambda since: begins + since)


INSTANTS = within_16_days_of(datetime(2026, 3, 20, tzinfo=UTC))
AUTUMN = within_16_days_of(datetime(2026, 10, 18, tzinfo=UTC))


@given(calendar=CALENDARS, begins=INSTANTS | AUTUMN, hours=st.integers(1, 300))
def test_shifts_abut_or_are_disjoint(calendar: ShiftCalendar, begins: datetime, hours: int) -> None:
    shifts = shifts_between(calendar, begins, begins + timedelta(hours=hours))
    assert all(shift.starts_at < shift.ends_at for shift in shifts)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(shifts))


@given(calendar=CALENDARS, at=INSTANTS | AUTUMN)
def test_every_instant_has_at_most_one_shift_however_it_is_asked(
    calendar: ShiftCalendar, at: datetime
) -> None:
    shift = shift_at(calendar, at)
    around = shifts_between(calendar, at - 2 * DAY, at + 2 * DAY)
    assert [one for one in around if one.starts_at <= at < one.ends_at] == (
        [shift] if shift else []
    )


@given(calendar=CALENDARS, at=INSTANTS | AUTUMN)
def test_nothing_changes_before_the_next_change(calendar: ShiftCalendar, at: datetime) -> None:
    change = next_change(calendar, at)
    shift = shift_at(calendar, at)
    if change is None:
        assert shift is None
        return
    assert change > at
    assert shift_at(calendar, at + (change - at) / 2) == shift
    assert shift_at(calendar, change) != shift


@given(calendar=CALENDARS, begins=INSTANTS | AUTUMN, hours=st.integers(1, 300))
def test_changes_are_the_edges_of_the_shifts(
    calendar: ShiftCalendar, begins: datetime, hours: int
) -> None:
    ends = begins + timedelta(hours=hours)
    shifts = shifts_between(calendar, begins, ends + DAY)
    edges = {edge for shift in shifts for edge in (shift.starts_at, shift.ends_at)}
    expected = sorted(edge for edge in edges if begins < edge <= ends)
    assert list(changes(calendar, begins, ends)) == expected


@given(calendar=CALENDARS, begins=INSTANTS | AUTUMN, hours=st.integers(1, 300))
def test_breaks_are_disjoint_and_within_shifts(
    calendar: ShiftCalendar, begins: datetime, hours: int
) -> None:
    ends = begins + timedelta(hours=hours)
    breaks = breaks_between(calendar, begins, ends)
    shifts = shifts_between(calendar, begins, ends)
    assert all(one.ends <= other.begins for one, other in pairwise(breaks))
    for span in breaks:
        assert begins <= span.begins < span.ends <= ends
        assert any(s.starts_at <= span.begins and span.ends <= s.ends_at for s in shifts)
