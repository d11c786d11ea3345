"""Whatever is fed to `step`: no exception, and what comes out is what the contract says."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.equipment import step
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState
from tests.support.anything import Anything, comparing, rules
from tests.support.told import live


@pytest.mark.parametrize("made", [rules, comparing])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 60))
def test_nothing_makes_it_raise_or_break_the_contract(
    made: Callable[[], EquipmentRules], seed: int, steps: int
) -> None:
    live(made(), Anything(seed), steps)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 100))
def test_nor_does_what_no_driver_may_bring(seed: int, steps: int) -> None:
    chance, state = Anything(seed, lawful=False), EquipmentState.new("press-07")
    for _ in range(steps):
        state, _ = step(state, chance.fact([]), rules())
