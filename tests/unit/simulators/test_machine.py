"""The promises of `simulators.machine`."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.kinds import MACHINES
from simulators.machine import Enter, Machine, Power, Reset, Step, Warn
from simulators.scenario import SCENARIOS, Pace

SPEC = MACHINES["press-01"]


def machine_of(scenario: str, name: str, seed: int = 7) -> Machine:
    chosen, pace = SCENARIOS[scenario], Pace()
    spec = next(spec for spec in chosen.specs() if spec.name == name)
    return Machine(spec, chosen.script(spec, seed, pace, iter(())), f"{seed}")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.001, 9.0), min_size=1, max_size=30), st.sampled_from(sorted(MACHINES)))
def test_life_does_not_depend_on_how_often_one_looks(steps: list[float], name: str) -> None:
    looked_at, left_alone = machine_of("demo", name), machine_of("demo", name)
    at_s = 0.0
    for step in steps:
        at_s += step
        looked_at.advance(at_s)
    left_alone.advance(at_s)
    assert looked_at.actual == left_alone.actual
    assert looked_at.state == left_alone.state


def test_another_seed_is_another_life() -> None:
    one, other = machine_of("demo", "press-01", 1), machine_of("demo", "press-01", 2)
    one.advance(60)
    other.advance(60)
    assert one.actual != other.actual


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@pytest.mark.parametrize("name", sorted(MACHINES))
def test_raw_counters_show_what_was_made_less_resets_and_laps(scenario: str, name: str) -> None:
    machine = machine_of(scenario, name)
    machine.advance(120)
    for counter in machine.spec.counters:
        resets = [done for done in machine.actual.resets if done.counter == counter.name]
        made = machine.actual.produced[counter.name]
        if not resets:
            assert machine.raw(counter.name) == (counter.start_raw + made) % counter.modulus
        else:
            assert machine.raw(counter.name) < resets[-1].raw_before
            assert made >= sum(done.unseen for done in resets)


def test_states_abut_and_never_repeat() -> None:
    machine = machine_of("demo", "cnc-01")
    machine.advance(300)
    spans = machine.actual.states
    assert len(spans) > 10
    for one, other in pairwise(spans):
        assert one.until_s == other.since_s
        assert one.what != other.what
    assert spans[-1].until_s is None


def test_no_fault_comes_twice_within_a_minute() -> None:
    for name in MACHINES:
        machine = machine_of("kill", name)
        machine.advance(900)
        for one in machine.actual.faults:
            again = [
                other.since_s
                for other in machine.actual.faults
                if other.what == one.what and other.since_s > one.since_s
            ]
            assert one.until_s is None or all(at_s > one.until_s + 60 for at_s in again)


def test_stopping_fault_goes_with_its_state_and_a_warning_stays() -> None:
    script = [
        Step(1.0, Enter("running")),
        Step(2.0, Warn(12, on=True)),
        Step(3.0, Enter("fault", 2)),
        Step(4.0, Enter("running")),
        Step(5.0, Warn(12, on=False)),
    ]
    machine = Machine(SPEC, script, "x")
    machine.advance(3.5)
    assert machine.faults == {2, 12}
    machine.advance(4.5)
    assert machine.faults == {12}
    machine.advance(6)
    assert [(span.what, span.since_s, span.until_s) for span in machine.actual.faults] == [
        ("P12", 2.0, 5.0),
        ("P02", 3.0, 4.0),
    ]


def test_reset_loses_the_steps_before_it_and_ignores_a_small_counter() -> None:
    script = [
        Step(1.0, Reset("good", unseen=3, at_least=10)),
        Step(2.0, Reset("good", unseen=3, at_least=10)),
    ]
    machine = Machine(SPEC, script, "x")
    machine.advance(1)
    assert (machine.raw("good"), machine.actual.produced["good"]) == (0, 3)
    machine.advance(3)
    assert machine.resets["good"] == 1
    assert [done.raw_before for done in machine.actual.resets] == [48_203]


def test_without_power_nothing_is_made_and_memory_is_kept() -> None:
    script = [
        Step(0.0, Enter("running")),
        Step(10.0, Power(on=False)),
        Step(15.0, Enter("fault", 2)),
        Step(20.0, Power(on=True)),
    ]
    machine = Machine(SPEC, script, "x")
    machine.advance(10)
    made, raw = dict(machine.actual.produced), machine.raw("good")
    machine.advance(19.9)
    assert machine.actual.states[-1].what == "stopped"
    assert (machine.actual.produced, machine.raw("good")) == (made, raw)
    machine.advance(20)
    assert machine.actual.states[-1].what == "fault"
    assert machine.faults == {2}
    assert [(span.since_s, span.until_s) for span in machine.actual.power_off] == [(10.0, 20.0)]
