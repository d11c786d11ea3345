import asyncio
import contextlib
from datetime import datetime, timedelta

import pytest

from gateway.collect.clock_steps import LOOK_S, watch_clock
from tests.support.clock import MORNING


class SetClock:
    """A wall clock that is set by a script, one entry for each look."""

    def __init__(self, ahead_s: list[float]) -> None:
        self._ahead_s = ahead_s
        self._looks = 0

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self._looks * LOOK_S + self._ahead_s[self._looks])

    def mono_s(self) -> float:
        return self._looks * LOOK_S

    async def sleep(self, seconds: float) -> None:
        assert seconds == LOOK_S
        self._looks += 1
        if self._looks == len(self._ahead_s):
            raise asyncio.CancelledError


@pytest.mark.fault(
    23,
    injection="the wall clock jumps, or is slewed, against the monotonic one",
    expectation="a step is told once, slewing never",
)
@pytest.mark.fault(
    25,
    injection="a leap second: the wall clock falls back by one second",
    expectation="no step is told",
)
@pytest.mark.parametrize(
    ("ahead_s", "steps_ms"),
    [
        ([0, 0, 0], []),
        ([0, 3600, 3600], [3_600_000]),
        ([0, -1800, 0], [-1_800_000, 1_800_000]),
        ([0, -1, -1], []),
        ([0, 0.4, 0.8, 1.2], []),  # it is slewed, as NTP does
    ],
)
async def test_a_step_is_told_once_and_a_drift_never(
    ahead_s: list[float], steps_ms: list[int]
) -> None:
    told: list[int] = []
    clock = SetClock(ahead_s)

    async def note(step_ms: int) -> None:
        told.append(step_ms)

    with contextlib.suppress(asyncio.CancelledError):
        await watch_clock(clock, note, clock.sleep)
    assert told == steps_ms
