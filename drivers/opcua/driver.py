"""Joins the parts: a driver opens sessions, a session gives batches.

Promises:

- The first batch waits for the first value of every item the server accepted, for one
  keepalive at most. What is still missing then is bad: ``never_read``.
- The server may forget a message when the last batch made of it is committed.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from drivers.contract import (
    BadSetting,
    Batch,
    Misconfigured,
    Session,
    Shared,
    TagGroup,
    TagRequest,
)
from drivers.opcua.batches import Arrival, Change, Picture
from drivers.opcua.client import connect
from drivers.opcua.convert import Scaling, convert
from drivers.opcua.nodes import NodeRef, parse
from drivers.opcua.settings import LinkSettings, TagSettings
from drivers.opcua.subscription import Message, Subscription


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Tag:
    node: NodeRef
    scaling: Scaling


class OpcUaSession:
    """Batches of one subscription, in the order the server sent its values."""

    def __init__(
        self,
        subscription: Subscription,
        picture: Picture,
        scalings: Mapping[str, Scaling],
        *,
        wait_until_mono_s: float,
    ) -> None:
        """``wait_until_mono_s``: the first batch waits no longer for first values."""
        self._subscription = subscription
        self._picture = picture
        self._scalings = scalings
        self._wait_until_mono_s = wait_until_mono_s
        self._ready: deque[Batch] = deque()
        self._held: list[Change] = []
        self._unsafe: list[int] = []
        self._skipped = 0

    async def read(self, due: Collection[TagGroup]) -> Batch:  # noqa: ARG002  the server pushes
        """Return the next batch; an empty one at least every ``keepalive_s``."""
        while not self._ready:
            news = await self._subscription.next()
            if isinstance(news, Message):
                self._take(news)
                self._give(news.arrived)
            else:
                self._give(news)
        return self._ready.popleft()

    def _take(self, message: Message) -> None:
        self._held.extend(
            Change(key, convert(raw.value, raw.status, self._scalings[key]), raw.source_at)
            for raw in message.raws
            if (key := self._subscription.key_of(raw)) is not None
        )
        self._skipped += message.skipped
        if message.raws:
            self._unsafe.append(message.sequence)

    def _give(self, arrived: Arrival) -> None:
        waits = self._subscription.awaits_first_values
        if waits and arrived.mono_s < self._wait_until_mono_s:
            return
        self._wait_until_mono_s = 0.0
        self._picture.refuse(self._subscription.refused)
        release = partial(self._subscription.acknowledge, tuple(self._unsafe))
        self._ready.extend(
            self._picture.batches(self._held, arrived, skipped=self._skipped, acknowledge=release)
        )
        self._held, self._unsafe, self._skipped = [], [], 0


class OpcUaDriver:
    """One link: an endpoint and the nodes wanted of it."""

    def __init__(
        self,
        link: LinkSettings,
        requests: Sequence[TagRequest],
        *,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises Misconfigured naming the key of a tag that comes twice."""
        self._link = link
        self._tags = {request.key: _tag(request.settings) for request in requests}
        if len(self._tags) < len(requests):
            keys = [request.key for request in requests]
            twice = next(key for key in keys if keys.count(key) > 1)
            refusal = BadSetting("opcua_tag_twice", "this tag comes twice", "delete one")
            raise Misconfigured.of(link.endpoint, twice, refusal)
        self._groups = _groups(requests)
        self._now = now
        self._monotonic = monotonic

    @property
    def endpoint(self) -> str:
        """For people: where this link leads."""
        return self._link.endpoint

    @property
    def groups(self) -> Collection[TagGroup]:
        """The tag groups by name; none has an interval."""
        return self._groups

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """Connect and subscribe on enter, release on exit, also when cancelled."""
        link = self._link
        async with connect(link, now=self._now, monotonic=self._monotonic) as connection:
            opened_mono_s = self._monotonic()
            subscription = Subscription(
                connection,
                {key: tag.node for key, tag in self._tags.items()},
                keepalive_s=link.keepalive_s,
                retry_refused_s=link.retry_refused_s,
                monotonic=self._monotonic,
            )
            try:
                await subscription.start()
                yield OpcUaSession(
                    subscription,
                    Picture(
                        self._tags,
                        opened_mono_s=opened_mono_s,
                        max_skew_s=link.max_skew_s if link.device_clock == "trust" else None,
                    ),
                    {key: tag.scaling for key, tag in self._tags.items()},
                    wait_until_mono_s=opened_mono_s + link.keepalive_s,
                )
            finally:
                await subscription.close()


def create(link: LinkSettings, requests: Sequence[TagRequest], _: Shared) -> OpcUaDriver:
    """Return the driver of a link. Shares nothing; a session is a link's own."""
    return OpcUaDriver(link, requests)


def _tag(settings: TagSettings) -> _Tag:
    return _Tag(parse(settings.node), Scaling(settings.scale, settings.offset))


def _groups(requests: Sequence[TagRequest]) -> tuple[TagGroup, ...]:
    keys: dict[str, set[str]] = {}
    for request in requests:
        keys.setdefault(request.group, set()).add(request.key)
    return tuple(TagGroup(name, None, frozenset(members)) for name, members in keys.items())
