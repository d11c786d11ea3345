import asyncio

from gateway.collect.waker import Waker
from gateway.ops.clock import SYSTEM_CLOCK


async def test_who_waits_for_one_moment_wakes_together_and_not_before() -> None:
    waker = Waker(SYSTEM_CLOCK)
    when_s = SYSTEM_CLOCK.mono_s() + 0.05
    woken = await asyncio.gather(*(waker.until(when_s) for _ in range(3)))
    assert woken == [None] * 3
    assert SYSTEM_CLOCK.mono_s() > when_s - 0.002  # event loops count milliseconds


async def test_a_moment_that_is_past_comes_at_once() -> None:
    waker = Waker(SYSTEM_CLOCK)
    async with asyncio.timeout(1):
        await waker.until(SYSTEM_CLOCK.mono_s() - 10)


async def test_one_that_gives_up_takes_nobody_with_it() -> None:
    waker = Waker(SYSTEM_CLOCK)
    when_s = SYSTEM_CLOCK.mono_s() + 0.02
    gone, left = waker.until(when_s), waker.until(when_s)
    gone.cancel()
    await left
    assert left.done()
