"""The promises of `simulators.observer`, as tables of samples."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.machine import CounterSpec, State
from simulators.observer import CounterObserver, FaultObserver, StateObserver

COUNTER = CounterSpec("good", "good", "good", 65536)

CUT = "cut"
A: State = "running"
B: State = "idle"
C: State = "fault"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([(0, A), (1, A)], [(A, 0, False)]),
        ([(0, A), (1, A), (1.25, B), (1.5, A)], [(A, 0, False)]),
        ([(0, A), (1, A), (1.25, B), (2.25, B), (2.5, C), (3.5, C)], [
            (A, 0, False), (B, 1.25, False), (C, 2.5, False)]),
        ([(0, A), (1, A), (1.25, B), (1.65, B), (1.9, A), (9, A)], [
            (A, 0, False), (B, 1.25, True), (A, 1.9, False)]),
        ([(0, A), (1, A), CUT, (5, A), (6, A)], [(A, 0, False), (A, 5, False)]),
        ([(0, A), (1, A), (1.2, B), CUT, (5, C), (6, C)], [(A, 0, False), (C, 5, False)]),
        ([(0, A), (0.25, A), (0.4, B), (2, B)], [(B, 0.4, False)]),
    ],
)  # fmt: skip
def test_a_polled_state_is_believed_once_it_was_served_for_the_hold_time(
    samples: list[tuple[float, State] | str], expected: list[tuple[State, float, bool]]
) -> None:
    observer = StateObserver(hold_s=0.5)
    for sample in samples:
        if isinstance(sample, str):
            assert observer.last is not None
            observer.cut(observer.last + 0.1, "collector_down")
        else:
            observer.see(*sample)
    assert [(b.state, b.since, b.optional) for b in observer.believed(9.0)] == expected


def test_a_pushed_state_stands_until_the_next() -> None:
    observer = StateObserver(hold_s=0.5, pushed=True)
    observer.see(0, A)
    observer.see(3, B)
    observer.see(3.2, C)
    assert [(b.state, b.since) for b in observer.believed(3.5)] == [(A, 0)]
    assert [(b.state, b.since) for b in observer.believed(4.0)] == [(A, 0), (C, 3.2)]


def test_blind_from_the_last_sample_to_the_next_and_power_outranks() -> None:
    observer = StateObserver(hold_s=0.5)
    observer.cut(0, "collector_down")
    observer.see(1, A)
    observer.cut(1.5, "collector_down")
    observer.cut(1.6, "power_off")
    observer.cut(1.7, "collector_down")
    observer.see(7, A)
    assert [(b.since, b.until, b.why) for b in observer.blind] == [(1, 7, "power_off")]


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=50), st.integers(0, 65535))
def test_parts_are_the_true_differences_across_laps(made: list[int], start: int) -> None:
    observer = CounterObserver(replace(COUNTER, start_raw=start))
    produced = 0
    for at, more in enumerate(made):
        produced += more
        observer.see(at, (start + produced) % 65536, produced, 0)
    assert observer.steps == sum(made[1:])
    assert not observer.uncovered


def test_across_a_reset_only_the_new_value_is_known() -> None:
    observer = CounterObserver(COUNTER)
    observer.see(0, 100, 0, 0)
    observer.see(1, 104, 4, 0)
    observer.see(2, 2, 9, 1)
    assert observer.steps == 6
    assert [(lost.steps, lost.anomaly, lost.at) for lost in observer.uncovered] == [(3, "reset", 2)]


def test_a_whole_lap_nobody_saw_is_named() -> None:
    observer = CounterObserver(COUNTER)
    observer.see(0, 10, 0, 0)
    observer.see(900, 15, 65541, 0)
    assert observer.steps == 5
    assert [(lost.steps, lost.anomaly) for lost in observer.uncovered] == [
        (65536, "rollover_ambiguous")
    ]


def test_a_fault_is_one_occurrence_from_first_to_last_sight() -> None:
    observer = FaultObserver()
    for at, shown in enumerate([set(), {1}, {1, 2}, {1}, set(), {1}]):
        observer.see(at, frozenset(shown))
    assert [(o.number, o.raised, o.cleared) for o in observer.occurrences] == [
        (1, 1, 4),
        (2, 2, 3),
        (1, 5, None),
    ]
