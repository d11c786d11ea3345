"""The gateway's side of MQTT: one session after the other, for the life of the process.

- Of several brokers one at a time is served, in the order of preference; `mqtt_choice` says
  which. Before it is left for a better one, what is under way is confirmed.

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
from typing import NoReturn, TypeVar, cast

from gateway.journal.lineage import Rival
from gateway.ops.mqtt_choice import PATIENCE_S, BetterBroker, BrokerChoice, look_for_better
from gateway.ops.mqtt_terms import BrokerSettings, MqttError
from gateway.publish.commands import Commands, Submit
from gateway.publish.counts import Counts
from gateway.publish.flood import FloodGate
from gateway.publish.moves import Moves
from gateway.publish.mqtt import Connection, Greeting, connect
from gateway.publish.obeying import Obeying
from gateway.publish.places import Places
from gateway.publish.presence import Presence, online_payload, session_of
from gateway.publish.pump import Pump, SetAside
from gateway.publish.rival import rival
from gateway.publish.snapshots import Snapshots, SnapshotsOf
from gateway.publish.source import Source
from gateway.publish.timing import Timing

_log = logging.getLogger(__name__)
_E = TypeVar("_E", bound=Exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings:
    """``max_rate_per_s`` bounds a backlog; replays asked for take a tenth of it."""

    broker: BrokerSettings
    standbys: tuple[BrokerSettings, ...] = ()
    """Used in this order while the broker is away."""
    patience_s: float = PATIENCE_S
    """How long a broker may be away before the next is tried."""
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
    set_aside: SetAside
    """Name a row that no broker takes."""
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
        self._choice = BrokerChoice(
            (settings.broker, *settings.standbys),
            uniform=timing.uniform,
            mono_s=timing.clock.mono_s,
            patience_s=settings.patience_s,
        )
        self._moves = Moves(journal, places, wait_s=settings.retained_wait_s)
        self._pump = Pump(
            journal,
            places,
            counts,
            window=settings.window,
            max_rate_per_s=settings.max_rate_per_s,
            timing=timing,
            set_aside=ports.set_aside,
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
        self._gate = FloodGate(timing.clock.mono_s)

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
        while True:
            began_s, broker, wait_s = self._timing.clock.mono_s(), self._choice.broker, 0.0
            try:
                await self._session()
            except* BetterBroker as group:
                self._choice.turn_to(_first(group))
            except* MqttError as group:
                error = _first(group)
                self._note_outage(error)
                was_up = self._counts.online and not self._pump.has_a_suspect
                wait_s = self._choice.failed(began_s, error.reason_code, was_up=was_up)
                self._note_takeovers()
            else:
                wait_s = self._choice.failed(began_s)
            finally:
                self._counts.online = False
            if self._choice.broker != broker:
                self._pump.oversize.forget()
            await self._timing.sleep(wait_s)

    async def _session(self) -> None:
        while not self._following.empty():
            self._following.get_nowait()  # a new session says all of it anyway
        broker = self._choice.broker
        self._presence.protocol = broker.protocol
        self._counts.broker, self._counts.on_standby = broker.name, bool(self._choice.better)
        await self._moves.vacate(broker, self._choice.others)
        greeting = self._greeting()
        async with connect(broker, greeting) as connection:
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
            except ExceptionGroup as group:
                if group.subgroup(BetterBroker):
                    await self._farewell(connection)
                raise

    async def _serve(self, connection: Connection, *, began_at: int) -> None:
        """Say who we are, then do everything side by side until the connection ends."""
        await self._moves.occupy()
        await self._presence.announce_births(connection)
        await self._snapshots.publish_all(connection)
        await self._presence.announce_online(connection, self._online(online=True))
        obeying = Obeying(
            connection,
            self._journal,
            self._places,
            self._counts,
            commands=self._commands,
            gate=self._gate,
            max_rate_per_s=self._settings.max_rate_per_s,
            timing=self._timing,
            oversize=self._pump.oversize,
        )
        selftest = connection.selftest_passed
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(connection.ended(), name="publish.ended")
            tasks.create_task(self._pump.run(connection, began_at), name="publish.pump")
            tasks.create_task(self._snapshots.run(connection), name="publish.snapshots")
            tasks.create_task(
                self._presence.run(connection, selftest_passed=selftest), name="publish.health"
            )
            tasks.create_task(obeying.replay(), name="publish.replays")
            tasks.create_task(connection.serve(obeying.obey), name="publish.commands")
            tasks.create_task(self._follow(connection), name="publish.follow")
            tasks.create_task(self._leave_for_better(), name="publish.better")

    async def _follow(self, connection: Connection) -> NoReturn:
        while True:
            changed, topics = await self._following.get()
            await self._moves.vacate(self._choice.broker, self._choice.others)
            await connection.listen(topics)
            await self._presence.announce_births(connection, changed)
            await self._snapshots.publish_anew(connection, changed)

    async def _leave_for_better(self) -> NoReturn:
        """Raise BetterBroker when there is one and nothing is under way any more."""
        try:
            await look_for_better(self._choice, self._client_id, self._timing.sleep)
        except BetterBroker:
            await self._pump.pause(self._settings.farewell_s)
            raise

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
            client_id=self._client_id,
            topics=topics,
            will=self._online(online=False),
            commands=[topics.cmd_replay, *self._commands.topics],
            selftest_s=self._settings.selftest_s,
            retained_wait_s=self._settings.retained_wait_s,
        )

    @property
    def _client_id(self) -> str:
        return f"millgate-{self._places.topics.site}-{self._places.topics.gateway}"

    def _online(self, *, online: bool) -> bytes:
        epoch = self._journal.epoch
        return online_payload(online=online, session=self._number, epoch=epoch, at=self._began)

    def _note_outage(self, error: MqttError) -> None:
        level = logging.DEBUG if self._outage else logging.WARNING
        broker = self._choice.broker.name
        _log.log(level, "broker offline: %s", str(error), extra={"broker": broker})
        self._outage = True
        self._pump.session_ended(error.reason_code)

    def _note_takeovers(self) -> None:
        if self._choice.takeovers > self._counts.taken_over:
            self._counts.taken_over = self._choice.takeovers
            name, broker = self._client_id, self._choice.broker.name
            _log.error("sessions of %s at %s end at once: two gateways of one name?", name, broker)

    def _note_session(self) -> None:
        self._counts.online = True
        if self._connected_before:
            self._counts.reconnects += 1
        self._connected_before = True
        if self._outage:
            _log.warning("broker online again")
        self._outage = False


def _first(group: BaseExceptionGroup[_E]) -> _E:
    """Return one of the errors in a group: they all tell of the same end."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("_E", error)
