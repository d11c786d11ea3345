"""Running a part of the publisher beside a test."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running(*parts: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run coroutines; cancel what is left of them."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Waits:
    """A sleep that never ends by itself and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self._woken: list[asyncio.Event] = []

    async def sleep(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        event = asyncio.Event()
        self._woken.append(event)
        await event.wait()

    def wake(self) -> None:
        """End all sleeps so far."""
        woken, self._woken = self._woken, []
        for event in woken:
            event.set()
