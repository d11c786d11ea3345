"""Whose turn it is: one at a time, in the order of asking.

An `asyncio.Lock` that can be had at once without a coroutine, as it nearly always can: a scan
takes two turns, and a thousand devices are scanned each second.

    if not turn.taken_at_once():
        await turn.come()
    try:
        ...
    finally:
        turn.over()
"""

import asyncio
from collections import deque


class Turn:
    """Belongs to one event loop."""

    __slots__ = ("_is_taken", "_waiting")

    def __init__(self) -> None:
        """Nobody has it."""
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] | None = None
        """None until somebody waits: an empty one takes a kilobyte, and there are thousands."""

    @property
    def is_taken(self) -> bool:
        """Whether somebody has it."""
        return self._is_taken

    def taken_at_once(self) -> bool:
        """Take the turn if nobody has it; return whether it is the caller's now."""
        is_free = not self._is_taken
        self._is_taken = True
        return is_free

    async def come(self) -> None:
        """Wait until the turn is the caller's; one who is cancelled has none."""
        if self.taken_at_once():
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.over()
            raise

    def over(self) -> None:
        """Give it to who has waited longest, if anybody has."""
        while self._waiting:
            next_one = self._waiting.popleft()
            if not next_one.done():
                next_one.set_result(None)
                return
        self._is_taken = False
