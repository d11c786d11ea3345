"""How many messages may be under way: as many as the line carries in a moment.

- Never more than the broker allows.
- While the broker confirms within ``SLOW_S`` there may be more and more; a confirmation that
  took longer halves it. So on a slow line little is queued, and what is urgent waits behind
  little, whoever else sends.
- Who waits is served in order of asking.
"""

import asyncio
from collections import deque
from collections.abc import Callable

SLOW_S = 2.0
_FIRST = 10.0


class Room:
    """Given out by `enter`, given back by `leave`."""

    def __init__(self, most: int, mono_s: Callable[[], float]) -> None:
        self._most = float(most)
        self._limit = min(_FIRST, self._most)
        self._was_cut = False
        self._cut_at_s = 0.0
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._mono_s = mono_s

    @property
    def limit(self) -> int:
        """How many may be inside."""
        return int(self._limit)

    async def enter(self) -> float:
        """Wait for a place; return what `leave` is to be told."""
        if self._waiting or self._inside >= self.limit:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._inside -= 1
                    self._admit()
                raise
        else:
            self._inside += 1
        return self._mono_s()

    def leave(self, entered_s: float) -> None:
        """Give the place back."""
        self._inside -= 1
        now_s = self._mono_s()
        if now_s - entered_s > SLOW_S:
            if entered_s >= self._cut_at_s:  # the others of that moment tell the same
                self._limit = max(1.0, self._limit / 2)
                self._was_cut, self._cut_at_s = True, now_s
        elif self._limit < self._most:
            more = 1.0 / self._limit if self._was_cut else 1.0
            self._limit = min(self._most, self._limit + more)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._inside += 1
