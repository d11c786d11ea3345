"""What the links bring -> facts and state, one transaction at a time.

Invariants:

- A batch becomes one transaction, also where it feeds several equipment.
- The events of a step and the durable state they came from are handed to the journal
  together, before anything else can happen to that equipment.
- ``Batch.committed()`` is called after the commit, never before.
- A stamp of a clock that is not trusted says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from drivers.contract import Batch, DriverError, Misconfigured
from gateway.collect.parting import Parting
from gateway.collect.poller import taken
from gateway.collect.rules_change import RulesChange
from gateway.domain import durable
from gateway.domain.commanding import refusal
from gateway.domain.commands import Command, OrderCommand, Reply
from gateway.domain.equipment import next_due_s, step, waits_alike
from gateway.domain.events import Event, Gap
from gateway.domain.facts import (
    ClockStepped,
    Commanded,
    Fact,
    LinkLost,
    Reconfigured,
    Removed,
    SeriesBegan,
    Started,
    Tick,
)
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Json
from gateway.journal.journal import Journal
from gateway.journal.lineage import Rival
from gateway.journal.row import CommandRecord, Entry
from gateway.ops.clock import Clock

RETIRED_IS_BACK = "retired equipment is back"
JUST_READ_S = 0.25
_SHORTEST_TICK_S = 0.01


class Deriver:
    """Owns the state of every equipment; the only caller of `step`."""

    def __init__(
        self,
        journal: Journal,
        rules: Mapping[str, EquipmentRules],
        *,
        clock: Clock,
        boot_id: str,
        clock_is_trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        """``boot_id`` tells whether monotonic times of the last run still compare.

        Where ``clock_is_trusted`` says no, stamps of our own are marked.
        """
        self._journal = journal
        self._rules = dict(rules)
        self._clock = clock
        self._boot_id = boot_id
        self._clock_is_trusted = clock_is_trusted
        self.clock_steps = 0
        """How often somebody set the wall clock since the start."""
        self.last_step_ms = 0
        """By how much, the last time; forward is positive."""
        self._users = _equipment_of_links(rules)
        self._states: dict[str, EquipmentState] = {}
        self._parting = Parting()
        self._due_s: dict[str, float] = {}
        self._due_changed = asyncio.Event()

    async def start(self) -> None:
        """Take up the stored states and open the offline interval of the time between."""
        stored = self._journal.states()
        self._states = {name: _taken_up(name, stored) for name in self._rules}
        live = [name for name, rules in self._rules.items() if rules.stage == "live"]
        known = [name for name in live if name in stored]
        if any(self._has_hidden_past(name, stored) for name in live):
            await self._journal.new_epoch(RETIRED_IS_BACK)
        epoch_is_new = bool(known) and not any(self._was_told_of(name) for name in known)
        fact = Started(
            self._clock.now(), self._clock.mono_s(), self._boot_id, self._journal.last_alive
        )
        await self._append([self._apply(name, fact) for name in self._rules])
        if epoch_is_new:
            await self._open_series(doubtful=self._journal.was_adopted)

    @property
    def equipment(self) -> Collection[str]:
        """The codes of what is configured now: a view that follows `reconfigure`."""
        return self._rules.keys()

    async def reconfigure(
        self,
        rules: Mapping[str, EquipmentRules],
        reopened: frozenset[str],
        *,
        changed: Collection[str] | None = None,
    ) -> None:
        """Go over to other rules in one transaction; ``reopened`` links have no session now.

        A new equipment begins with its first reading, one that is gone is closed, and of the
        others only those take notice that are concerned: those ``changed``, if that is known,
        and those that lose a link.
        """
        before, now = dict(self._rules), (self._clock.now(), self._clock.mono_s())
        change = RulesChange(before, rules, reopened, changed)
        stored = self._journal.states()
        epoch_is_new = any(self._has_hidden_past(name, stored) for name in change.begins_live())
        if epoch_is_new:
            await self._journal.new_epoch(RETIRED_IS_BACK)
        entries = [self._apply(name, Removed(*now)) for name in change.closed()]
        self._rules.clear()
        self._rules.update(rules)
        self._users = _equipment_of_links(rules)
        self._parting.forget()
        for name in change.removed():
            self._states.pop(name)
            self._due_s.pop(name, None)
        for name in change.added():
            self._states[name] = _taken_up(name, stored)
            entries.append(self._apply(name, Started(*now, self._boot_id, None)))
        for name in change.concerned():
            entries.append(self._apply(name, Reconfigured(*now, before[name], reopened)))
            self._note_due(name, next_due_s(self._states[name], rules[name]))
        if epoch_is_new:
            opened = SeriesBegan(*now)
            entries += [self._apply(name, opened) for name in self._rules]
        await self._append(entries)

    def _has_hidden_past(self, equipment: str, stored: Mapping[str, bytes]) -> bool:
        """Whether a live equipment was told of before and then went on unseen.

        Retired once, its totals begin at 0; in commissioning, they went on: no series may
        see either.
        """
        if not self._was_told_of(equipment):
            return False
        return equipment not in stored or _taken_up(equipment, stored).durable.local

    def _was_told_of(self, equipment: str) -> bool:
        """Whether it has facts in the epoch in force; that others are gone is none."""
        return bool(self._journal.heads(equipment).keys() - {Gap.type})

    def state(self, equipment: str) -> EquipmentState:
        """Return what is known of an equipment; raises KeyError for an unknown one."""
        return self._states[equipment]

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        """Take in one batch; awaiting what is returned ends after the commit."""
        trusted, quality = self._clock_is_trusted(), batch.time_quality
        # Said at once, where most events come from; `_unsynced` says it of the others.
        stamped = "unsynced" if quality == "gateway" and not trusted else quality
        to_store = [
            entry
            for equipment, part in self._parting.of(link, batch, stamped)
            if (entry := self._apply(equipment, part, trusted=trusted)) is not None
        ]
        if not to_store:
            batch.committed()
            return taken()
        commit = self._journal.append_soon(to_store)
        if type(batch) is not Batch:  # others have nobody to tell
            commit.add_done_callback(partial(_tell, batch))
        return commit

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        """Take in that a link has no session."""
        lost = LinkLost(link, self._clock.now(), self._clock.mono_s(), failures, error_of(err))
        await self._append([self._apply(name, lost) for name in self._users.get(link, ())])

    async def command(self, equipment: str, command: Command) -> Reply:
        """Obey a command or refuse it; the reply carries the seq of the last event it caused."""
        if equipment not in self._rules:  # it left while the command was on its way
            return Reply(accepted=False, error=f"unknown equipment {equipment}")
        fact = Commanded(*self._moment_of(equipment, command), command)
        error = refusal(self._states[equipment], fact, self._rules[equipment])
        entry = self._apply(equipment, fact) if error is None else None
        answer = {"accepted": error is None, "error": error, "equipment": equipment}
        record = CommandRecord(command.command_id, answer)
        seqs = await self._journal.append([] if entry is None else [entry], record)
        return Reply(accepted=error is None, seq=seqs[-1] if seqs else None, error=error)

    def _moment_of(self, equipment: str, command: Command) -> tuple[datetime, float]:
        """Date an order to the reading just made for it, so that no count spans the change."""
        at, mono_s = self._clock.now(), self._clock.mono_s()
        if isinstance(command, OrderCommand):
            read_at = self._states[equipment].live.read_at.values()
            fresh = [m for m in read_at if m.mono_s and 0 <= mono_s - m.mono_s < JUST_READ_S]
            first = min(fresh, key=lambda moment: moment.at, default=None)
            if first is not None and first.mono_s is not None:
                return first.at, first.mono_s
        return at, mono_s

    async def begin_series(self, reason: str, rival: Rival | None = None) -> None:
        """Begin a new epoch in a journal that is a copy, and open every series in it."""
        await self._journal.new_epoch(reason, rival)
        rival_seen = None if rival is None else rival.last_seen
        await self._open_series(doubtful=True, rival_seen=rival_seen)

    @property
    def clock_is_trusted(self) -> bool:
        """Whether a stamp of now can be believed."""
        return self._clock_is_trusted()

    async def note_clock_step(self, offset_ms: int) -> None:
        """Say to every equipment that the wall clock was set, ``offset_ms`` forward."""
        self.clock_steps, self.last_step_ms = self.clock_steps + 1, offset_ms
        now, mono_s = self._clock.now(), self._clock.mono_s()
        stepped = ClockStepped(now, mono_s, offset_ms, self._boot_id)
        await self._append([self._apply(name, stepped) for name in self._rules])

    async def _open_series(self, *, doubtful: bool, rival_seen: datetime | None = None) -> None:
        fact = SeriesBegan(self._clock.now(), self._clock.mono_s(), doubtful, rival_seen)
        await self._append([self._apply(name, fact) for name in self._rules])

    async def run_ticks(self) -> None:
        """Tell each equipment when a moment comes that it waits for."""
        while True:
            self._due_changed.clear()
            now_s = self._clock.mono_s()
            due = [name for name, when_s in self._due_s.items() if when_s <= now_s]
            if due:
                tick = Tick(self._clock.now(), now_s)
                await self._append([self._apply(name, tick) for name in due])
            await self._wait_until(min(self._due_s.values(), default=None))

    async def _wait_until(self, when_s: float | None) -> None:
        timeout_s = None if when_s is None else max(_SHORTEST_TICK_S, when_s - self._clock.mono_s())
        try:
            async with asyncio.timeout(timeout_s):
                await self._due_changed.wait()
        except TimeoutError:
            return

    def _apply(self, equipment: str, fact: Fact, *, trusted: bool | None = None) -> Entry | None:
        """Step one equipment; None if there is nothing to store.

        ``trusted`` says whether the clock is; it is asked where nobody did.
        """
        rules, before = self._rules[equipment], self._states[equipment]
        after, events = step(before, fact, rules)
        self._states[equipment] = after
        if not waits_alike(before, after, rules):
            self._note_due(equipment, next_due_s(after, rules))
        changed = after.durable is not before.durable
        if not events and not changed:
            return None
        if events and not (self._clock_is_trusted() if trusted is None else trusted):
            events = _unsynced(events)
        state = durable.dump(after) if changed else None
        return Entry(equipment, events, state, local=rules.stage != "live")

    def _note_due(self, equipment: str, when_s: float | None) -> None:
        if when_s is None:
            self._due_s.pop(equipment, None)
        elif self._due_s.get(equipment) != when_s:
            self._due_s[equipment] = when_s
            self._due_changed.set()

    async def _append(self, entries: Sequence[Entry | None]) -> None:
        to_store = [entry for entry in entries if entry is not None]
        if to_store:
            await self._journal.append(to_store)


def _taken_up(equipment: str, stored: Mapping[str, bytes]) -> EquipmentState:
    state = stored.get(equipment)
    return EquipmentState.new(equipment) if state is None else durable.load(state)


def _unsynced(events: Iterable[Event]) -> list[Event]:
    """Mark what our own clock stamped; a device that is trusted has one of its own."""
    return [
        replace(event, time_quality="unsynced") if event.time_quality == "gateway" else event
        for event in events
    ]


def _tell(batch: Batch, commit: asyncio.Future[list[int]]) -> None:
    if not commit.cancelled() and commit.exception() is None:
        batch.committed()


def _equipment_of_links(rules: Mapping[str, EquipmentRules]) -> dict[str, list[str]]:
    users: dict[str, set[str]] = {}
    for name, of_equipment in rules.items():
        for tag in of_equipment.tags.values():
            users.setdefault(tag.link, set()).add(name)
    return {link: sorted(names) for link, names in users.items()}


def error_of(err: Exception) -> Json:
    """Return what `Health` says of an error; ``code`` and ``fields`` name its hint."""
    if isinstance(err, DriverError):
        told: Json = {"class": type(err).__name__, "text": err.reason, "hint": err.hint}
        refusal = err.refusal if isinstance(err, Misconfigured) else None
        if refusal is not None:
            fields = {name: str(value) for name, value in refusal.fields.items()}
            return told | {"code": refusal.code, "fields": fields}
        return told | {"code": err.hint_code} if err.hint_code else told
    return {"class": "Defect", "text": str(err) or type(err).__name__, "hint": "see the log"}
