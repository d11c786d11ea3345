"""Windows, machines and lines: what becomes of intervals and parts."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.figures import By, Facts, Figures, Machine, NoCalendar, figures
from gateway.domain.kpi import Parts
from gateway.domain.shifts import Pattern, ShiftCalendar, Span
from gateway.domain.vocabulary import CounterKind, State
from gateway.domain.worktime import Interval

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 20, 0, tzinfo=UTC)  # eight in the morning at the site
HOUR = timedelta(hours=1)
TWO_HOURS = Span(AT, AT + 2 * HOUR)
SHIFTS = ShiftCalendar(
    SHANGHAI,
    dict.fromkeys(range(7), (Pattern("A", time(1), time(9)), Pattern("B", time(9), time(17)))),
)
PRESS = Machine("press", "stamping/line-1", SHIFTS)
SAW = Machine("saw", "stamping/line-1", SHIFTS)
METER = Machine("meter", "stamping/line-1", SHIFTS)
COUNTED: frozenset[CounterKind] = frozenset({"good", "reject"})


def facts(*names: str) -> Facts:
    """Each machine runs an hour for order A and stands the second, for B; 60 parts in all."""
    running = Interval(State.RUNNING, AT, AT + HOUR, order_no="A")
    standing = Interval(State.IDLE, AT + HOUR, AT + 2 * HOUR, order_no="B")
    made = [
        Parts(AT + HOUR / 2, "good", 40, 60.0, order_no="A"),
        Parts(AT + HOUR, "good", 20, 60.0, order_no="B"),  # the first moment of the second hour
    ]
    return Facts(
        {name: [running, standing] for name in names},
        dict.fromkeys(names, made),
        dict.fromkeys(names, COUNTED),
    )


def asked(by: By, *machines: Machine, **more: Facts) -> list[Figures]:
    known = more.get("facts") or facts(*(one.equipment for one in machines))
    return list(figures(machines, known, SHANGHAI, TWO_HOURS, by))


def test_every_hour_has_its_own_time_and_parts() -> None:
    first, second = asked("hour", PRESS)
    assert [one.window for one in (first, second)] == [
        "2026-03-20T08:00+08:00",
        "2026-03-20T09:00+08:00",
    ]
    assert (first.figures.availability, second.figures.availability) == (1.0, 0.0)
    assert (first.figures.output.good, second.figures.output.good) == (40, 20)
    assert first.figures.performance == pytest.approx(40 * 60 / 3600)


def test_a_shift_is_cut_to_what_was_asked_and_bears_its_date() -> None:
    early, late = asked("shift", PRESS)
    assert [one.window for one in (early, late)] == ["2026-03-20 A", "2026-03-20 B"]
    assert early.span == Span(AT, AT + HOUR)
    assert late.span == Span(AT + HOUR, AT + 2 * HOUR)


def test_without_a_calendar_nothing_is_told_by_shift() -> None:
    with pytest.raises(NoCalendar):
        asked("shift", replace(PRESS, calendar=None))


@pytest.mark.parametrize("calendar", [None, SHIFTS])
def test_a_day_begins_when_production_does(calendar: ShiftCalendar | None) -> None:
    (day,) = asked("day", replace(PRESS, calendar=calendar))
    assert day.window == "2026-03-20"
    assert day.span == TWO_HOURS
    assert day.figures.output.good == 60


def test_an_order_has_the_time_and_the_parts_that_bear_its_number() -> None:
    one, other = asked("order", PRESS)
    assert [(found.window, found.figures.output.good) for found in (one, other)] == [
        ("A", 40),
        ("B", 20),
    ]
    assert one.figures.times.production == HOUR
    assert other.figures.times.production == timedelta(0)


def test_a_line_is_worked_out_from_sums_and_only_from_what_counts_parts() -> None:
    known = facts("press", "saw")
    known = replace(known, intervals={**known.intervals, "meter": known.intervals["press"]})
    found = asked("day", PRESS, SAW, METER, facts=known)
    assert [(one.kind, one.name) for one in found] == [
        ("equipment", "press"),
        ("equipment", "saw"),
        ("equipment", "meter"),
        ("line", "stamping/line-1"),
    ]
    assert found[-1].figures.output.good == 120
    assert found[-1].figures.times.production == 2 * HOUR


def test_a_machine_alone_is_no_line_and_one_nothing_is_known_of_has_no_figure() -> None:
    (alone,) = asked("day", PRESS, facts=Facts())
    assert alone.kind == "equipment"
    assert alone.figures.oee is None
    assert alone.figures.missing["oee"] == "nothing_known"


def test_json_says_who_and_when() -> None:
    (day,) = asked("day", PRESS)
    data = day.data()
    assert (data["equipment"], data["window"]) == ("press", "2026-03-20")
    assert (data["from"], data["to"]) == ("2026-03-20T00:00:00+00:00", "2026-03-20T02:00:00+00:00")
    assert data["availability"] == 0.5
