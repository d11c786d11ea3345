"""What a session watches: items, messages, and the care that neither dies unseen.

Promises:

- Silence is not taken for health: before ``keepalive_s`` is over the server has sent
  something or has confirmed that every subscription still exists.
- Each ``supervise_s`` the items that are wanted are compared with those that speak
  (`drivers.opcua.supervisor`); a dead one is made anew, a dead subscription ends the session.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from drivers.contract import Rejected
from drivers.opcua.batches import Arrival
from drivers.opcua.items import Items
from drivers.opcua.publishing import Publishing
from drivers.opcua.services import Connection, Message
from drivers.opcua.supervisor import Supervisor

_ASK_BACK = 0.9
"""Share of ``keepalive_s`` after which a silent server is asked whether it lives."""


class Subscription:
    """What is wanted of one session, and its messages one by one."""

    def __init__(
        self,
        connection: Connection,
        items: Items,
        *,
        keepalive_s: float,
        supervise_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.items = items
        self._connection = connection
        self._keepalive_s = keepalive_s
        self._supervise_s = supervise_s
        self._monotonic = monotonic
        self._publishing = Publishing(connection, keepalive_s=keepalive_s, monotonic=monotonic)
        self._supervisor = Supervisor(supervise_s, connection.limits.read_size, monotonic)
        self._confirm_at_s = monotonic() + supervise_s

    async def start(self) -> None:
        """Ask for every node."""
        await self.items.start()

    def acknowledge(self, messages: Sequence[tuple[int, int]]) -> None:
        """The values of these messages are safe; the next request says so."""
        self._publishing.acknowledge(messages)

    async def next(self, until_s: float | None = None) -> Message | Arrival | None:
        """Return the next message, or when a silent server last proved it is alive.

        None at ``until_s`` of the monotonic clock. Raises DriverError; Unreachable also if
        a subscription has gone silent.
        """
        await self._connection.renew_channel()
        with suppress(Rejected):  # they stay refused, and the others have nothing to do with it
            await self.items.retry()
            await self._supervise()
        ask_back_s = self._keepalive_s * _ASK_BACK
        wait_s = ask_back_s if until_s is None else min(ask_back_s, until_s - self._monotonic())
        subscriptions = self.items.subscriptions
        if subscriptions:
            message = await self._publishing.next(subscriptions, wait_s)
            if message is not None:
                self.items.note(message.raws)
                return message
        else:
            await asyncio.sleep(max(wait_s, 0))
        return None if wait_s < ask_back_s else await self._confirm()

    async def close(self) -> None:
        """End the request under way."""
        await self._publishing.close()

    async def _confirm(self) -> Arrival:
        numbers = [opened.subscription for opened in self.items.subscriptions]
        return await self._connection.confirm(numbers)

    async def _supervise(self) -> None:
        if self._monotonic() >= self._confirm_at_s:
            self._confirm_at_s = self._monotonic() + self._supervise_s
            await self._confirm()
        keys = self._supervisor.due(self.items.places)
        if keys:
            places = [self.items.places[key] for key in keys]
            raws, _ = await self._connection.read(places, cached=True)
            read = dict(zip(keys, raws, strict=True))
            dead = self._supervisor.dead(read, self.items.last)
            if dead:
                await self.items.replace(dead)
