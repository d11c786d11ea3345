"""One timer for everybody who waits for the same moment.

A thousand links that start on a grid of 0.1 s need ten timers a second, not a thousand.
"""

import asyncio

from gateway.ops.clock import Clock


class Waker:
    """Wakes whoever waits; used from one event loop."""

    def __init__(self, clock: Clock) -> None:
        """``clock`` is the one the moments are of."""
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[float, list[asyncio.Future[None]]] = {}

    def until(self, when_s: float) -> asyncio.Future[None]:
        """Return what is done at the monotonic moment ``when_s``, or soon if that is past."""
        loop = self._loop = self._loop or asyncio.get_running_loop()  # which asks the system
        future: asyncio.Future[None] = loop.create_future()
        others = self._waiting.get(when_s)
        if others is None:
            others = self._waiting[when_s] = []
            loop.call_later(max(0.0, when_s - self._clock.mono_s()), self._wake, when_s)
        others.append(future)
        return future

    def _wake(self, when_s: float) -> None:
        for future in self._waiting.pop(when_s):
            if not future.done():  # cancelled
                future.set_result(None)
