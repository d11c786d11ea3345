"""What a link asks of a server: subscriptions, items, intervals, requests; for people.

`plan_of` tells it from the settings and what is known of the brand, without a connection.
`plan_live` asks the server and tells what became of it; it subscribes, reads nothing and
leaves nothing behind.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from drivers.clock import utc_now
from drivers.contract import TagRequest
from drivers.opcua.brands import BRANDS
from drivers.opcua.client import connect
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.limits import Limits, chunks, smaller
from drivers.opcua.services import Revised
from drivers.opcua.settings import LinkSettings

_TEXTS: Mapping[str, Mapping[Literal["zh", "en"], str]] = {
    "subscription": {
        "zh": "订阅 {number}：{items} 个监视项，每 {interval} ms 发布一次",
        "en": "subscription {number}: {items} items, published every {interval} ms",
    },
    "create": {
        "zh": "建立监视项：{calls} 次请求，每次最多 {size} 个",
        "en": "creating items: {calls} requests of {size} at most",
    },
    "sampling": {
        "zh": "{items} 个节点每 {interval} ms 采样一次",
        "en": "{items} nodes sampled every {interval} ms",
    },
    "conditions": {
        "zh": "{items} 个报警源，连接时全部刷新",
        "en": "{items} sources of alarms, all refreshed on connect",
    },
    "polled": {
        "zh": "{items} 个节点每 {interval} s 轮询一次，每次最多读 {size} 个",
        "en": "{items} nodes polled every {interval} s, {size} at most in a request",
    },
    "revised": {
        "zh": "服务器把 {setting} 改为 {got}（要求 {asked}）",
        "en": "the server makes {setting} {got}, not {asked}",
    },
    "refused": {"zh": "服务器拒绝 {key}：{cause}", "en": "the server refuses {key}: {cause}"},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of one server."""

    subscriptions: Sequence[int]
    """Items of each."""
    publishing_ms: float
    create_size: int
    read_size: int
    conditions: int
    sampling: Mapping[float, int]
    """Interval in ms -> nodes watched at it."""
    polled: Mapping[float, int]
    """Interval in s -> nodes read at it."""
    revised: Sequence[Revised] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Tag -> cause; only a server can tell."""

    @property
    def create_calls(self) -> int:
        """Requests it takes to create all items."""
        return sum(-(-items // self.create_size) for items in self.subscriptions)

    def lines(self, language: Literal["zh", "en"]) -> list[str]:
        """Return the plan as sentences, one a line."""
        told = [
            _say("subscription", language, number=n, items=items, interval=self.publishing_ms)
            for n, items in enumerate(self.subscriptions, start=1)
        ]
        if self.subscriptions:
            size = self.create_size
            told.append(_say("create", language, calls=self.create_calls, size=size))
        for interval_ms, items in sorted(self.sampling.items()):
            told.append(_say("sampling", language, items=items, interval=interval_ms))
        if self.conditions:
            told.append(_say("conditions", language, items=self.conditions))
        for interval_s, items in sorted(self.polled.items()):
            size = self.read_size
            told.append(_say("polled", language, items=items, interval=interval_s, size=size))
        told += [
            _say("revised", language, setting=one.setting, asked=one.asked, got=one.got)
            for one in self.revised
        ]
        refused = sorted(self.refused.items())
        told += [_say("refused", language, key=key, cause=cause) for key, cause in refused]
        return told


def plan_of(link: LinkSettings, tags: Sequence[TagRequest], limits: Limits | None = None) -> Plan:
    """Return the plan as far as it can be told; ``limits`` are those of the server if known."""
    brand = BRANDS[link.brand]
    known = link.known_limits.within(limits or Limits())
    values = [tag for tag in tags if tag.settings.conditions is None]
    conditions = len(tags) - len(values)
    watched = [] if link.mode == "poll" else values
    room = _room(known, len(tags))
    watched = watched[: max(room - conditions, 0)]
    polled = values[len(watched) :] if link.mode == "poll" or brand.may_poll else []
    if link.mode == "subscribe":
        polled = []
    items = len(watched) + conditions
    some = [None] * items
    return Plan(
        subscriptions=[len(piece) for piece in chunks(some, known.items_per_subscription)],
        publishing_ms=max(float(link.publishing_interval_ms), known.publishing_ms),
        create_size=known.create_size,
        read_size=known.read_size,
        conditions=conditions,
        sampling=Counter(max(link.sampling_ms(tag.group), known.sampling_ms) for tag in watched),
        polled=Counter(link.poll_s(tag.group) for tag in polled),
    )


async def plan_live(
    link: LinkSettings,
    tags: Sequence[TagRequest],
    *,
    now: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> Plan:
    """Return what the server makes of it. Raises DriverError."""
    async with connect(link, now=now, monotonic=monotonic) as connection:
        items = OpcUaDriver(link, tags, now=now, monotonic=monotonic).items(connection)
        await items.start()
        limits, revised = connection.limits, (*connection.revised.values(), *items.revised.values())
        asked = plan_of(link, [tag for tag in tags if tag.key in items.places], limits)
        opened = items.subscriptions
        return Plan(
            subscriptions=items.counts(),
            publishing_ms=opened[0].publishing_ms if opened else asked.publishing_ms,
            create_size=asked.create_size,
            read_size=asked.read_size,
            conditions=len(items.new_conditions),
            sampling=asked.sampling,
            polled=Counter(link.poll_s(tag.group) for tag in tags if tag.key in items.polled),
            revised=revised,
            refused=dict(items.refused),
        )


def _room(limits: Limits, wanted: int) -> int:
    """How many items a session takes."""
    held = limits.items_per_subscription * limits.subscriptions_per_session
    return smaller(smaller(limits.items_per_session, held), wanted)


def _say(what: str, language: Literal["zh", "en"], **values: object) -> str:
    shown = {k: f"{v:g}" if isinstance(v, float) else v for k, v in values.items()}
    return _TEXTS[what][language].format(**shown)
