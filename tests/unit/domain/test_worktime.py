from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.shifts import Pattern, Pause, ShiftCalendar, Span
from gateway.domain.vocabulary import State
from gateway.domain.worktime import Interval, Times, spent

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_SHIFT = Pattern("A", time(8), time(16), (Pause(time(12), time(12, 30)),))
CALENDAR = ShiftCalendar(SHANGHAI, dict.fromkeys(range(5), (DAY_SHIFT,)))
MIDNIGHT = datetime(2026, 3, 20, tzinfo=SHANGHAI).astimezone(UTC)
"""Of a Friday."""
HOUR = timedelta(hours=1)
FRIDAY = Span(MIDNIGHT, MIDNIGHT + 24 * HOUR)


def hour(of_day: float) -> datetime:
    return MIDNIGHT + of_day * HOUR


def interval(state: str, begins: float, ends: float, **more: object) -> Interval:
    return Interval(State(state), hour(begins), hour(ends), **more)  # type: ignore[arg-type]


def test_each_state_has_its_place() -> None:
    times = spent(
        [
            interval("running", 8, 10),
            interval("setup", 10, 10.5),
            interval("idle", 10.5, 11),
            interval("stopped", 11, 11.5),
            interval("fault", 11.5, 12),
            interval("running", 13, 14),
            interval("maintenance", 14, 14.5),
            interval("offline", 14.5, 15),
        ],
        FRIDAY,
        CALENDAR,
    )
    assert times == Times(
        production=3 * HOUR,
        setup=HOUR / 2,
        delay=HOUR,
        down=HOUR / 2,
        planned_stop=HOUR,
        unknown=2 * HOUR,
        off_shift=16 * HOUR,
    )
    assert times.planned_busy == 5 * HOUR
    assert times.unplanned_stop == 1.5 * HOUR
    assert times.total == 24 * HOUR


def test_a_planned_reason_is_a_planned_stop() -> None:
    times = spent(
        [
            interval("stopped", 8, 9, planned=True),
            interval("idle", 9, 10, category="no_order"),
            interval("idle", 10, 11, category="break"),
            interval("idle", 11, 12, category="material"),
        ],
        Span(hour(8), hour(12)),
    )
    assert times == Times(planned_stop=3 * HOUR, delay=HOUR)


def test_work_in_a_break_or_outside_the_shifts_is_production() -> None:
    times = spent([interval("running", 0, 24)], FRIDAY, CALENDAR)
    assert times == Times(production=24 * HOUR)


def test_without_a_calendar_all_time_was_planned() -> None:
    times = spent([interval("stopped", 0, 6)], FRIDAY)
    assert times == Times(delay=6 * HOUR, unknown=18 * HOUR)


def test_only_the_time_of_an_order() -> None:
    times = spent(
        [
            interval("running", 7, 9, order_no="WO-1"),
            interval("idle", 9, 10, order_no="WO-1"),
            interval("running", 10, 12, order_no="WO-2"),
        ],
        FRIDAY,
        CALENDAR,
        order_no="WO-1",
    )
    assert times == Times(production=2 * HOUR, delay=HOUR)


def test_an_empty_window_has_no_time() -> None:
    assert spent([interval("running", 0, 24)], Span(hour(5), hour(5))) == Times()
    assert spent([interval("running", 0, 24)], Span(hour(5), hour(4))) == Times()


def test_in_seconds() -> None:
    data = spent([interval("running", 8, 9)], Span(hour(8), hour(10))).data()
    assert data["production_s"] == data["unknown_s"] == data["planned_busy_s"] == 3600
    assert data["total_s"] == 7200


@st.composite
def intervals(draw: st.DrawFn) -> list[Interval]:
    """Intervals in order: some abut, some leave a hole, some overlap, some are empty."""
    gaps = draw(st.lists(st.integers(0, 10_000), max_size=15))
    starts = accumulate(gaps, initial=draw(st.integers(-10_000, 10_000)))
    return [
        Interval(
            draw(st.sampled_from(State)),
            MIDNIGHT + timedelta(milliseconds=start * 1000 + draw(st.integers(0, 999))),
            MIDNIGHT + timedelta(seconds=start + draw(st.integers(-5, 10_000))),
            draw(st.booleans()),
            draw(st.sampled_from(("none", "break", "material"))),
            draw(st.sampled_from((None, "WO-1", "WO-2"))),
        )
        for start in starts
    ]


@given(
    intervals=intervals(),
    begins_s=st.integers(-50_000, 100_000),
    length_ms=st.integers(0, 200_000_000),
    calendar=st.sampled_from((None, CALENDAR)),
)
def test_the_parts_add_up_to_the_window(
    intervals: list[Interval], begins_s: int, length_ms: int, calendar: ShiftCalendar | None
) -> None:
    begins = MIDNIGHT + timedelta(seconds=begins_s)
    window = Span(begins, begins + timedelta(milliseconds=length_ms))
    times = spent(sorted(intervals, key=lambda one: one.since), window, calendar)
    assert times.total == window.duration
    assert min(times.data().values()) >= 0


@given(intervals=intervals(), cut_s=st.integers(1, 86_399))
def test_two_windows_are_the_sum_of_their_parts(intervals: list[Interval], cut_s: int) -> None:
    ordered = sorted(intervals, key=lambda one: one.since)
    cut = MIDNIGHT + timedelta(seconds=cut_s)
    parts = [spent(ordered, Span(*edges), CALENDAR) for edges in ((MIDNIGHT, cut), (cut, hour(24)))]
    assert parts[0] + parts[1] == spent(ordered, FRIDAY, CALENDAR)
