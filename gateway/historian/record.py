"""Writing to the store of record, from the event loop.

- A write returns when its rows are committed, however long the store is away; the caller
  acknowledges nothing before.
- The store is touched by one thread only, never by the event loop's.
- An outage is logged when it begins and when it ends.
- What can never be stored becomes a dead letter; the rest of its batch is stored.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import orjson

from gateway.historian.ledger import Changes, Ledger
from gateway.historian.settings import Sleep
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.store import (
    Batch,
    Birth,
    DeadLetter,
    Store,
    StoreUnavailable,
    Unstorable,
)
from gateway.ops.backoff import Uniform, delays
from gateway.wire.cloudevent import Envelope

MAX_DELAY_S = 5.0  # a database that is back must not wait a minute for us

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(slots=True)
class Written:
    """What has been committed since the start; repeats count as events."""

    events: int = 0
    dead: int = 0
    losses: int = 0
    lag_s: float | None = None
    """From the commit at the gateway to the commit here, of the newest event that was live."""


@dataclass(slots=True)
class Record:
    """The store of record and the ledger that is in step with it."""

    ledger: Ledger
    written: Written
    stalled: bool
    """A write had to wait for the store; the reader of it resets it."""
    _followers: list[asyncio.Event] = field(default_factory=list)
    _store: "_Threaded" = field(kw_only=True)
    _now: Callable[[], datetime] = field(kw_only=True)

    @property
    def away_s(self) -> float:
        """For how long the store has been away; 0 while it is there."""
        return self._store.away_s

    @property
    def outages(self) -> int:
        """How often the store was away since the start."""
        return self._store.outages

    async def write(
        self,
        events: Sequence[Envelope],
        births: Sequence[Birth] = (),
        dead: Sequence[DeadLetter] = (),
    ) -> None:
        """Store them in one transaction; more than one only to find what is unstorable."""
        changes = self.ledger.plan(events)
        batch = Batch(events, changes, births, dead, self._now())
        try:
            await self._commit(batch)
        except Unstorable as err:
            await self._write_apart(batch, err)
            return
        self.written.events += len(events)
        live = [event.recordedtime for event in events if not event.replay]
        if live:
            self.written.lag_s = max(0.0, (self._now() - live[-1]).total_seconds())
        self.written.dead += len(dead)

    async def change(self, changes: Changes) -> None:
        """Store marks, positions and losses alone."""
        await self._commit(Batch((), changes, at=self._now()))
        self.written.losses += len(changes.losses)

    def follow(self) -> asyncio.Event:
        """Return an event of the caller's own that is set after each commit."""
        follower = asyncio.Event()
        self._followers.append(follower)
        return follower

    async def events_after(self, number: int, limit: int) -> Sequence[tuple[int, Envelope]]:
        """Return stored events in the order they were stored, each with its number."""
        return await self._store.persist(lambda store: store.events_after(number, limit))

    async def cursors(self) -> Mapping[str, int]:
        """Return how far each chart store has been fed."""
        return await self._store.persist(lambda store: store.cursors())

    async def advance(self, name: str, number: int) -> None:
        """Note that the chart store ``name`` has everything up to ``number``."""
        await self._store.persist(lambda store: store.advance(name, number))

    async def plan_shifts(self, plan: ShiftPlan) -> None:
        """Make the shifts to come those of ``plan``."""
        await self._store.persist(lambda store: store.plan_shifts(plan, self._now()))

    async def _commit(self, batch: Batch) -> None:
        outages = self._store.outages
        try:
            await self._store.persist(lambda store: store.write(batch))
        finally:
            self.stalled = self.stalled or self._store.outages > outages
        self.ledger.adopt(batch.changes)
        for follower in self._followers:
            follower.set()

    async def _write_apart(self, batch: Batch, err: Unstorable) -> None:
        if batch.events and batch.births:
            await self.write(batch.events, (), batch.dead)
            await self.write((), batch.births)
            return
        if len(batch.events) + len(batch.births) > 1:
            half, births = len(batch.events) // 2, len(batch.births) // 2
            await self.write(batch.events[:half], batch.births[:births], batch.dead)
            await self.write(batch.events[half:], batch.births[births:])
            return
        _log.error("cannot be stored, kept as a dead letter: %s", err.reason)
        dead = [*batch.dead, *(_dead(event, err.reason, self._now()) for event in batch.events)]
        dead += [_dead(birth, err.reason, self._now()) for birth in batch.births]
        await self._commit(Batch((), batch.changes, (), dead))
        self.written.dead += len(dead)


@asynccontextmanager
async def recording(
    open_store: Callable[[], Store],
    *,
    now: Callable[[], datetime],
    sleep: Sleep = asyncio.sleep,
    uniform: Uniform,
) -> AsyncIterator[Record]:
    """Open the store on a thread of its own; on exit let it finish and close it.

    Waits for a store that is away. Raises StoreUnusable.
    """
    async with _threaded(open_store, sleep, uniform) as store:
        ledger = await store.persist(lambda opened: opened.ledger())
        yield Record(ledger, Written(), stalled=False, _store=store, _now=now)


class _Threaded:
    """Calls the store on the one thread that may, again and again while it is away."""

    def __init__(
        self,
        executor: ThreadPoolExecutor,
        open_store: Callable[[], Store],
        sleep: Sleep,
        uniform: Uniform,
    ) -> None:
        self.outages = 0
        self._away_since_s: float | None = None
        self._executor = executor
        self._open_store = open_store
        self._sleep = sleep
        self._uniform = uniform
        self._store: Store | None = None

    @property
    def away_s(self) -> float:
        since_s = self._away_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    async def persist(self, call: Callable[[Store], _T]) -> _T:
        """Return what ``call`` returns once the store is there; only StoreUnavailable waits."""
        loop = asyncio.get_running_loop()
        waits = delays(self._uniform, max_s=MAX_DELAY_S)
        is_away = False
        while True:
            try:
                result = await loop.run_in_executor(self._executor, self._call, call)
            except StoreUnavailable as err:
                if not is_away:
                    _log.warning("store of record is away: %s", err)
                    self.outages += 1
                    self._away_since_s = time.monotonic()
                is_away = True
                await self._sleep(next(waits))
            else:
                self._away_since_s = None
                if is_away:
                    _log.warning("store of record is back")
                return result

    def close(self) -> None:
        """Close the store, on its thread."""
        if self._store is not None:
            self._store.close()

    def _call(self, call: Callable[[Store], _T]) -> _T:
        if self._store is None:
            self._store = self._open_store()
        return call(self._store)


@asynccontextmanager
async def _threaded(
    open_store: Callable[[], Store], sleep: Sleep, uniform: Uniform
) -> AsyncIterator[_Threaded]:
    executor = ThreadPoolExecutor(1, thread_name_prefix="historian-store")
    store = _Threaded(executor, open_store, sleep, uniform)
    try:
        yield store
    finally:
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(executor, store.close))
        executor.shutdown(wait=False)


def _dead(content: Envelope | Birth, reason: str, at: datetime) -> DeadLetter:
    return DeadLetter(at, content.subject, orjson.dumps(content.data), reason)
