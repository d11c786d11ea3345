"""A relay between two brokers that loses, doubles and reorders what passes, by a seeded chance.

What a gateway says to the near broker comes out of the far one, commands go the other way.
Retained messages are delayed and doubled but never lost: a broker keeps them for whoever
comes. Either broker may be killed; the relay connects again and forgets what was under way.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, Message, MqttError, Session

ROOT = "mg/v1"
RETAINED = ("/state/", "/birth", "/online", "/health")
AGAIN_S = 0.1
FLUSH_S = 0.7


@dataclass(frozen=True, slots=True)
class Rates:
    """How likely each is, for one message."""

    lose: float = 0.1
    double: float = 0.1
    hold: float = 0.2


@dataclass
class UnrulyRelay:
    """Runs between two ports of this machine; see `unruly_relay`."""

    near_port: int
    far_port: int
    chance: random.Random
    rates: Rates = Rates()
    lost: int = 0
    doubled: int = 0
    held: int = 0
    _waiting: list[Message] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            with contextlib.suppress(MqttError):
                async with (
                    connect(
                        BrokerSettings(port=self.near_port), Session(client_id="relay")
                    ) as near,
                    connect(BrokerSettings(port=self.far_port), Session(client_id="relay")) as far,
                ):
                    await self._pass_until_lost(near, far)
            await asyncio.sleep(AGAIN_S)

    async def _pass_until_lost(self, near: MqttLink, far: MqttLink) -> None:
        await far.subscribe([f"{ROOT}/+/+/+/+/cmd/#", f"{ROOT}/+/_gateways/+/cmd/#"])
        await near.subscribe([f"{ROOT}/#"])
        tasks = [
            asyncio.create_task(self._facts(near, far)),
            asyncio.create_task(self._commands(far, near)),
            asyncio.create_task(self._flush(far)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _facts(self, near: MqttLink, far: MqttLink) -> None:
        while True:
            for message in await near.receive(100):
                if "/cmd/" not in message.topic:
                    self._misbehave(far, message)
                near.ack(message)

    async def _commands(self, far: MqttLink, near: MqttLink) -> None:
        while True:
            for message in await far.receive(100):
                if self.chance.random() >= self.rates.lose:
                    _send(near, message)
                else:
                    self.lost += 1
                far.ack(message)

    async def _flush(self, far: MqttLink) -> None:
        """Let go of what was held: late, but not never."""
        while True:
            await asyncio.sleep(FLUSH_S)
            waiting, self._waiting = self._waiting, []
            self.chance.shuffle(waiting)
            for message in waiting:
                _send(far, message)

    def _misbehave(self, far: MqttLink, message: Message) -> None:
        fate = self.chance.random()
        kept = message.topic.endswith(RETAINED) or "/state/" in message.topic
        if fate < self.rates.lose:
            self.lost += not kept
            if not kept:
                return
        elif fate < self.rates.lose + self.rates.double:
            self.doubled += 1
            _send(far, message)
        elif fate < self.rates.lose + self.rates.double + self.rates.hold:
            self.held += 1
            self._waiting.append(message)
            return
        _send(far, message)


def _send(link: MqttLink, message: Message) -> None:
    kept = message.topic.endswith(RETAINED) or "/state/" in message.topic
    future = link.publish(
        message.topic, message.payload, retain=kept, content_type=message.content_type
    )
    future.add_done_callback(lambda done: done.cancelled() or done.exception())


@asynccontextmanager
async def unruly_relay(
    near_port: int, far_port: int, seed: int, rates: Rates | None = None
) -> AsyncIterator[UnrulyRelay]:
    """Run a relay for as long as the context lasts."""
    relay = UnrulyRelay(near_port, far_port, random.Random(seed), rates or Rates())
    running = asyncio.create_task(relay.run(), name="relay")
    try:
        yield relay
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
