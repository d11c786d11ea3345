"""How many messages may be under way: as many as the line carries in a moment.

- Never more than the broker allows.
- While the broker confirms within ``SLOW_S`` there may be more and more; a confirmation that
  took longer halves it. So on a slow line little is queued, and what is urgent waits behind
  little, whoever else sends.
- Who waits is served in order of asking.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

SLOW_S = 2.0
_FIRST = 10.0


class Room:
    """Given out by `enter`, given back by `leave` or, unused, by `turn_back`."""

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

    def enter_at_once(self) -> bool:
        """Take a place if there is one and nobody waits for it."""
        if self._waiting or self._inside + 1 > self._limit:
            return False
        self._inside += 1
        return True

    async def enter(self) -> None:
        """Wait for a place."""
        if self.enter_at_once():
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.turn_back()
            raise

    def turn_back(self) -> None:
        """Give a place back that was not used."""
        self._inside -= 1
        self._admit()

    def leave(self, entered_s: Sequence[float]) -> None:
        """Give back the places that were entered at these times, oldest first."""
        self._inside -= len(entered_s)
        now_s = self._mono_s()
        for each_s in entered_s:
            if now_s - each_s > SLOW_S:
                if each_s >= self._cut_at_s:  # the others of that moment tell the same
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
