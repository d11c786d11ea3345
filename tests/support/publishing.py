"""A publisher with everything around it, and an ear at the broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from gateway.domain.commands import Command, Reply
from gateway.domain.events import Count, Status
from gateway.domain.vocabulary import BROKERS, Json, State
from gateway.journal.lineage import Rival
from gateway.journal.row import Entry, Row
from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, ConnectionLost, Message, Session
from gateway.publish.places import Places
from gateway.publish.publisher import Ports, Publisher, PublishSettings
from gateway.publish.sending import dead_letter
from gateway.publish.source import Source
from gateway.publish.timing import Timing
from gateway.wire.topics import GatewayTopics, Place
from tests.support.broker import Broker
from tests.support.clock import MORNING

TOPICS = GatewayTopics("mg/v1", "suzhou", "gw-01")
PRESS = Place("mg/v1", "suzhou", "stamping", "line-2", "press-03")
OVEN = Place("mg/v1", "suzhou", "_", "_", "oven-01")
PLACES = Places(
    TOPICS,
    {"press-03": PRESS, "oven-01": OVEN},
    birth={"equipment": ["press-03", "oven-01"], "timezone": "Asia/Shanghai"},
    births={"press-03": {"name": {"zh": "3号冲床", "en": "Press 03"}}},
)
EVENTS = "mg/v1/suzhou/+/+/+/evt/#"
SOON = Timing(uniform=lambda _low, _high: 0.02)
"""Waits short enough for a test."""


def count(total: int) -> Count:
    """A count whose total tells which one it is."""
    at = MORNING + timedelta(seconds=total)
    return Count(at=at, counter="good", kind="good", delta=1, total=total, raw=total)


def status(state: State = State.RUNNING) -> Status:
    return Status(at=MORNING, state=state, since=MORNING, cause="sample")


def settings_for(broker: Broker, **more: Any) -> BrokerSettings:
    return BrokerSettings(host=broker.host, port=broker.port, **more)


class Gate:
    """Reconnecting waits until it is opened."""

    _RECONNECT = 1e9

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.timing = Timing(sleep=self._sleep, uniform=lambda _low, _high: self._RECONNECT)

    async def _sleep(self, seconds: float) -> None:
        if seconds == self._RECONNECT:
            await self.open.wait()
        else:
            await asyncio.sleep(seconds)


@dataclass
class Rest:
    """The rest of the gateway, as the publisher sees it: a script and a record."""

    states: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    orders: list[tuple[str, Command]] = field(default_factory=list)
    reply: Reply = field(default_factory=lambda: Reply(accepted=True, seq=17))
    rivals: list[Rival] = field(default_factory=list)
    dead: list[tuple[Row, str]] = field(default_factory=list)
    append: Callable[[Sequence[Entry]], Awaitable[object]] | None = None
    """Of the journal, where the gap events are to be committed."""
    begin_epoch: Callable[[str, Rival], Awaitable[object]] | None = None

    def ports(self) -> Ports:
        return Ports(
            snapshots_of=lambda name: self.states.get(name, {}),
            submit=self.submit,
            on_rival=self.on_rival,
            set_aside=self.set_aside,
            more_health=lambda: {"drops": 0},
        )

    async def submit(self, equipment: str, command: Command) -> Reply:
        self.orders.append((equipment, command))
        return self.reply

    async def set_aside(self, row: Row, reason: str) -> None:
        self.dead.append((row, reason))
        if self.append is not None:
            await self.append(
                [
                    Entry(
                        row.equipment, dead_letter(row, epoch=row.epoch, at=MORNING, target=BROKERS)
                    )
                ]
            )

    async def on_rival(self, rival: Rival) -> None:
        self.rivals.append(rival)
        if self.begin_epoch is not None:
            await self.begin_epoch("the broker knows another journal of ours", rival)


@asynccontextmanager
async def publishing(
    broker: BrokerSettings,
    journal: Source,
    rest: Rest | None = None,
    *,
    places: Places = PLACES,
    timing: Timing = SOON,
    **more: Any,
) -> AsyncIterator[Publisher]:
    """Run a publisher; stop it as the program does."""
    settings = PublishSettings(broker=broker, **{"retained_wait_s": 0.1, **more})
    publisher = Publisher(settings, journal, places, (rest or Rest()).ports(), timing)
    task = asyncio.create_task(publisher.run(), name="publisher")
    try:
        yield publisher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Ear:
    """A subscriber that remembers everything."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.messages: list[Message] = []

    async def listen(self) -> None:
        while True:
            for message in await self.link.receive(1000):
                self.messages.append(message)
                self.link.ack(message)

    def on(self, topic: str) -> list[Json]:
        """Return what came on ``topic``, decoded."""
        return [orjson.loads(one.payload) for one in self.messages if one.topic == topic]

    def events(self) -> list[Json]:
        """Return the events that came, decoded, in order."""
        return [orjson.loads(one.payload) for one in self.messages if "/evt/" in one.topic]

    def totals(self) -> list[int]:
        """Return the totals of the counts that came, in order."""
        return [event["data"]["total"] for event in self.events() if "total" in event["data"]]


@asynccontextmanager
async def listening(
    broker: BrokerSettings, *filters: str, client_id: str = "ear"
) -> AsyncIterator[Ear]:
    """Subscribe and remember what comes."""
    async with connect(broker, Session(client_id=client_id)) as link:
        await link.subscribe(filters or ["mg/v1/#"])
        ear = Ear(link)
        task = asyncio.create_task(ear.listen(), name=client_id)
        try:
            yield ear
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionLost):
                await task


def first_of_each(totals: Sequence[int]) -> list[int]:
    """Return ``totals`` without the repeats, as a consumer keeps them."""
    return list(dict.fromkeys(totals))
