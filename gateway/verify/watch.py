"""Listening to a broker for a while and judging what comes.

- It only listens: nothing is published, no session is kept.
- A connection that is lost is made anew; what was missed meanwhile is nobody's fault.
- At the end a second connection sees what a late subscriber gets: the retained messages.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from gateway.ops.backoff import Uniform, delays
from gateway.ops.clock import Clock
from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, ConnectionLost, Message, MqttError, Session
from gateway.verify.verifier import Heard, Report, Verifier

QUIET_S = 1.0
"""Retained messages have all come when none came for so long."""
_RECEIVE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """``seconds`` None watches until it is told to stop; ``client_id`` is nobody else's."""

    broker: BrokerSettings
    client_id: str
    root: str = "mg/v1"
    seconds: float | None = None


async def watch(
    settings: WatchSettings,
    verifier: Verifier,
    stop: asyncio.Event,
    *,
    clock: Clock,
    uniform: Uniform,
    on_ready: Callable[[], None] = lambda: None,
) -> Report:
    """Feed a new ``verifier`` until time is up or ``stop`` is set, and return its report.

    Raises MqttError if it cannot begin.
    """
    began, began_s = clock.now(), clock.mono_s()

    def at() -> datetime:
        return began + timedelta(seconds=clock.mono_s() - began_s)

    async with _listening(settings) as link:
        on_ready()
        listening = asyncio.create_task(_listen(settings, link, verifier, at, uniform))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(
            (listening, stopping), timeout=settings.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in (listening, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return verifier.report(at(), await _kept(settings))


@contextlib.asynccontextmanager
async def _listening(settings: WatchSettings) -> AsyncIterator[MqttLink]:
    async with connect(settings.broker, Session(client_id=settings.client_id)) as link:
        await link.subscribe([f"{settings.root}/#"])
        yield link


async def _listen(
    settings: WatchSettings,
    link: MqttLink,
    verifier: Verifier,
    at: Callable[[], datetime],
    uniform: Uniform,
) -> NoReturn:
    with contextlib.suppress(ConnectionLost):
        await _take(link, verifier, at)
    waits = delays(uniform)
    while True:
        await asyncio.sleep(next(waits))
        with contextlib.suppress(MqttError):
            async with _listening(settings) as again:
                verifier.interrupted(at())
                waits = delays(uniform)
                await _take(again, verifier, at)


async def _take(link: MqttLink, verifier: Verifier, at: Callable[[], datetime]) -> NoReturn:
    while True:
        for message in await link.receive(_RECEIVE_LIMIT):
            verifier.take(_heard(message, at()))
            link.ack(message)


def _heard(message: Message, at: datetime) -> Heard:
    return Heard(
        message.topic, message.payload, message.retain, at, message.qos, message.content_type
    )


async def _kept(settings: WatchSettings) -> set[str] | None:
    """Return the topics a late subscriber hears of at once; None without a broker."""
    kept: set[str] = set()
    now_s = asyncio.get_running_loop().time
    try:
        async with _listening(settings) as link:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUIET_S) as patience:
                    while True:
                        for message in await link.receive(_RECEIVE_LIMIT):
                            link.ack(message)
                            if message.retain:
                                kept.add(message.topic)
                                patience.reschedule(now_s() + QUIET_S)
    except MqttError:
        return None
    return kept
