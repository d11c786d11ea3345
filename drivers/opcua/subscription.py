"""One subscription: the nodes that are wanted against the items the server has.

Promises:

- A node the server refuses, or says is gone, is asked for again after
  ``retry_refused_s``, beside the others and without a change to them.
- A message is acknowledged only after `acknowledge` was called for it.
- One publish request is under way at most, and its answer is not lost when the caller
  that waited for it was cancelled.
- A message that got lost on the way is noticed by the number of the next one.
- Silence is not taken for health: before ``keepalive_s`` is over the server has sent
  something or has confirmed that this subscription still exists. Without a message of
  the subscription's own for `SILENT_KEEPALIVES` keepalives it counts as dead.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from drivers.contract import DriverError, Rejected, Unreachable
from drivers.opcua.batches import Arrival
from drivers.opcua.convert import cause_of, is_bad
from drivers.opcua.nodes import Identifier, NodeRef

SILENT_KEEPALIVES = 3
ASK_FOR_KEEPALIVE = 0.8
"""Share of ``keepalive_s`` asked of the server, so that its message is here in time."""
_ASK_BACK = 0.9
"""Share of ``keepalive_s`` after which a silent server is asked whether it lives."""
_CHUNK = 500
_MAX_SEQUENCE = 0xFFFF_FFFF  # then 1 again: Part 4, 7.21


@dataclass(frozen=True, slots=True)
class Raw:
    """One value as the server sent it."""

    handle: int
    value: object
    status: int
    source_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """One answer to a publish request. No values: a sign of life."""

    arrived: Arrival
    sequence: int
    """Without values it means nothing: not every server puts there what it should."""
    raws: Sequence[Raw] = ()
    skipped: int = 0
    """Messages missing before this one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item to create: ``handle`` is ours and comes back with each value."""

    key: str
    handle: int
    namespace: int
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Created:
    """What the server made of a wanted item."""

    status: int
    item_id: int


class Connection(Protocol):
    """What a subscription needs of an open session. All raise DriverError."""

    @property
    def endpoint(self) -> str:
        """For people."""
        ...

    @property
    def keepalive_s(self) -> float:
        """The longest silence the server itself has promised."""
        ...

    @property
    def max_items_per_call(self) -> int:
        """The server's own limit; 0 if it names none."""
        ...

    async def namespaces(self) -> Sequence[str]:
        """Return the URIs, by index, as they are now."""
        ...

    async def create(self, wanted: Sequence[Wanted]) -> Sequence[Created]:
        """Create items; one result each, in order."""
        ...

    async def delete(self, item_ids: Sequence[int]) -> None:
        """Delete items; one that is gone already is no error."""
        ...

    async def publish(self, acknowledged: Sequence[int]) -> Message:
        """Tell the server what it may forget and wait for its next message."""
        ...

    async def confirm(self) -> Arrival:
        """Return when the server confirmed that it still has the subscription."""
        ...

    async def renew_channel(self) -> None:
        """Renew what expires, if it is time."""
        ...


