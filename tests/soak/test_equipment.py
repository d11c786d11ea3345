"""A million things that happen to one machine, in unbroken lives."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from gateway.domain.equipment import step
from gateway.domain.facts import Fact
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import stamp
from tests.support.anything import Anything, comparing, rules
from tests.support.told import live
from tests.unit.domain.scene import lost, press, seen, started, tick

STEPS = 500_000
ODD: tuple[Any, ...] = (None, True, -1, 2**70, 0.5, 1e300, "x", "")


def happening(chance: Random, second: float, boot: int) -> Fact:
    kind = chance.random()
    if kind < 0.02:
        return lost(second)
    if kind < 0.03:
        return started(second, second - chance.uniform(0, 60), f"boot-{boot}")
    if kind < 0.2:
        return tick(second)
    values: dict[str, Any] = {
        "run": chance.random() < 0.5,
        "ready": chance.random() < 0.5,
        "good_parts": int(second) % 65_536,
        "alarm_word": chance.getrandbits(4) if chance.random() < 0.3 else 0,
    }
    if chance.random() < 0.05:
        odd = chance.choice(ODD)
        values[chance.choice(list(values))] = odd
    return seen(second, **{tag: value for tag, value in values.items() if value is not None})


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_a_long_life_is_told_without_a_hole_and_alike_twice(seed: int) -> None:
    chance, rules = Random(seed), press(min_hold_s=2.0)
    state = again = EquipmentState.new("press-07")
    second, boot, since = 0.0, 0, ""
    active: set[str] = set()
    for _ in range(STEPS):
        second += chance.choice((0.0, 0.1, 0.5, 1.0, 7.0))
        boot += chance.random() < 0.01
        fact = happening(chance, second, boot)
        state, events = step(state, fact, rules)
        again, same = step(again, fact, rules)
        assert events == same
        for event in events:
            data = event.data()
            if event.type == "status" and not data["repeat"]:
                assert stamp(event.at) >= since
                since = stamp(event.at)
            if event.type == "fault" and data["transition"] == "raised":
                assert data["fault_id"] not in active
                active.add(data["fault_id"])
            if event.type == "fault" and data["transition"] == "cleared":
                active.remove(data["fault_id"])
    assert state == again
    assert active == {fault.fault_id for fault in state.durable.faults.values()}


@pytest.mark.soak
@pytest.mark.parametrize("made", [rules, comparing])
@pytest.mark.parametrize("seed", range(3))
def test_anything_may_happen_for_long(made: Callable[[], EquipmentRules], seed: int) -> None:
    live(made(), Anything(seed), 20_000)
