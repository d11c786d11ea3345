"""The collecting half: links, deriver, journal, publisher, composed from one site."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway.app import translate
from gateway.app.live import LiveSite
from gateway.app.pushing import Pushing
from gateway.app.reconfigure import Reconfiguration
from gateway.app.room import with_room
from gateway.collect.clock_steps import watch_clock
from gateway.collect.deriver import Deriver
from gateway.collect.links import cancelled
from gateway.collect.poller import Poller, read_all_now
from gateway.control.commands import Control, ReadNow
from gateway.control.configuring import Reload
from gateway.control.server import listening
from gateway.domain import durable
from gateway.domain.snapshot import snapshots
from gateway.domain.vocabulary import BROKERS, Json
from gateway.journal.errors import JournalError, JournalFull
from gateway.journal.journal import Journal
from gateway.journal.lineage import Rival
from gateway.journal.row import Entry, Row
from gateway.ops.boot import boot_id
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.notify import Notifier
from gateway.ops.timesync import ClockTrust
from gateway.publish.publisher import Ports, Publisher
from gateway.publish.sending import dead_letter
from gateway.settings.diff import COLLECTOR_KEYS
from gateway.settings.revisions import Revisions
from gateway.settings.site import Site

__all__ = ["SOCKET", "Collector", "cancelled", "collector"]

DRAIN_TIMEOUT_S = 5.0
SOCKET = "control.sock"
"""Beside the journal: who may write there may command."""
_log = logging.getLogger(__name__)


@dataclass
class Collector:
    """A collecting gateway. `run` starts its tasks, `stop` ends them in order."""

    live: LiveSite
    journal: Journal
    deriver: Deriver
    publisher: Publisher
    pushing: Pushing
    configuration: Reconfiguration
    _tasks: asyncio.TaskGroup | None = None
    _reading: list["asyncio.Task[Any]"] = field(default_factory=list)
    _to_the_end: list["asyncio.Task[Any]"] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """The configuration in force."""
        return self.live.site

    @property
    def pollers(self) -> Collection[Poller]:
        """One for each link there is now."""
        return self.live.links.pollers

    @property
    def links_online(self) -> int:
        """How many links have a session that answers."""
        return sum(poller.stats.online for poller in self.pollers)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start everything; a task that fails ends ``tasks`` and with it the process."""
        self._tasks = tasks
        self._to_the_end = [
            tasks.create_task(self.publisher.run(), name="publisher"),
            tasks.create_task(_journal_must_live(self.journal), name="journal.failed"),
        ]
        self.pushing.start(tasks)
        self.live.links.start(tasks)
        self._reading.append(tasks.create_task(self.deriver.run_ticks(), name="ticks"))
        steps = watch_clock(SYSTEM_CLOCK, self.deriver.note_clock_step, asyncio.sleep)
        self._reading.append(tasks.create_task(steps, name="clock"))
        self._reading.append(
            tasks.create_task(
                _heartbeat(self.journal, self.site.gateway.journal.heartbeat_s), name="heartbeat"
            )
        )

    def reload(self) -> None:
        """Take up the files as they lie on the disk, soon."""
        if self._tasks is not None:
            wish = Reload(by="SIGHUP")
            task = self._tasks.create_task(self.configuration.change(wish), name="reload")
            self._reading.append(task)

    async def stop(self) -> None:
        """Stop reading, deliver what is committed if the broker takes it, then say goodbye."""
        await cancelled(self._reading)
        await self.live.links.stop()
        if self.publisher.stats().online and not await self.publisher.drain(DRAIN_TIMEOUT_S):
            _log.warning("stopping with a backlog; it is delivered after the next start")
        await self.pushing.stop()
        await cancelled(self._to_the_end)


@asynccontextmanager
async def collector(site: Site, notifier: Notifier | None = None) -> AsyncIterator[Collector]:
    """Open the journal and compose what works on it. Raises JournalError."""
    journal = await _opened(site, notifier or Notifier({}))
    live: LiveSite | None = None
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
        live = LiveSite(site, journal, deriver)
        configuration = Reconfiguration(
            live,
            Revisions(site.directory, site.path(site.gateway.journal.path)),
            fixed=COLLECTOR_KEYS,
            now=SYSTEM_CLOCK.now,
        )
        await configuration.start()
        control = Control(
            deriver, journal, deriver.equipment, _reading_by(live), configuring=configuration
        )
        live.publisher = publisher = _publisher(site, journal, deriver, control, trust)
        async with listening(site.path(site.gateway.journal.path).parent / SOCKET, control):
            live.pushing = pushing = Pushing(
                site, journal, live.place_of, partial(_set_aside, journal)
            )
            yield Collector(live, journal, deriver, publisher, pushing, configuration)
    finally:
        if live is not None:
            live.release()
        await journal.close()


def _reading_by(live: LiveSite) -> ReadNow:
    async def read_now(equipment: str) -> None:
        await read_all_now(live.read_over(equipment))

    return read_now


async def _opened(site: Site, notifier: Notifier) -> Journal:
    """Open the journal, on a full disk as soon as there is room."""

    def opening() -> Coroutine[Any, Any, Journal]:
        return _closed_if_cancelled(
            asyncio.to_thread(
                Journal.open,
                site.path(site.gateway.journal.path),
                now=SYSTEM_CLOCK.now,
                limits=translate.limits(site),
                readers=translate.readers(site),
            )
        )

    return await with_room(opening, JournalFull, "nothing is collected", notifier)


async def _closed_if_cancelled(opening: Coroutine[Any, Any, Journal]) -> Journal:
    """Wait for a journal; one that nobody waits for any more when it is open is closed."""
    task = asyncio.create_task(opening, name="journal.open")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(JournalError):
            await (await task).close()
        raise


def _publisher(
    site: Site, journal: Journal, deriver: Deriver, control: Control, trust: ClockTrust
) -> Publisher:
    def snapshots_of(equipment: str) -> Mapping[str, Json]:
        state = journal.state(equipment)
        return {} if state is None else snapshots(durable.load(state))

    async def on_rival(rival: Rival) -> None:
        await deriver.begin_series("the broker knows another journal of this gateway", rival)

    def more_health() -> Mapping[str, object]:
        room = journal.standing()
        return {
            "drops": room.lost,
            "merged": room.merged,
            "clock": {"trusted": trust.trusted},
            "disk": {
                "free_bytes": room.free_bytes,
                "log_bytes": room.log_bytes,
                "alarm": room.alarm,
            },
        }

    return Publisher(
        translate.publishing(site),
        journal,
        translate.places(site, journal.epoch, journal.previous_epochs),
        Ports(
            snapshots_of=snapshots_of,
            submit=control.submit,
            on_rival=on_rival,
            set_aside=partial(_refused_by_brokers, journal),
            more_health=more_health,
        ),
    )


async def _refused_by_brokers(journal: Journal, row: Row, reason: str) -> None:
    del reason  # it is in the log
    await _set_aside(journal, row, BROKERS)


async def _set_aside(journal: Journal, row: Row, target: str) -> None:
    """Name a row that a target will not get."""
    gaps = dead_letter(row, epoch=journal.epoch, at=SYSTEM_CLOCK.now(), target=target)
    if gaps:
        await journal.append([Entry(row.equipment, gaps)])


async def _journal_must_live(journal: Journal) -> None:
    await asyncio.shield(journal.failed)


async def _heartbeat(journal: Journal, every_s: float) -> None:
    while True:
        journal.heartbeat(SYSTEM_CLOCK.now())
        await asyncio.sleep(every_s)
