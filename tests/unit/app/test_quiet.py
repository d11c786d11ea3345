import sys

import pytest

from gateway.app.quiet import TURN_S, quietly


async def test_turns_are_short_for_as_long_as_the_work_lasts() -> None:
    usual_s = sys.getswitchinterval()
    assert await quietly(sys.getswitchinterval) == pytest.approx(TURN_S)
    assert sys.getswitchinterval() == usual_s

    def fail(reason: str) -> None:
        raise ValueError(reason)

    with pytest.raises(ValueError, match="no"):
        await quietly(fail, "no")
    assert sys.getswitchinterval() == usual_s
