from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.fault_stats import Occurrence, failures, pareto, reliability
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import State
from gateway.domain.worktime import Interval
from tests.unit.domain.scene import at

HOUR = Span(at(0), at(3600))


def fault(
    code: str,
    raised: float,
    cleared: float | None,
    acked: float | None = None,
    *,
    stops: bool = True,
    raises: int = 1,
) -> Occurrence:
    return Occurrence(
        code,
        at(raised),
        None if cleared is None else at(cleared),
        None if acked is None else at(acked),
        stops,
        raises,
    )


def states(*begins: tuple[float, str], until: float = 3600) -> list[Interval]:
    """Abutting intervals: when each state begins."""
    ends = [second for second, _ in begins[1:]] + [until]
    return [
        Interval(State(state), at(second), at(end))
        for (second, state), end in zip(begins, ends, strict=True)
    ]


LIFE = states(
    (0, "running"), (600, "fault"), (900, "idle"), (960, "running"), (2000, "fault"),
    (2100, "running"),
)  # fmt: skip


def test_every_figure_of_two_failures() -> None:
    found = reliability(
        [fault("E1", 600, 900, acked=660), fault("E2", 2000, 2100, acked=2020)], LIFE, HOUR
    )
    assert (found.operating_s, found.unknown_s, found.failures) == (3140, 0, 2)
    assert found.mtbf_s == 1570
    assert (found.mttr_s, found.repaired) == (200, 2)
    assert (found.response_s, found.acknowledged) == (40, 2)
    assert (found.repair_s, found.mended) == (160, 2)
    assert (found.restart_s, found.restarted) == (30, 2)
    assert found.availability == pytest.approx(1570 / 1770)


def test_figures_are_json() -> None:
    one = fault("E1", 600, 900, acked=660)
    assert reliability([one], LIFE, HOUR).data()["mttr_s"] == 300
    (row,) = pareto([one], HOUR)
    assert row.data() == {
        "equipment": one.equipment,
        "code": "E1",
        "occurrences": 1,
        "raises": 1,
        "duration_s": 300,
        "share": 1,
        "cumulative": 1,
    }


def test_nothing_has_no_figures() -> None:
    for of in ([], LIFE):
        found = reliability([], of, HOUR)
        assert found.failures == 0
        means = {found.mtbf_s, found.mttr_s, found.response_s, found.repair_s, found.restart_s}
        assert means == {None}
        assert found.availability is None


def test_a_machine_that_never_ran_has_no_time_between_failures() -> None:
    found = reliability([fault("E1", 10, 20)], states((0, "idle"), (10, "fault")), HOUR)
    assert (found.failures, found.mtbf_s, found.availability) == (1, None, None)
    assert (found.mttr_s, found.restart_s) == (10, None)


def test_a_failure_that_goes_on_is_a_failure_without_a_repair() -> None:
    found = reliability([fault("E1", 2000, None)], LIFE, HOUR)
    assert (found.failures, found.mttr_s, found.response_s, found.restart_s) == (
        1,
        None,
        None,
        None,
    )
    assert found.mtbf_s == 3140


@pytest.mark.parametrize(
    "one", [fault("E1", 700, 800, stops=False), fault("E1", 1000, 1100)], ids=["warning", "ran on"]
)
def test_what_did_not_stop_the_machine_is_no_failure(one: Occurrence) -> None:
    assert failures([one], LIFE) == []


def test_raises_of_one_code_close_together_are_one_failure() -> None:
    parts = [fault("E1", 600, 650), fault("E1", 709, 800, acked=720, raises=3)]
    assert failures(parts, LIFE) == [fault("E1", 600, 800, acked=720, raises=4)]
    assert len(failures(parts, LIFE, merge_s=59)) == 2
    assert len(failures([fault("E1", 600, 650), fault("E2", 651, 800)], LIFE)) == 2


def test_one_code_on_two_bits_is_one_failure_while_any_is_there() -> None:
    parts = [fault("E1", 600, None), fault("E1", 700, 800)]
    assert failures(parts, LIFE) == [fault("E1", 600, None, raises=2)]


def test_a_failure_belongs_to_the_span_it_began_in() -> None:
    early, late = Span(at(0), at(700)), Span(at(700), at(3600))
    one = [fault("E1", 600, 900)]
    assert reliability(one, LIFE, early).mttr_s == 300
    assert reliability(one, LIFE, late).failures == 0


def test_unknown_time_is_in_no_mean() -> None:
    life = states((0, "running"), (600, "fault"), (700, "offline"), (900, "running"))
    found = reliability([fault("E1", 600, 900, acked=610)], life, HOUR)
    assert (found.failures, found.unknown_s, found.operating_s) == (1, 200, 3300)
    assert (found.mttr_s, found.restart_s, found.repaired) == (None, None, 0)
    assert found.response_s == 10


def test_a_restart_through_unknown_time_is_not_measured() -> None:
    life = states((0, "running"), (600, "fault"), (700, "idle"), (750, "offline"), (900, "running"))
    found = reliability([fault("E1", 600, 700)], life, HOUR)
    assert (found.mttr_s, found.restart_s) == (100, None)


