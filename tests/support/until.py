"""Wait for a condition instead of sleeping a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.005


async def until(condition: Callable[[], object], *, timeout_s: float = 90.0) -> None:
    """Return as soon as condition() is true; TimeoutError after timeout_s."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not true within {timeout_s} s")
        await asyncio.sleep(POLL_S)


async def until_told(
    ask: Callable[[], Awaitable[T]], right: Callable[[T], object], *, timeout_s: float = 90.0
) -> T:
    """Ask until the answer is right, and return it; AssertionError with the last one."""
    deadline_s = time.monotonic() + timeout_s
    while not right(answer := await ask()):
        assert time.monotonic() < deadline_s, answer
    return answer
