"""The watch beside a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, Session, Unreachable
from gateway.verify.verifier import Heard, Report, Verifier
from gateway.verify.watch import WatchSettings, watch
from tests.support.broker import Broker, broker
from tests.support.ports import free_port
from tests.support.until import until
from tests.unit.verify.test_verifier import COUNT, health, online, snapshot

__all__ = ["broker"]


@dataclass
class Watching:
    """A watch that runs, and what it was told so far."""

    verifier: Verifier
    stop: asyncio.Event
    task: asyncio.Task[Report]

    async def heard(self, messages: int) -> None:
        await until(lambda: self.verifier.messages >= messages)

    async def end(self) -> Report:
        self.stop.set()
        return await self.task


@asynccontextmanager
async def watching(port: int, seconds: float | None = None) -> AsyncIterator[Watching]:
    broker = BrokerSettings(port=port)
    settings = WatchSettings(broker=broker, client_id="inspector", seconds=seconds)
    verifier, stop, ready = Verifier("mg/v1"), asyncio.Event(), asyncio.Event()
    running = watch(
        settings,
        verifier,
        stop,
        clock=SYSTEM_CLOCK,
        uniform=lambda low, _: low,
        on_ready=ready.set,
    )
    task = asyncio.create_task(running)
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield Watching(verifier, stop, task)
    finally:
        stop.set()
        await asyncio.wait([task])


async def say(link: MqttLink, heard: Heard, *, retain: bool = False) -> None:
    await link.publish(heard.topic, heard.payload, retain=retain)


@asynccontextmanager
async def gateway(broker: Broker) -> AsyncIterator[MqttLink]:
    async with connect(BrokerSettings(port=broker.port), Session(client_id="gw-01")) as link:
        await say(link, online(), retain=True)
        yield link


async def test_what_is_said_is_judged(broker: Broker) -> None:
    async with gateway(broker) as link, watching(broker.port) as watched:
        await say(link, health(0), retain=True)
        await say(link, snapshot(), retain=False)
        await say(link, COUNT)
        await say(link, COUNT)
        await watched.heard(5)
        report = await watched.end()
    assert report.events == 2
    assert [one.code for one in report.findings] == ["not_retained", "repeated"]


async def test_it_ends_when_time_is_up(broker: Broker) -> None:
    async with watching(broker.port, 0.2) as watched:
        report = await watched.task
    assert [one.code for one in report.findings] == ["silent"]


async def test_a_restarted_broker_is_listened_to_again(broker: Broker) -> None:
    async with watching(broker.port) as watched:
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        async with gateway(broker) as link:
            await watched.heard(1)
            await say(link, COUNT)
            await watched.heard(2)
            report = await watched.end()
    assert (report.events, report.findings) == (1, [])


async def test_a_broker_that_is_gone_at_the_end_says_nothing_of_retention(broker: Broker) -> None:
    async with watching(broker.port) as watched:
        async with gateway(broker) as link:
            await say(link, snapshot())
            await watched.heard(2)
        await asyncio.to_thread(broker.kill)
        assert (await watched.end()).findings == []


async def test_without_a_broker_it_cannot_begin() -> None:
    async with watching(free_port()) as watched:
        with pytest.raises(Unreachable):
            await watched.task
