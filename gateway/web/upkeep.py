"""What is worked out for the board now and then: while somebody looks, and when somebody asks.

- It takes a twentieth of the time at most, however long the journal is to look through.
- Who asks for tiles waits until what they say is that young; who opens a stream does not wait, and
  is shown nothing rather than what is old.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable

REST = 20
"""So many times as long as it took it rests."""


class Upkeep:
    """One piece of work and when it was done last."""

    def __init__(
        self,
        work: Callable[[], Awaitable[None]],
        forget: Callable[[], None],
        *,
        every_s: float,
        mono_s: Callable[[], float],
    ) -> None:
        """Let ``forget`` take back what ``work`` gave the board."""
        self._work = work
        self._forget = forget
        self._every_s = every_s
        self._mono_s = mono_s
        self._lock = asyncio.Lock()
        self._done_s = -math.inf
        self._lasts_s = every_s

    async def at_hand(self) -> None:
        """Do the work if it was not done lately; whoever comes meanwhile waits for the same."""
        async with self._lock:
            began_s = self._mono_s()
            if began_s - self._done_s < self._lasts_s:
                return
            await self._work()
            self._done_s = self._mono_s()
            self._lasts_s = max(self._every_s, REST * (self._done_s - began_s))

    def forget_if_old(self) -> None:
        """Take back what was true twice as long ago as it lasts."""
        if self._mono_s() - self._done_s >= 2 * self._lasts_s:
            self._forget()
