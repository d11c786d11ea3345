"""The gateway's side of MQTT: one session after the other, for the life of the process.

- Every session says the same in the same order: births, states, ``online``; then events,
  health and answers, side by side.
- A lost session is tried again with full jitter up to a minute; an outage is logged when it
  begins and when it ends, and not in between.
- Before anything is published the retained health is read: if it is of another journal, of
  which ours is a copy or the other way round, a new epoch begins first.
- What is retained at a place its equipment has left is cleared before the session begins.
- On a clean stop ``online`` false is confirmed before the connection is closed; in every other
  end the broker says it for us.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from gateway.journal.lineage import Rival
from gateway.ops.backoff import delays
from gateway.ops.mqtt_terms import BrokerSettings, Message, MqttError
from gateway.publish.commands import Commands, Submit
from gateway.publish.counts import Counts
from gateway.publish.moves import Moves
from gateway.publish.mqtt import Connection, Greeting, connect
from gateway.publish.places import Places
from gateway.publish.presence import Presence, online_payload, session_of
from gateway.publish.pump import Pump
from gateway.publish.replay import Replays
from gateway.publish.replies import Replies
from gateway.publish.rival import rival
from gateway.publish.snapshots import Snapshots, SnapshotsOf
from gateway.publish.source import Source
from gateway.publish.timing import Timing

_STEADY_S = 60.0
"""After a session this long the next outage begins with short waits again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings:
    """``max_rate_per_s`` bounds a backlog; replays asked for take a tenth of it."""

    broker: BrokerSettings
    window: int = 50
    max_rate_per_s: float = 5000.0
    selftest_s: float = 5.0
    """How long the message to ourselves may take, in MQTT 3.1.1."""
    retained_wait_s: float = 0.5
    """How long the retained health is waited for: there is none at a new broker."""
    farewell_s: float = 2.0
    """How long a stop waits for the broker to hear of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the publisher asks of the rest of the gateway."""

    snapshots_of: SnapshotsOf
    submit: Submit
    on_rival: Callable[[Rival], Awaitable[None]]
    """Begin a new epoch: another journal may already have used this one."""
    more_health: Callable[[], Mapping[str, object]] = dict
    """Clock, disk, drops and the like, for the health message."""


