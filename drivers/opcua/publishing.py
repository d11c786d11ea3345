"""The messages of all subscriptions of a session, one by one.

Promises:

- A message is acknowledged only after `acknowledge` was called for it.
- One publish request is under way at most, and its answer is not lost when the caller
  that waited for it was cancelled.
- A message that got lost on the way is noticed by the number of the next one of the same
  subscription.
- A subscription without a message of its own for `SILENT_KEEPALIVES` keepalives counts as
  dead, also while others speak.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from drivers.contract import DriverError, Unreachable
from drivers.opcua.services import Connection, Message, Opened

SILENT_KEEPALIVES = 3
_MAX_SEQUENCE = 0xFFFF_FFFF  # then 1 again: Part 4, 7.21


class Publishing:
    """One request at a time, and what was heard of whom."""

    def __init__(
        self, connection: Connection, *, keepalive_s: float, monotonic: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._keepalive_s = keepalive_s
        self._monotonic = monotonic
        self._released: list[tuple[int, int]] = []
        self._pending: asyncio.Task[Message] | None = None
        self._asked_s = monotonic()
        self._silent_s: dict[int, float] = {}
        self._last: dict[int, int] = {}

    def acknowledge(self, messages: Sequence[tuple[int, int]]) -> None:
        """The values of these messages are safe; the next request says so."""
        self._released.extend(messages)

    async def next(self, subscriptions: Sequence[Opened], timeout_s: float) -> Message | None:
        """Return the next message, None if there was none in time. Raises DriverError."""
        if self._pending is None:
            released, self._released = self._released, []
            self._pending = asyncio.create_task(
                self._connection.publish(released), name=f"publish[{self._connection.endpoint}]"
            )
            self._asked_s = self._monotonic()
        done, _ = await asyncio.wait({self._pending}, timeout=max(timeout_s, 0))
        if done:
            return self._received(self._pending, subscriptions)
        self._fail_if_silent(subscriptions)
        return None

    async def close(self) -> None:
        """End the request under way."""
        if self._pending is None:
            return
        self._pending.cancel()
        with suppress(asyncio.CancelledError, DriverError):
            await self._pending

    def _received(self, answer: asyncio.Task[Message], subscriptions: Sequence[Opened]) -> Message:
        self._pending = None
        message = answer.result()
        waited_s = self._monotonic() - self._asked_s
        for opened in subscriptions:
            number = opened.subscription
            self._silent_s[number] = self._silent_s.get(number, 0.0) + waited_s
        self._silent_s[message.subscription] = 0.0
        self._asked_s = self._monotonic()
        self._fail_if_silent(subscriptions)
        if not message.tells:
            return message
        last = self._last.get(message.subscription)
        self._last[message.subscription] = message.sequence
        return replace(message, skipped=_between(last, message.sequence))

    def _fail_if_silent(self, subscriptions: Sequence[Opened]) -> None:
        waiting_s = self._monotonic() - self._asked_s
        for opened in subscriptions:
            promised_s = max(opened.keepalive_s, self._keepalive_s)
            silent_s = self._silent_s.get(opened.subscription, 0.0) + waiting_s
            if silent_s > SILENT_KEEPALIVES * promised_s:
                reason = f"the subscription has sent nothing for {silent_s:.0f} s"
                raise Unreachable(self._connection.endpoint, reason)


def _between(last: int | None, sequence: int) -> int:
    """How many numbers a message skipped; none if it is the first or goes backwards."""
    if last is None:
        return 0
    skipped = (sequence - last - 1) % _MAX_SEQUENCE
    return skipped if skipped < _MAX_SEQUENCE // 2 else 0
