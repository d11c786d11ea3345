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
        ([(0, A), (1, A)], [(A, 0, 1, 9)]),
        ([(0, A), (1, A), (1.25, B), (1.5, A)], [(A, 0, 1, 1.25), (B, 1.25, 0, 0.25), (
            A, 1.5, 0, 7.5)]),
        ([(0, A), (1, A), CUT, (5, A), (6, A)], [(A, 0, 1, 1.5), (A, 5, 1, 4)]),
        ([(0, A), (1, A), (1.25, B), CUT, (5, C), (6, C)], [
            (A, 0, 1, 1.25), (B, 1.25, 0, 0.5), (C, 5, 1, 4)]),
    ],
)  # fmt: skip
def test_a_polled_state_lasts_from_its_first_sample_to_its_last(
    samples: list[tuple[float, State] | str],
    expected: list[tuple[State, float, float, float]],
) -> None:
    observer = StateObserver(notice_s=0.25)
    for sample in samples:
        if isinstance(sample, str):
            assert observer.last is not None
            observer.cut(observer.last + 0.25, "collector_down")
        else:
            observer.see(*sample)
    assert [(s.state, s.since, s.lasted_s, s.at_most_s) for s in observer.stays(9)] == expected


def test_a_pushed_state_stands_until_the_next() -> None:
    observer = StateObserver(pushed=True)
    observer.see(0, A)
    observer.see(3, B)
    observer.see(3.25, C)
    for now in (3.5, 4.0):
        assert [(s.state, s.since, s.lasted_s, s.at_most_s) for s in observer.stays(now)] == [
            (A, 0, 3, 3),
            (B, 3, 0.25, 0.25),
            (C, 3.25, now - 3.25, now - 3.25),
        ]


def test_blind_from_the_last_sample_to_the_next_and_power_outranks() -> None:
    observer = StateObserver()
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
