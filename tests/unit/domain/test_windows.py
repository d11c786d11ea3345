from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.shifts import Span
from gateway.domain.windows import days, hours

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
BEGINS = datetime(2026, 3, 28, 20, 30, tzinfo=UTC)


def test_the_day_of_the_change_is_an_hour_shorter() -> None:
    found = dict(days(BERLIN, Span(BEGINS, BEGINS + timedelta(days=2)), time(6)))
    assert list(found) == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert found["2026-03-28"] == Span(BEGINS, datetime(2026, 3, 29, 4, tzinfo=UTC))
    assert found["2026-03-29"].duration == timedelta(hours=24)


def test_hours_have_the_names_of_the_clock_on_the_wall() -> None:
    found = list(hours(KATHMANDU, Span(BEGINS, BEGINS + timedelta(hours=1))))
    assert [name for name, _ in found] == ["2026-03-29T02:00+05:45", "2026-03-29T03:00+05:45"]
    assert [span.duration for _, span in found] == [timedelta(minutes=45), timedelta(minutes=15)]


@pytest.mark.parametrize("zone", [BERLIN, KATHMANDU])
@given(minutes=st.integers(0, 10_000), length=st.integers(1, 10_000), starts=st.integers(0, 23))
def test_windows_abut_and_cover_the_span(
    zone: ZoneInfo, minutes: int, length: int, starts: int
) -> None:
    begins = BEGINS + timedelta(minutes=minutes)
    span = Span(begins, begins + timedelta(minutes=length))
    for named in (list(hours(zone, span)), list(days(zone, span, time(starts)))):
        windows = [window for _, window in named]
        assert windows[0].begins == span.begins
        assert windows[-1].ends == span.ends
        assert all(one.ends == other.begins for one, other in pairwise(windows))
        assert len({name for name, _ in named}) == len(named)
