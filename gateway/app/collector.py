"""The collecting half: links, deriver, journal, publisher, composed from one site."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import close_shared
from gateway.app import translate
from gateway.collect.clock_steps import watch_clock
from gateway.collect.deriver import Deriver
from gateway.collect.guard import guard
from gateway.collect.poller import Poller, read_all_now
from gateway.collect.waker import Waker
from gateway.control.commands import Control
from gateway.control.server import listening
from gateway.domain import durable
from gateway.domain.snapshot import snapshots
from gateway.domain.vocabulary import Json
from gateway.journal.journal import Journal
from gateway.journal.lineage import Rival
from gateway.ops.boot import boot_id
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.publish.publisher import Ports, Publisher
from gateway.settings.site import Site

DRAIN_TIMEOUT_S = 5.0
SOCKET = "control.sock"
"""Beside the journal: who may write there may command."""
_log = logging.getLogger(__name__)


@dataclass
class Collector:
    """A collecting gateway. `run` starts its tasks, `stop` ends them in order."""

    site: Site
    journal: Journal
    deriver: Deriver
    publisher: Publisher
    pollers: list[Poller]
    _reading: list["asyncio.Task[None]"] = field(default_factory=list)
    _to_the_end: list["asyncio.Task[Any]"] = field(default_factory=list)

    @property
    def links_online(self) -> int:
        """How many links have a session that answers."""
        return sum(poller.stats.online for poller in self.pollers)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start everything; a task that fails ends ``tasks`` and with it the process."""
        self._to_the_end = [
            tasks.create_task(self.publisher.run(), name="publisher"),
            tasks.create_task(_journal_must_live(self.journal), name="journal.failed"),
        ]
        self._reading = [
            tasks.create_task(
                guard(poller.link, poller.run, poller.failed, asyncio.sleep),
                name=f"poll[{poller.link}]",
            )
            for poller in self.pollers
        ]
        self._reading.append(tasks.create_task(self.deriver.run_ticks(), name="ticks"))
        steps = watch_clock(SYSTEM_CLOCK, self.deriver.note_clock_step, asyncio.sleep)
        self._reading.append(tasks.create_task(steps, name="clock"))
        self._reading.append(
            tasks.create_task(
                _heartbeat(self.journal, self.site.gateway.journal.heartbeat_s), name="heartbeat"
            )
        )

    async def stop(self) -> None:
        """Stop reading, deliver what is committed if the broker takes it, then say goodbye."""
        await cancelled(self._reading)
        if self.publisher.stats().online and not await self.publisher.drain(DRAIN_TIMEOUT_S):
            _log.warning("stopping with a backlog; it is delivered after the next start")
        await cancelled(self._to_the_end)


@asynccontextmanager
async def collector(site: Site) -> AsyncIterator[Collector]:
    """Open the journal and compose what works on it. Raises JournalError."""
    journal = await asyncio.to_thread(
        Journal.open,
        site.path(site.gateway.journal.path),
        now=SYSTEM_CLOCK.now,
        limits=translate.limits(site),
    )
    shared: dict[str, dict[str, Any]] = {}
    try:
        rules = {name: config.rules for name, config in site.equipment.items()}
        trust = translate.clock_trust(site)
        deriver = Deriver(
            journal,
            rules,
            clock=SYSTEM_CLOCK,
            boot_id=boot_id(),
            clock_is_trusted=lambda: trust.trusted,
        )
        await deriver.start()
        pollers = _pollers(site, deriver, shared)

        async def read_now(equipment: str) -> None:
            links = site.equipment[equipment].links
            await read_all_now(poller for poller in pollers if poller.link in links)

        control = Control(deriver, journal, site.equipment, read_now)
        publisher = _publisher(site, journal, deriver, control)
        async with listening(site.path(site.gateway.journal.path).parent / SOCKET, control):
            yield Collector(site, journal, deriver, publisher, pollers)
    finally:
        for things in shared.values():
            close_shared(things)
        await journal.close()


def _pollers(
    site: Site, deriver: Deriver, shared: MutableMapping[str, dict[str, Any]]
) -> list[Poller]:
    """``shared`` takes in what the links of each protocol have in common."""
    waker = Waker(SYSTEM_CLOCK)
    links = list(site.links.values())
    return [
        Poller(
            link.name,
            link.driver(shared.setdefault(link.protocol, {})),
            deriver,
            clock=SYSTEM_CLOCK,
            sleep=asyncio.sleep,
            until=waker.until,
            share=number / len(links),
        )
        for number, link in enumerate(links)
    ]


def _publisher(site: Site, journal: Journal, deriver: Deriver, control: Control) -> Publisher:
    def snapshots_of(equipment: str) -> Mapping[str, Json]:
        state = journal.state(equipment)
        return {} if state is None else snapshots(durable.load(state))

    async def on_rival(rival: Rival) -> None:
        await deriver.begin_series("the broker knows another journal of this gateway", rival)

    return Publisher(
        translate.publishing(site),
        journal,
        translate.places(site, journal.epoch, journal.previous_epochs),
        Ports(snapshots_of=snapshots_of, submit=control.submit, on_rival=on_rival),
    )


async def _journal_must_live(journal: Journal) -> None:
    await asyncio.shield(journal.failed)


async def _heartbeat(journal: Journal, every_s: float) -> None:
    while True:
        journal.heartbeat(SYSTEM_CLOCK.now())
        await asyncio.sleep(every_s)


async def cancelled(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """End tasks that run until cancelled, and wait for their clean-up."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
