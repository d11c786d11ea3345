from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import TagGroup
from gateway.collect.schedule import TICK_S, after_read, due_now, first_due

FAST = TagGroup("fast", 0.25, frozenset({"a"}))
SLOW = TagGroup("slow", 10.0, frozenset({"b"}))
PUSHED = TagGroup("pushed", None, frozenset({"c"}))


def test_everything_polled_is_due_at_once() -> None:
    due = first_due([FAST, SLOW, PUSHED], 100.0)
    assert due == {FAST: 100.0, SLOW: 100.0}
    assert due_now(due, 100.0) == [FAST, SLOW]


def test_a_group_keeps_its_own_interval() -> None:
    due = after_read(first_due([FAST, SLOW], 100.0), [FAST, SLOW], 100.0, 0.0)
    assert due == {FAST: 100.25, SLOW: 110.0}
    assert due_now(due, 101.0) == [FAST]
    assert after_read(due, [FAST], 101.0, 0.0) == {FAST: 101.25, SLOW: 110.0}


def test_missed_slots_are_skipped_not_caught_up() -> None:
    assert after_read({FAST: 100.25}, [FAST], 107.1, 0.0) == {FAST: 107.25}


@given(
    now_s=st.floats(0, 1e7),
    share=st.floats(0, 1, exclude_max=True),
    interval_s=st.sampled_from([0.05, 0.25, 1.0, 2.5, 60.0]),
)
def test_the_next_slot_is_ahead_by_at_most_one_interval(
    now_s: float, share: float, interval_s: float
) -> None:
    group = TagGroup("g", interval_s, frozenset())
    (when_s,) = after_read({group: now_s}, [group], now_s, share).values()
    assert now_s < when_s <= now_s + interval_s + 1e-6


@given(share=st.floats(0, 1, exclude_max=True))
def test_slow_scans_start_on_a_common_grid(share: float) -> None:
    group = TagGroup("g", 1.0, frozenset())
    (when_s,) = after_read({group: 0.0}, [group], 0.0, share).values()
    assert abs(when_s / TICK_S - round(when_s / TICK_S)) < 1e-6
