"""Waiting for something to become true, without guessing how long it takes."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Return as soon as ``condition()`` is true; fail when it is not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"not true after {timeout_s} s"
            raise AssertionError(message)
        await asyncio.sleep(0.005)
