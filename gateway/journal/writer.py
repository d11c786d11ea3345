"""The one thread that writes.

- It commits what has arrived as soon as the previous commit is done: under load many
  appends share one transaction, alone an append does not wait.
- Cursors and heartbeats ride with the next commit, or have one of their own within
  TICK_S.
- However it ends, it says so: nobody waits for a writer that is gone.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from gateway.journal.changes import Changes
from gateway.journal.errors import JournalError, JournalFailed
from gateway.journal.identity import IdentityChange
from gateway.journal.ledger import Ledger, Result
from gateway.journal.lineage import Rival
from gateway.journal.numbering import Append
from gateway.journal.space import Space, Standing
from gateway.ops.durations import Durations, Histogram

TICK_S = 0.5

Waiter = asyncio.Future[list[int]]


@dataclass(frozen=True, slots=True)
class EpochOrder:
    """Begin an epoch, perhaps because of a ``rival``."""

    reason: str
    rival: Rival | None


@dataclass(frozen=True, slots=True)
class IdentityOrder:
    """Change what is known of places and equipment."""

    change: IdentityChange


@dataclass(frozen=True, slots=True)
class CursorsOrder:
    """Let these cursors count, and no others."""

    cursors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GiveOrder:
    """Consumers are to be given rows up to here."""

    upto: int


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """Write what is left and end."""


@dataclass(frozen=True, slots=True)
class FailOrder:
    """A reader found what a writer must not go on with."""

    error: JournalError


Change = EpochOrder | IdentityOrder | CursorsOrder | GiveOrder
"""Each a transaction of its own."""
Order = Append | Change | CloseOrder | FailOrder
Placed = tuple[Order, Waiter]
"""An order and who waits for it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one transaction did, for the event loop: only it may touch the waiters."""

    changes: Changes
    waiters: Sequence[Waiter]
    results: Sequence[Result]
    """One for each waiter."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the thread is doing, for whoever watches over it."""

    turned_mono_s: float
    """When it last looked for something to do; it looks every TICK_S unless it writes."""
    commits: Histogram
    """How long its transactions took."""


class Writer:
    """Owns the ledger from `start` on."""

    def __init__(self, ledger: Ledger, space: Space, *, now: Callable[[], datetime]) -> None:
        """Start nothing yet."""
        self._ledger = ledger
        self._space = space
        self._now = now
        self._orders: queue.SimpleQueue[Sequence[Placed]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._alive_written: datetime | None = None
        self._turned_s = time.monotonic()
        self._commits = Durations()
        self.cursors: Mapping[str, int] = dict(ledger.cursors)
        """As wished; replaced as a whole by the event loop, read by the thread."""
        self.alive_at: datetime | None = None
        """The newest heartbeat; likewise."""

    def start(
        self, report: Callable[[Report], None], ended: Callable[[JournalFailed | None], None]
    ) -> None:
        """Start the thread; it calls ``report`` after each commit and ``ended`` at the end."""
        self._report = report
        self._ended = ended
        self._thread.start()

    def submit(self, orders: Sequence[Placed]) -> None:
        """Hand over orders; they are carried out in this order. Never blocks."""
        self._orders.put(orders)

    def pulse(self) -> Pulse:
        """Return how it is doing; from any thread."""
        return Pulse(self._turned_s, self._commits.histogram())

    @property
    def standing(self) -> Standing:
        """How much room there is."""
        return self._space.standing

    def join(self) -> None:
        """Wait for the thread to be gone."""
        self._thread.join()

    def _run(self) -> None:
        # What stands here if a defect ends the thread; the traceback goes to threading.excepthook.
        failure: JournalFailed | None = JournalFailed("the journal's writer ended by a defect")
        try:
            self._serve()
            at = self._now()
            self._space.with_room(lambda: self._ledger.close(at), at)
            failure = None
        except JournalError as err:
            failure = JournalFailed(f"the journal cannot be written: {err}")
            failure.__cause__ = err
            with suppress(JournalError):
                self._ledger.abandon()
        finally:
            self._ended(failure)

    def _serve(self) -> None:
        more_to_tidy = False
        while True:
            self._turned_s = time.monotonic()
            orders = self._take(0.0 if more_to_tidy else TICK_S)
            if self._carry_out(orders):
                return
            self._release_held()
            self._space.look()
            more_to_tidy = self._trim() or (not orders and self._space.tidy())

    def _take(self, wait_s: float) -> list[Placed]:
        """Return everything that has arrived, waiting for the first if need be."""
        orders: list[Placed] = []
        try:
            orders += self._orders.get(timeout=wait_s)
            while True:
                orders += self._orders.get_nowait()
        except queue.Empty:
            return orders

    def _carry_out(self, orders: Sequence[Placed]) -> bool:
        """Carry out the orders; return whether one was to end."""
        appends: list[Append] = []
        waiters: list[Waiter] = []
        for order, waiter in orders:
            if isinstance(order, Append):
                appends.append(order)
                waiters.append(waiter)
                continue
            self._commit(appends, waiters)
            appends, waiters = [], []
            if isinstance(order, CloseOrder):
                self._commit([], [], at_the_end=True)
                self._release_held()
                return True
            if isinstance(order, FailOrder):
                raise order.error
            self._change(order)
            self._tell([waiter], [[]])
        self._commit(appends, waiters)
        return False

    def _release_held(self) -> None:
        if self._ledger.held.rows:
            delivered = min(self.cursors.values(), default=0)
            self._space.with_room(partial(self._ledger.release_held, delivered), self._now())

    def _commit(
        self, appends: Sequence[Append], waiters: Sequence[Waiter], *, at_the_end: bool = False
    ) -> None:
        alive_at, cursors = self.alive_at, self.cursors
        may_wait = self._ledger.held.on and not at_the_end
        moved = not may_wait and cursors != self._ledger.cursors
        if not appends and not moved and alive_at == self._alive_written:
            return
        at = self._now()
        began_s = time.monotonic()
        results = self._space.with_room(lambda: self._ledger.commit(appends, cursors, at), at)
        self._commits.note(time.monotonic() - began_s)
        self._alive_written = alive_at
        self._tell(waiters, results)

    def _change(self, order: Change) -> None:
        at, ledger = self._now(), self._ledger
        if isinstance(order, IdentityOrder):
            self._space.with_room(partial(ledger.identify, order.change), at)
        elif isinstance(order, CursorsOrder):
            self._space.with_room(partial(ledger.let_count, order.cursors), at)
        elif isinstance(order, GiveOrder):
            self._space.with_room(partial(ledger.give, order.upto), at)
        else:
            begin = partial(ledger.begin_epoch, order.reason, at, rival=order.rival)
            self._space.with_room(begin, at)

    def _trim(self) -> bool:
        trimmed = self._space.trim(self._now())
        if trimmed:
            self._tell([], [])
        return trimmed

    def _tell(self, waiters: Sequence[Waiter], results: Sequence[Result]) -> None:
        self._report(Report(self._ledger.take_changes(), waiters, results))
