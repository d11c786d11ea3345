"""Joins the parts: a driver opens sessions, a session gives batches."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from drivers.clock import utc_now
from drivers.contract import (
    BadSetting,
    Misconfigured,
    Session,
    Shared,
    TagGroup,
    TagRequest,
)
from drivers.opcua.alarms import ActiveConditions
from drivers.opcua.batches import Picture
from drivers.opcua.brands import BRANDS
from drivers.opcua.client import connect
from drivers.opcua.connection import Connection
from drivers.opcua.convert import Scaling
from drivers.opcua.items import Items, Target
from drivers.opcua.nodes import parse
from drivers.opcua.paths import parse_path
from drivers.opcua.poll import Polling
from drivers.opcua.session import Alarms, OpcUaSession
from drivers.opcua.settings import LinkSettings, TagSettings
from drivers.opcua.subscription import Subscription

REFRESH_ROUNDS = 20
"""So many times ``supervise_s`` apart a server is asked for all its conditions."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Tag:
    target: Target
    scaling: Scaling
    poll_s: float


class OpcUaDriver:
    """One link: an endpoint and the nodes wanted of it."""

    def __init__(
        self,
        link: LinkSettings,
        requests: Sequence[TagRequest],
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises Misconfigured naming the key of a tag that comes twice."""
        self._link = link
        self._tags = {request.key: _tag(link, request) for request in requests}
        if len(self._tags) < len(requests):
            keys = [request.key for request in requests]
            twice = next(key for key in keys if keys.count(key) > 1)
            refusal = BadSetting("opcua_tag_twice", "this tag comes twice", "delete one")
            raise Misconfigured.of(link.endpoint, twice, refusal)
        self._groups = _groups(requests)
        self._now = now
        self._monotonic = monotonic
        self._warned: set[str] = set()

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
            items = self.items(connection)
            subscription = Subscription(
                connection,
                items,
                keepalive_s=link.keepalive_s,
                supervise_s=link.supervise_s,
                monotonic=self._monotonic,
            )
            try:
                await subscription.start()
                self._warn(connection, items)
                yield self._session(connection, subscription, opened_mono_s)
            finally:
                await subscription.close()

    def items(self, connection: Connection) -> Items:
        """Return the items this link wants of a session."""
        link = self._link
        return Items(
            connection,
            {key: tag.target for key, tag in self._tags.items()},
            retry_refused_s=link.retry_refused_s,
            monotonic=self._monotonic,
            may_subscribe=link.mode != "poll",
            may_poll=link.mode == "poll" or (link.mode == "auto" and BRANDS[link.brand].may_poll),
        )

    def _session(
        self, connection: Connection, subscription: Subscription, opened_mono_s: float
    ) -> OpcUaSession:
        link = self._link
        text_names = BRANDS[link.brand].text_names_condition
        return OpcUaSession(
            subscription,
            Polling(
                connection,
                subscription.items.polled,
                {key: tag.poll_s for key, tag in self._tags.items()},
                self._monotonic,
            ),
            Alarms(
                connection,
                subscription,
                lambda: ActiveConditions(
                    text_names=text_names,
                    refresh_every_s=REFRESH_ROUNDS * link.supervise_s,
                    monotonic=self._monotonic,
                ),
                refresh_s=link.timeout_s,
            ),
            Picture(
                self._tags,
                opened_mono_s=opened_mono_s,
                max_skew_s=link.max_skew_s if link.device_clock == "trust" else None,
            ),
            {key: tag.scaling for key, tag in self._tags.items()},
            wait_until_mono_s=opened_mono_s + link.keepalive_s,
        )

    def _warn(self, connection: Connection, items: Items) -> None:
        """Say once what the server does otherwise than it was asked to."""
        told = [str(one) for one in (*connection.revised.values(), *items.revised.values())]
        if items.polled and self._link.mode != "poll":
            told.append(f"the server does not watch {len(items.polled)} nodes; they are polled")
        for text in told:
            if text not in self._warned:
                self._warned.add(text)
                _log.warning("%s: %s", self.endpoint, text)


def create(link: LinkSettings, requests: Sequence[TagRequest], _: Shared) -> OpcUaDriver:
    """Return the driver of a link. Shares nothing; a session is a link's own."""
    return OpcUaDriver(link, requests)


def _tag(link: LinkSettings, request: TagRequest) -> _Tag:
    settings: TagSettings = request.settings
    scaling, poll_s = Scaling(settings.scale, settings.offset), link.poll_s(request.group)
    if settings.conditions is not None:
        return _Tag(Target(parse(settings.conditions), conditions=True), scaling, poll_s)
    node = parse(settings.node or "") if settings.path is None else parse_path(settings.path)
    asked_ms = link.sampling_ms(request.group)
    sampling_ms = max(asked_ms, BRANDS[link.brand].limits.sampling_ms)
    slowest_ms = max(sampling_ms, 2 * asked_ms if link.samples_by_default(request.group) else 0)
    return _Tag(Target(node, sampling_ms, slowest_ms), scaling, poll_s)


def _groups(requests: Sequence[TagRequest]) -> tuple[TagGroup, ...]:
    keys: dict[str, set[str]] = {}
    for request in requests:
        keys.setdefault(request.group, set()).add(request.key)
    return tuple(TagGroup(name, None, frozenset(members)) for name, members in keys.items())
