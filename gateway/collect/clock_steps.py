"""Noticing that somebody set the wall clock.

Wall time is for stamping, monotonic time for measuring: where the two drift apart by more
than `STEP_S` between two looks, the stamps before and after do not compare.
"""

from collections.abc import Awaitable, Callable
from typing import NoReturn

from gateway.ops.clock import Clock

LOOK_S = 1.0
STEP_S = 1.0


async def watch_clock(
    clock: Clock,
    on_step: Callable[[int], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]],
) -> NoReturn:
    """Look every `LOOK_S` and give each step to ``on_step``, in milliseconds forward."""
    ahead_s = _ahead_s(clock)
    while True:
        await sleep(LOOK_S)
        now_s = _ahead_s(clock)
        if abs(now_s - ahead_s) > STEP_S:
            await on_step(round((now_s - ahead_s) * 1000))
        ahead_s = now_s


def _ahead_s(clock: Clock) -> float:
    return clock.now().timestamp() - clock.mono_s()