def test_pareto() -> None:
    rows = pareto(
        [
            fault("E1", 0, 100),
            fault("E2", 200, 500, raises=4),
            fault("E2", 3500, None),
            fault("W1", 300, 300, stops=False),
            fault("E1", -100, 100, raises=9),
            fault("E9", 4000, 5000),
        ],
        HOUR,
    )
    assert [(row.code, row.occurrences, row.raises, row.duration_s) for row in rows] == [
        ("E2", 2, 5, 400),
        ("E1", 1, 1, 200),
        ("W1", 1, 1, 0),
    ]
    assert [row.share for row in rows] == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0]
    assert [row.cumulative for row in rows] == [pytest.approx(2 / 3), 1, 1]


def test_the_same_code_of_two_machines_is_two_rows() -> None:
    here, there = fault("E1", 0, 100), replace(fault("E1", 0, 300), equipment="oven-01")
    rows = pareto([here, there], HOUR)
    assert [(row.equipment, row.code, row.share) for row in rows] == [
        ("oven-01", "E1", 0.75),
        ("", "E1", 0.25),
    ]


def test_acknowledged_after_the_end_is_a_response_and_no_repair() -> None:
    found = reliability([fault("E1", 600, 900, acked=1000)], LIFE, HOUR)
    assert (found.response_s, found.repair_s, found.mended) == (400, None, 0)


def test_time_before_the_first_state_is_unknown() -> None:
    assert reliability([], states((600, "running")), HOUR).unknown_s == 600


def test_a_clock_that_was_set_back_counts_no_time_twice() -> None:
    life = states((0, "running"), until=2000) + states((1000, "idle"))
    found = reliability([], life, HOUR)
    assert (found.operating_s, found.unknown_s) == (1000, 0)


def test_a_pareto_of_no_time_has_no_shares() -> None:
    assert pareto([], HOUR) == []
    (row,) = pareto([fault("E1", 5, 5)], HOUR)
    assert (row.occurrences, row.share, row.cumulative) == (1, None, None)


SECONDS = st.integers(0, 3600)


@st.composite
def lives(draw: st.DrawFn) -> list[Interval]:
    begins = sorted(draw(st.sets(st.integers(1, 3599), max_size=8)))
    names = [draw(st.sampled_from(list(State))).value for _ in range(len(begins) + 1)]
    return states(*zip([0, *begins], names, strict=True))


@st.composite
def histories(draw: st.DrawFn) -> list[Occurrence]:
    found = []
    for _ in range(draw(st.integers(0, 6))):
        raised = draw(SECONDS)
        cleared = draw(st.none() | st.integers(raised, 3700))
        acked = draw(st.none() | st.integers(raised, 3700))
        code = draw(st.sampled_from(["E1", "E2"]))
        found.append(fault(code, raised, cleared, acked, stops=draw(st.booleans())))
    return found


def seconds(of: Iterable[Interval], state: State) -> float:
    spans = [one.until - one.since for one in of if one.state is state]
    return sum(spans, timedelta()).total_seconds()


@given(histories(), lives(), st.integers(1, 3599))
def test_figures_are_in_their_bounds_and_spans_add_up(
    faults: list[Occurrence], life: list[Interval], cut: int
) -> None:
    whole = reliability(faults, life, HOUR)
    parts = [reliability(faults, life, span) for span in (
        Span(at(0), at(cut)), Span(at(cut), at(3601))
    )]  # fmt: skip
    at_the_end = reliability(faults, life, Span(at(3600), at(3601))).failures
    assert whole.operating_s == seconds(life, State.RUNNING)
    assert whole.unknown_s == pytest.approx(seconds(life, State.OFFLINE))
    assert sum(part.operating_s for part in parts) == whole.operating_s
    assert sum(part.failures for part in parts) == whole.failures + at_the_end
    for found in (whole, *parts):
        assert (found.mttr_s is None) == (found.repaired == 0)
        assert (found.response_s is None) == (found.acknowledged == 0)
        assert (found.restart_s is None) == (found.restarted == 0)
        assert found.repaired <= found.failures
        for figure in (found.mttr_s, found.response_s, found.restart_s):
            assert figure is None or figure >= 0
        if found.mtbf_s is not None:
            assert found.mtbf_s * found.failures == pytest.approx(found.operating_s)
            assert found.mtbf_s > 0
        if found.availability is not None:
            assert 0 < found.availability <= 1


@given(histories(), lives(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    faults: list[Occurrence], life: list[Interval], chance: Random
) -> None:
    shuffled, mixed = list(faults), list(life)
    chance.shuffle(shuffled)
    chance.shuffle(mixed)
    assert reliability(shuffled, mixed, HOUR) == reliability(faults, life, HOUR)
    assert pareto(shuffled, HOUR) == pareto(faults, HOUR)


@given(histories())
def test_the_shares_of_a_pareto_are_all_of_it(faults: list[Occurrence]) -> None:
    rows = pareto(faults, HOUR)
    durations = [row.duration_s for row in rows]
    assert durations == sorted(durations, reverse=True)
    shares = [row.share for row in rows if row.share is not None]
    if shares:
        assert sum(shares) == pytest.approx(1)
        assert rows[-1].cumulative == pytest.approx(1)
    else:
        assert sum(durations) == 0
