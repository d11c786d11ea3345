"""One MQTT session of the publisher: `gateway.ops.mqtt_link` plus what publishing needs.

- ``publish()`` returns only when the broker has confirmed the message.
- Never more messages are under way than the broker's receive maximum allows, and no more than
  the line carries in a moment, whoever sends; who waits for room is served in order of asking.
- A session in MQTT 3.1.1 exists only after a message to itself came back: that protocol
  cannot report a refused publish.
- The retained online and health that stood at the broker before this session are read once, at
  the start.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn, Protocol

from gateway.ops.mqtt_link import MqttLink
from gateway.ops.mqtt_link import connect as connect_link
from gateway.ops.mqtt_terms import (
    BrokerSettings,
    ConnectionLost,
    Denied,
    Message,
    Session,
    Will,
)
from gateway.publish.room import Room
from gateway.wire.topics import GatewayTopics

_RECEIVE_LIMIT = 100
_MAX_COMMAND_BYTES = 256 * 1024


class Sender(Protocol):
    """Where messages go; a fake of it is a list."""

    async def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        correlation: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Wait for room, send with QoS 1, return the future of the checked PUBACK.

        Raises ConnectionLost; the future fails with Refused or ConnectionLost.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the publisher tells the broker when it connects, and what it listens to."""

    client_id: str
    topics: GatewayTopics
    will: bytes
    """The retained payload of ``online`` when we vanish."""
    commands: Collection[str]
    selftest_s: float
    """How long the message to ourselves may take, in MQTT 3.1.1."""
    retained_wait_s: float
    """How long a retained health is waited for where there may be none."""


class Connection:
    """An open session. Obtained from `connect`."""

    def __init__(self, link: MqttLink) -> None:
        self._link = link
        self._room = Room(link.receive_maximum, asyncio.get_running_loop().time)
        link.on_published(self._room.leave)
        self.earlier_health: bytes | None = None
        """The retained health of this gateway as it stood at the broker, None if absent."""
        self.earlier_online: bytes | None = None
        """Likewise."""
        self.selftest_passed: bool | None = None
        """None in MQTT 5, which needs none."""

    async def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        correlation: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Wait for room, send with QoS 1, return the future of the checked PUBACK.

        Raises ConnectionLost; the future fails with Refused or ConnectionLost.
        """
        if not self._room.enter_at_once():
            await self._room.enter()
        try:
            return self._link.publish(
                topic,
                payload,
                retain=retain,
                content_type=content_type,
                correlation=correlation,
            )
        except ConnectionLost:
            self._room.turn_back()
            raise

    async def serve(self, handle: Callable[[Message], Awaitable[None]]) -> NoReturn:
        """Give every command to ``handle``, in order; acknowledge it when that returns."""
        while True:
            for message in await self._link.receive(_RECEIVE_LIMIT):
                await handle(message)
                self._link.ack(message)

    async def listen(self, topics: Collection[str]) -> None:
        """Take commands on these topics too. Raises ConnectionLost, Refused."""
        if topics:
            await self._subscribe(sorted(topics))

    async def ended(self) -> NoReturn:
        """Wait for the end of the session and raise ConnectionLost."""
        raise await asyncio.shield(self._link.lost)

    def drop(self, reason: str) -> None:
        """End the session without a word: the broker publishes the will."""
        self._link.drop(reason)

    async def introduce(self, greeting: Greeting, *, selftest: bool) -> None:
        """Hear what stood at the broker, prove ourselves, listen to commands.

        Raises Denied when the self-test message does not come back.
        """
        topics = greeting.topics
        awaited = topics.selftest if selftest else topics.health
        wait_s = greeting.selftest_s if selftest else greeting.retained_wait_s
        retained = [topics.online, topics.health]  # what is awaited comes last
        await self._subscribe([*retained, *([topics.selftest] if selftest else [])])
        if selftest:
            await (await self.send(topics.selftest, greeting.client_id.encode()))
        heard = await self._hear(awaited, wait_s)
        self.earlier_health = heard.get(topics.health)
        self.earlier_online = heard.get(topics.online)
        if selftest:
            self.selftest_passed = heard.get(topics.selftest) == greeting.client_id.encode()
            if not self.selftest_passed:
                raise Denied(f"the message to ourselves on {topics.selftest} did not come back")
        await self._subscribe(list(greeting.commands))

    async def _hear(self, awaited: str, wait_s: float) -> dict[str, bytes]:
        heard: dict[str, bytes] = {}
        try:
            async with asyncio.timeout(wait_s):
                while awaited not in heard:
                    for message in await self._link.receive(_RECEIVE_LIMIT):
                        heard[message.topic] = message.payload
                        self._link.ack(message)
        except TimeoutError:
            pass  # nothing retained, or a self-test that failed: the caller sees which
        return heard

    async def _subscribe(self, filters: list[str]) -> None:
        try:
            await self._link.subscribe(filters)
        except TimeoutError as err:
            raise ConnectionLost("no answer to SUBSCRIBE") from err


@asynccontextmanager
async def connect(settings: BrokerSettings, greeting: Greeting) -> AsyncIterator[Connection]:
    """Connect with a clean start, introduce ourselves, disconnect on exit.

    Leaving by an error lets the broker publish the will. Raises Unreachable, Denied,
    ConnectionLost, and Refused where we may not subscribe.
    """
    session = Session(
        client_id=greeting.client_id,
        receive_maximum=_RECEIVE_LIMIT,
        max_packet_bytes=_MAX_COMMAND_BYTES,
    )
    will = Will(topic=greeting.topics.online, payload=greeting.will)
    async with connect_link(settings, session, will=will) as link:
        connection = Connection(link)
        await connection.introduce(greeting, selftest=settings.protocol == "3.1.1")
        yield connection
