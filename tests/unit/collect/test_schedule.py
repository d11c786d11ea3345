from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import TagGroup
from gateway.collect.schedule import TICK_S, Schedule

FAST = TagGroup("fast", 0.25, frozenset({"a"}))
SLOW = TagGroup("slow", 10.0, frozenset({"b"}))
PUSHED = TagGroup("pushed", None, frozenset({"c"}))


def test_everything_polled_is_due_at_once() -> None:
    assert Schedule([FAST, SLOW, PUSHED], 100.0, 0.0).due(100.0) == [FAST, SLOW]


def test_a_group_keeps_its_own_interval() -> None:
    schedule = Schedule([FAST, SLOW], 100.0, 0.0)
    assert schedule.after([FAST, SLOW], 100.0) == 100.25
    assert schedule.due(101.0) == [FAST]
    assert schedule.after([FAST], 109.8) == 110.0
    assert schedule.due(110.0) == [FAST, SLOW]


def test_missed_slots_are_skipped_not_caught_up() -> None:
    assert Schedule([FAST], 100.25, 0.0).after([FAST], 107.1) == 107.25


@given(
    now_s=st.floats(0, 1e7),
    share=st.floats(0, 1, exclude_max=True),
    interval_s=st.sampled_from([0.05, 0.25, 1.0, 2.5, 60.0]),
)
def test_the_next_slot_is_ahead_by_at_most_one_interval(
    now_s: float, share: float, interval_s: float
) -> None:
    group = TagGroup("g", interval_s, frozenset())
    when_s = Schedule([group], now_s, share).after([group], now_s)
    assert now_s < when_s <= now_s + interval_s + 1e-6


@given(share=st.floats(0, 1, exclude_max=True))
def test_slow_scans_start_on_a_common_grid(share: float) -> None:
    group = TagGroup("g", 1.0, frozenset())
    when_s = Schedule([group], 0.0, share).after([group], 0.0)
    assert abs(when_s / TICK_S - round(when_s / TICK_S)) < 1e-6
