import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.epoch import draw_epoch

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def test_it_is_seconds_and_four_random_digits_in_base_36() -> None:
    assert draw_epoch(datetime(2026, 3, 20, 1, 1, 29, tzinfo=UTC), lambda _: 35) == "tc6auh-000z"
    assert int("tc6auh", 36) == 1_773_968_489


def test_it_has_its_width_also_before_the_clock_is_set() -> None:
    assert draw_epoch(datetime(1970, 1, 1, tzinfo=UTC), lambda _: 0) == "000000-0000"


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2), st.integers(0, 36**4 - 1))
def test_epochs_sort_as_they_were_drawn_whatever_the_clock_does(
    steps_s: list[int], number: int
) -> None:
    epochs = [draw_epoch(NOW, lambda _: number)]
    for step_s in steps_s:
        at = NOW + timedelta(seconds=step_s)
        epochs.append(draw_epoch(at, lambda _: number, after=epochs[-1]))
    assert epochs == sorted(set(epochs))
    assert all(re.fullmatch(r"[0-9a-z]{6}-[0-9a-z]{4}", epoch) for epoch in epochs)
