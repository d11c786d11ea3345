"""A million readings of registers that wrap, are reset, torn and out of reach."""

from random import Random

import pytest

from tests.support.register import Register, actions

STEPS = 250_000


@pytest.mark.soak
@pytest.mark.parametrize("modulus", [10_000, 65_536, 2**32, None])
def test_everything_made_is_accounted_for(modulus: int | None) -> None:
    register = Register(modulus=modulus)
    register.play(actions(Random(modulus), STEPS))
    register.settle()
    told = register.total + register.refused + register.withheld + register.uncovered
    assert told == register.made
    assert register.taken_for_rollover <= register.made / 1000
