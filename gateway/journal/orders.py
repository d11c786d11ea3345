"""Orders on their way from the event loop to the writer, and who waits for them."""

import asyncio
from collections.abc import Callable

from gateway.journal.errors import JournalError
from gateway.journal.writer import Order, Waiter, Writer

_TURNS = 8
"""A burst may last so many turns of the loop before it is written: a few milliseconds."""


class Orders:
    """Belongs to one event loop."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over nothing yet."""
        self._writer = writer
        self._loop = loop
        self._collected: list[Order] = []
        self._waiting: set[Waiter] = set()

    def place(self, order: Callable[[Waiter], Order]) -> Waiter:
        """Hand over an order; what is returned is done when it was carried out."""
        waiter: Waiter = self._loop.create_future()
        self._waiting.add(waiter)
        self.submit(order(waiter))
        return waiter

    def submit(self, order: Order) -> None:
        """Hand over an order that nobody waits for."""
        if not self._collected:
            self._loop.call_soon(self._hand_over, 0, _TURNS)
        self._collected.append(order)

    def settle(self, waiter: Waiter, result: list[int] | JournalError) -> None:
        """Tell who waits."""
        self._waiting.discard(waiter)
        if waiter.done():  # its caller was cancelled
            return
        if isinstance(result, JournalError):
            waiter.set_exception(result)
            waiter.exception()  # read once, or asyncio complains where nobody awaits it
        else:
            waiter.set_result(result)

    def settle_all(self, error: JournalError) -> None:
        """Tell everybody who still waits."""
        for waiter in tuple(self._waiting):
            self.settle(waiter, error)

    def _hand_over(self, seen: int, turns: int) -> None:
        """Hand over together what comes in turns of the loop without a pause between them.

        Each hand-over wakes a thread and is a transaction; devices answer in bursts.
        """
        if len(self._collected) > seen and turns:
            self._loop.call_soon(self._hand_over, len(self._collected), turns - 1)
            return
        orders, self._collected = self._collected, []
        self._writer.submit(orders)