class Subscription:
    """What is wanted, what the server has, and its messages one by one."""

    def __init__(
        self,
        connection: Connection,
        nodes: Mapping[str, NodeRef],
        *,
        keepalive_s: float,
        retry_refused_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._nodes = nodes
        self._keepalive_s = keepalive_s
        self._retry_refused_s = retry_refused_s
        self._monotonic = monotonic
        self._handles = itertools.count(1)
        self._key_of: dict[int, str] = {}
        self._item_of: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._retry_at_s = monotonic() + retry_refused_s
        self._unheard: set[str] = set()
        self._released: list[int] = []
        self._pending: asyncio.Task[Message] | None = None
        self._heard_s = monotonic()
        self._last: int | None = None

    @property
    def refused(self) -> Mapping[str, str]:
        """The tags without an item, or whose node is gone -> cause."""
        return self._refused

    @property
    def awaits_first_values(self) -> bool:
        """Whether an item exists whose first value has not come yet."""
        return bool(self._unheard)

    def key_of(self, raw: Raw) -> str | None:
        """Return the tag a value belongs to; None if its item was replaced meanwhile."""
        return self._key_of.get(raw.handle)

    async def start(self) -> None:
        """Ask for every node."""
        await self._want(sorted(self._nodes))

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """The values of these messages are safe; the next request says so."""
        self._released.extend(sequences)

    async def next(self) -> Message | Arrival:
        """Return the next message, or when a silent server last proved it is alive.

        Raises DriverError; Unreachable also if the subscription has gone silent.
        """
        await self._connection.renew_channel()
        with suppress(Rejected):  # they stay refused, and the others have nothing to do with it
            await self._retry_refused()
        if self._pending is None:
            released, self._released = self._released, []
            self._pending = asyncio.create_task(
                self._connection.publish(released), name=f"publish[{self._connection.endpoint}]"
            )
            self._heard_s = self._monotonic()
        done, _ = await asyncio.wait({self._pending}, timeout=self._keepalive_s * _ASK_BACK)
        if done:
            return self._received(self._pending)
        self._fail_if_silent()
        return await self._connection.confirm()

    async def close(self) -> None:
        """End the request under way."""
        if self._pending is None:
            return
        self._pending.cancel()
        with suppress(asyncio.CancelledError, DriverError):
            await self._pending

    def _received(self, answer: asyncio.Task[Message]) -> Message:
        self._pending = None
        message = answer.result()
        if not message.raws:
            return message
        self._note(message.raws)
        skipped = _between(self._last, message.sequence)
        self._last = message.sequence
        return replace(message, skipped=skipped)

    def _note(self, raws: Sequence[Raw]) -> None:
        for raw in raws:
            key = self._key_of.get(raw.handle)
            if key is None:
                continue
            self._unheard.discard(key)
            if is_bad(raw.status) and cause_of(raw.status) == "missing_node":
                self._refused[key] = "missing_node"
            else:
                self._refused.pop(key, None)

    def _fail_if_silent(self) -> None:
        promised_s = max(self._connection.keepalive_s, self._keepalive_s)
        silent_s = self._monotonic() - self._heard_s
        if silent_s > SILENT_KEEPALIVES * promised_s:
            reason = f"the subscription has sent nothing for {silent_s:.0f} s"
            raise Unreachable(self._connection.endpoint, reason)

    async def _retry_refused(self) -> None:
        if not self._refused or self._monotonic() < self._retry_at_s:
            return
        keys = sorted(self._refused)
        gone = [self._item_of.pop(key) for key in keys if key in self._item_of]
        if gone:
            self._key_of = {h: key for h, key in self._key_of.items() if key not in self._refused}
            await self._connection.delete(gone)
        await self._want(keys)

    async def _want(self, keys: Sequence[str]) -> None:
        self._retry_at_s = self._monotonic() + self._retry_refused_s
        namespaces = await self._connection.namespaces()
        wanted: list[Wanted] = []
        for key in keys:
            node = self._nodes[key]
            index = node.index(namespaces)
            if index is None:
                self._refused[key] = "missing_node"
            else:
                wanted.append(Wanted(key, next(self._handles), index, node.identifier))
        size = min(self._connection.max_items_per_call or _CHUNK, _CHUNK)
        for start in range(0, len(wanted), size):
            chunk = wanted[start : start + size]
            for item, created in zip(chunk, await self._connection.create(chunk), strict=True):
                self._settle(item, created)

    def _settle(self, item: Wanted, created: Created) -> None:
        if is_bad(created.status):
            self._refused[item.key] = cause_of(created.status)
            return
        self._key_of[item.handle] = item.key
        self._item_of[item.key] = created.item_id
        self._refused.pop(item.key, None)
        self._unheard.add(item.key)


def _between(last: int | None, sequence: int) -> int:
    """How many numbers a message skipped; none if it is the first or goes backwards."""
    if last is None:
        return 0
    skipped = (sequence - last - 1) % _MAX_SEQUENCE
    return skipped if skipped < _MAX_SEQUENCE // 2 else 0
