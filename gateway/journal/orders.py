"""Orders on their way from the event loop to the writer, and who waits for them."""

import asyncio
from collections.abc import Iterable

from gateway.journal.errors import JournalError
from gateway.journal.writer import Order, Placed, Waiter, Writer

_TURNS = 8
"""A burst may last so many turns of the loop before it is written: a few milliseconds."""


class Orders:
    """Belongs to one event loop."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over nothing yet."""
        self._writer = writer
        self._loop = loop
        self._collected: list[Placed] = []
        self._waiting: set[Waiter] = set()

    def place(self, order: Order) -> Waiter:
        """Hand over an order; what is returned is done when it was carried out."""
        waiter: Waiter = self._loop.create_future()
        self._waiting.add(waiter)
        if not self._collected:
            self._loop.call_soon(self._hand_over, 0, _TURNS)
        self._collected.append((order, waiter))
        return waiter

    def settle(self, settled: Iterable[tuple[Waiter, list[int] | JournalError]]) -> None:
        """Tell those who wait what came of it."""
        for waiter, result in settled:
            self._waiting.discard(waiter)
            if waiter.done():  # its caller was cancelled
                continue
            if isinstance(result, JournalError):
                waiter.set_exception(result)
                waiter.exception()  # read once, or asyncio complains where nobody awaits it
            else:
                waiter.set_result(result)

    def settle_all(self, error: JournalError) -> None:
        """Tell everybody who still waits."""
        self.settle([(waiter, error) for waiter in self._waiting])

    def _hand_over(self, seen: int, turns: int) -> None:
        """Hand over together what comes in turns of the loop without a pause between them.

        Each hand-over wakes a thread and is a transaction; devices answer in bursts.
        """
        if len(self._collected) > seen and turns:
            self._loop.call_soon(self._hand_over, len(self._collected), turns - 1)
            return
        orders, self._collected = self._collected, []
        self._writer.submit(orders)