class Publisher:
    """Delivers one journal to one broker."""

    def __init__(
        self,
        settings: PublishSettings,
        journal: Source,
        places: Places,
        ports: Ports,
        timing: Timing | None = None,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._places = places = replace(places)  # it changes, and is ours
        self._ports = ports
        self._timing = timing = timing or Timing()
        self._counts = counts = Counts()
        self._number = 0
        """Of the present MQTT session: grows with each, also over restarts."""
        self._began = timing.clock.now()
        self._following: asyncio.Queue[tuple[Collection[str], Collection[str]]] = asyncio.Queue()
        """Equipment of which something else is said since this session began, new topics."""
        self._connected_before = False
        self._outage = False
        rate = settings.max_rate_per_s
        self._moves = Moves(journal, places, settings.broker, wait_s=settings.retained_wait_s)
        self._pump = Pump(
            journal, places, counts, window=settings.window, max_rate_per_s=rate, timing=timing
        )
        self._snapshots = Snapshots(
            journal, places, counts, snapshots_of=ports.snapshots_of, timing=timing
        )
        self._presence = Presence(
            journal,
            places,
            counts,
            protocol=settings.broker.protocol,
            more_health=ports.more_health,
            timing=timing,
        )
        self._commands = Commands(places, ports.submit, timing)

    def stats(self) -> Counts:
        """Return the live counts of this process."""
        return self._counts

    async def follow(self, places: Places, changed: Collection[str]) -> None:
        """Speak of this equipment, at these places, from now on.

        What is retained follows in the present session, or with the next one: births and
        states of what ``changed``; what stands where nobody is any more is cleared.
        """
        await self._moves.occupy(places)
        self._places.become(places)
        new = self._commands.follow()
        self._following.put_nowait((changed, new))

    async def drain(self, timeout_s: float) -> bool:
        """Wait until everything committed so far is confirmed; False if it is not in time."""
        head = self._journal.head()
        try:
            async with asyncio.timeout(timeout_s):
                await self._pump.reached(head)
        except TimeoutError:
            return False
        return True

    async def run(self) -> NoReturn:
        """Keep a session up until cancelled."""
        mono_s = self._timing.clock.mono_s
        waits = delays(self._timing.uniform)
        while True:
            began_s = mono_s()
            try:
                await self._session()
            except* MqttError as group:
                self._note_outage(_first(group))
            finally:
                self._counts.online = False
            if mono_s() - began_s > _STEADY_S:
                waits = delays(self._timing.uniform)
            await self._timing.sleep(next(waits))

    async def _session(self) -> None:
        while not self._following.empty():
            self._following.get_nowait()  # a new session says all of it anyway
        await self._moves.vacate()
        greeting = self._greeting()
        async with connect(self._settings.broker, greeting) as connection:
            earlier = session_of(connection.earlier_online)
            if earlier >= self._number:
                _log.warning(
                    "session %d is no newer than %d: was the clock set?", self._number, earlier
                )
                self._number = earlier
                return  # the will has that number too
            other, head = rival(connection.earlier_health, self._journal), self._journal.head()
            if other is not None:
                _log.error("another journal has our name, in epoch %s: a copy?", other.epoch)
                await self._ports.on_rival(other)
                return  # the will still names the old epoch
            self._note_session()
            try:
                await self._serve(connection, began_at=head)
            except asyncio.CancelledError:
                await self._farewell(connection)
                raise

    async def _serve(self, connection: Connection, *, began_at: int) -> None:
        """Say who we are, then do everything side by side until the connection ends."""
        await self._moves.occupy()
        await self._presence.announce_births(connection)
        await self._snapshots.publish_all(connection)
        await self._presence.announce_online(connection, self._online(online=True))
        replies = Replies(connection, self._places.topics, self._counts)
        replays = Replays(
            self._journal,
            self._places,
            self._counts,
            max_rate_per_s=self._settings.max_rate_per_s,
            timing=self._timing,
        )

        async def obey(message: Message) -> None:
            if message.topic == self._places.topics.cmd_replay:
                await replays.handle(message, replies)
            elif message.topic in self._commands.topics:
                await self._commands.handle(message, replies)

        selftest = connection.selftest_passed
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(connection.ended(), name="publish.ended")
            tasks.create_task(self._pump.run(connection, began_at), name="publish.pump")
            tasks.create_task(self._snapshots.run(connection), name="publish.snapshots")
            tasks.create_task(
                self._presence.run(connection, selftest_passed=selftest), name="publish.health"
            )
            tasks.create_task(replays.run(connection, replies), name="publish.replays")
            tasks.create_task(connection.serve(obey), name="publish.commands")
            tasks.create_task(self._follow(connection), name="publish.follow")

    async def _follow(self, connection: Connection) -> NoReturn:
        while True:
            changed, topics = await self._following.get()
            await self._moves.vacate()
            await connection.listen(topics)
            await self._presence.announce_births(connection, changed)
            await self._snapshots.publish_anew(connection, changed)

    async def _farewell(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(self._settings.farewell_s):
                await self._presence.announce_online(connection, self._online(online=False))
        except (MqttError, TimeoutError):
            connection.drop("the broker did not hear that we leave")

    def _greeting(self) -> Greeting:
        now_s = int(self._timing.clock.now().timestamp())
        self._number = max(self._number + 1, now_s)
        self._began = self._timing.clock.now()
        topics = self._places.topics
        return Greeting(
            client_id=f"millgate-{topics.site}-{topics.gateway}",
            topics=topics,
            will=self._online(online=False),
            commands=[topics.cmd_replay, *self._commands.topics],
            selftest_s=self._settings.selftest_s,
            retained_wait_s=self._settings.retained_wait_s,
        )

    def _online(self, *, online: bool) -> bytes:
        epoch = self._journal.epoch
        return online_payload(online=online, session=self._number, epoch=epoch, at=self._began)

    def _note_outage(self, error: BaseException) -> None:
        level = logging.DEBUG if self._outage else logging.WARNING
        _log.log(level, "broker offline: %s", str(error))
        self._outage = True

    def _note_session(self) -> None:
        self._counts.online = True
        if self._connected_before:
            self._counts.reconnects += 1
        self._connected_before = True
        if self._outage:
            _log.warning("broker online again")
        self._outage = False


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one of the errors in a group: they all tell of the same end."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
