"""The promises of `simulators.scenario`."""

from itertools import islice, pairwise

import pytest

from simulators.kinds import MACHINES, SERVERS
from simulators.machine import Enter, Machine, Reset, Step
from simulators.scenario import SCENARIOS, Pace


def first_steps(scenario: str, name: str, pace: Pace, count: int = 300) -> list[Step]:
    chosen = SCENARIOS[scenario]
    spec = next(spec for spec in chosen.specs() if spec.name == name)
    return list(islice(chosen.script(spec, 3, pace, iter(())), count))


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_states_are_long_unless_short_on_purpose(scenario: str, speed: float) -> None:
    pace = Pace(interval_s=0.25, hold_s=0.5, speed=speed)
    for name in MACHINES:
        steps = [step for step in first_steps(scenario, name, pace) if isinstance(step.do, Enter)]
        for one, other in pairwise(steps):
            wall_s = (other.at_s - one.at_s) / speed
            assert wall_s >= 3 * (0.25 + 0.5) or wall_s <= 0.5 * 0.25


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_scripts_are_ordered_and_endless(scenario: str) -> None:
    for name in MACHINES:
        steps = first_steps(scenario, name, Pace())
        assert len(steps) == 300
        assert all(one.at_s <= other.at_s for one, other in pairwise(steps))


def test_power_cuts_never_overlap_and_reach_every_server() -> None:
    cuts = list(islice(SCENARIOS["power-off"].power_cuts(1, Pace()), 9))
    assert {cut.server for cut in cuts} == set(SERVERS)
    assert all(one.on_s < other.off_s for one, other in pairwise(cuts))


def test_kill_has_no_resets_and_quick_rollovers() -> None:
    for name in MACHINES:
        steps = first_steps("kill", name, Pace())
        assert not any(isinstance(step.do, Reset) for step in steps)
    chosen = SCENARIOS["kill"]
    spec = next(spec for spec in chosen.specs() if spec.name == "conveyor-01")
    machine = Machine(spec, chosen.script(spec, 1, Pace(), iter(())), "1")
    machine.advance(120)
    assert machine.actual.produced["packages"] > 1.5 * 65536


def test_demo_shows_work_faults_rollover_and_reset_within_half_a_minute() -> None:
    chosen, pace = SCENARIOS["demo"], Pace(0.25, 0.5)
    lives = {}
    for spec in chosen.specs():
        lives[spec.name] = Machine(spec, chosen.script(spec, 1, pace, iter(())), "1")
        lives[spec.name].advance(20)
    assert lives["press-01"].actual.faults
    assert lives["press-01"].actual.produced["good"] > 0
    for life in lives.values():
        life.advance(30)
    assert lives["conveyor-01"].actual.produced["packages"] > 25
    assert lives["press-02"].actual.resets
