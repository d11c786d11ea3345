"""The durable, ordered store of events: what was appended here is not lost.

Invariants:

- append() returns after its events, the states they came from and its command are on the
  disk, in one transaction: a crash at any instruction leaves all of it or nothing.
- seq grows by one per event in the order of the calls and is never used again, also
  across restarts and after deletion.
- streamseq counts the events of one (equipment, type) of an epoch from 1 without a hole,
  local events apart, which have 0.
- What is deleted before every cursor has passed it is named by a gap event written with
  the deletion.
- Cancelling who waits for an append does not undo it; a watch misses no commit.
- One process per journal. When the disk fails, `failed` says so and nothing more is
  accepted: memory is ahead of the disk then, and the process must end.
- Reading never holds up writing; neither happens on the event loop.
"""

import asyncio
import secrets
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from gateway.journal.errors import (
    FileDamaged,
    JournalFailed,
    JournalFull,
    JournalUnusable,
    is_lack_of_room,
)
from gateway.journal.giving import Giving
from gateway.journal.identity import IdentityChange, Places
from gateway.journal.known import Known
from gateway.journal.ledger import Begins, Ledger
from gateway.journal.lineage import Lineage, Rival
from gateway.journal.lock import FileLock
from gateway.journal.numbering import from_unix_ms, prepare
from gateway.journal.opening import open_ledger
from gateway.journal.orders import Orders
from gateway.journal.reader import JournalReader
from gateway.journal.retention import DEFAULT_LIMITS, Limits
from gateway.journal.row import CommandRecord, Entry, Row, StreamHead
from gateway.journal.space import Space, Standing
from gateway.journal.watch import Watch
from gateway.journal.writer import (
    CloseOrder,
    CursorsOrder,
    EpochOrder,
    FailOrder,
    GiveOrder,
    IdentityOrder,
    Order,
    Pulse,
    Report,
    Waiter,
    Writer,
)

T = TypeVar("T")


class Journal:
    """One site's journal. Open it with `Journal.open`, end it with `close`.

    All methods belong to one event loop, that of the first call; `open` may run in any
    thread. Raises JournalFailed once the writer has ended or the journal is closed.
    """

    def __init__(
        self, path: Path, lock: FileLock, ledger: Ledger, space: Space, now: Callable[[], datetime]
    ) -> None:
        """Take over what `open` opened."""
        self._lock = lock
        self._ledger = ledger
        self._now = now
        self._writer = Writer(ledger, space, now=now)
        self._reader = JournalReader(path)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: str | None = None
        self._closing: asyncio.Task[None] | None = None

        alive_ms = ledger.last_alive_ms
        self.last_alive = None if alive_ms is None else from_unix_ms(alive_ms)
        """When the gateway last wrote before this start; None in a new journal."""
        self.was_adopted = ledger.was_adopted
        """The epoch in force at the start began with an import: others may know more by now."""
        self._known = Known(ledger)
        self._giving = Giving(self._known, self._reader, self._read, self._promise)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: Callable[[], datetime],
        limits: Limits = DEFAULT_LIMITS,
        randbelow: Callable[[int], int] = secrets.randbelow,
        readers: Mapping[str, Begins] | None = None,
    ) -> Self:
        """Open the journal or create it; blocks, after an unclean end for a check of the file.

        ``now`` gives aware UTC times and is called from the writer's thread. A damaged file
        is put aside and a new journal begun. ``readers`` are the cursors that count for what
        is delivered, and no others; None leaves them as they are. Raises JournalInUse,
        JournalUnusable or, where waiting may help, JournalFull.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
        except OSError as err:
            unusable = JournalFull if is_lack_of_room(err) else JournalUnusable
            raise unusable(path, f"cannot be created here: {err}") from err
        try:
            ledger, space = open_ledger(
                path, at=now(), limits=limits, randbelow=randbelow, readers=readers
            )
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, ledger, space, now)

    @property
    def epoch(self) -> str:
        """The epoch in force."""
        return self._known.epochs[-1]

    @property
    def previous_epochs(self) -> tuple[str, ...]:
        """The epochs before, oldest first."""
        return self._known.epochs[:-1]

    @property
    def lineage(self) -> Lineage:
        """Which lives of this gateway this file has seen, the present one included."""
        return self._known.lineage

    @property
    def failed(self) -> asyncio.Future[None]:
        """Raises JournalFailed when the writer dies; else never done. Shield it to await it."""
        self._attach()
        return self._failed

    async def append(
        self, entries: Sequence[Entry], command: CommandRecord | None = None
    ) -> list[int]:
        """Write all of it in one transaction; return the events' seqs after the commit.

        Calls take effect in the order they are made. Cancelling the caller does not cancel
        the commit. Raises CommandRepeated if the command was obeyed before, TypeError for
        an event that is not JSON; then nothing was written.
        """
        return await self.append_soon(entries, command)

    def append_soon(self, entries: Sequence[Entry], command: CommandRecord | None = None) -> Waiter:
        """Do as `append`; what is returned is done after the commit."""
        return self._order(prepare(entries, command))

    async def new_epoch(self, reason: str, rival: Rival | None = None) -> str:
        """Begin an epoch and return its name.

        Where a ``rival`` may have used our ids for other facts, what is ours alone never leaves:
        it becomes local, and gap events of the new epoch tell how much it is. Streams count
        from 1 again; the caller owes each series a new baseline.
        """
        await self._order(EpochOrder(reason, rival))
        return self.epoch

    def places(self) -> Places:
        """Return the topics under which something is retained -> their equipment."""
        return dict(self._known.places)

    async def identify(self, change: IdentityChange) -> None:
        """Note where equipment is retained, or that it is retired; return after the commit."""
        await self._order(IdentityOrder(change))

    def heartbeat(self, at: datetime) -> None:
        """The collector is alive at ``at``: known on the disk within a second. So does a commit."""
        self._check()
        self._writer.alive_at = at

    async def advance(self, cursor: str, seq: int) -> None:
        """Everything up to ``seq`` is delivered: on the disk with the next commit or in a second.

        Never goes back. Raises ValueError beyond the head.
        """
        self._check()
        if seq > self._known.head:
            raise ValueError(f"cursor {cursor}: {seq} is beyond the newest row {self._known.head}")
        if seq > self.cursor(cursor):
            self._writer.cursors = {**self._writer.cursors, cursor: seq}

    async def keep_readers(self, readers: Mapping[str, Begins]) -> None:
        """Let these cursors count for what is delivered from now on, and no others.

        One that is new begins where it says; one that is gone must not be advanced any more,
        and is forgotten. Returns when that is on the disk.
        """
        self._check()
        known, begins = self._writer.cursors, {"oldest": 0, "newest": self._known.head}
        wished = {name: known.get(name, begins[at]) for name, at in readers.items()}
        self._writer.cursors = wished
        await self._order(CursorsOrder(wished))

    def cursor(self, name: str) -> int:
        """Return what was last given to `advance`; 0 if nothing ever was."""
        return self._writer.cursors.get(name, 0)

    def pulse(self) -> Pulse:
        """Return how the writer is doing."""
        return self._writer.pulse()

    def head(self) -> int:
        """Return the last committed seq; 0 before the first."""
        return self._known.head

    def first_seq(self) -> int:
        """Return the oldest seq that still exists, head + 1 if none does."""
        return self._known.first_seq

    def heads(self, equipment: str) -> Mapping[str, StreamHead]:
        """Return type -> newest event of the epoch in force that is not local."""
        return dict(self._known.heads.get(equipment, {}))

    def last_seqs(self) -> Mapping[str, int]:
        """Return type -> newest seq of the epoch in force over all equipment, local ones apart."""
        return self._known.last_seqs()

    def states(self) -> dict[str, bytes]:
        """Return equipment -> newest committed durable state."""
        return dict(self._known.states)

    def state(self, equipment: str) -> bytes | None:
        """Return the newest committed durable state of one equipment."""
        return self._known.states.get(equipment)

    def watch(self) -> Watch:
        """Return a new watch over the commits from now on."""
        watch = Watch()
        self._watches.add(watch)
        return watch

    async def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Return the oldest rows with after < seq <= upto, by seq; local ones included.

        Never a row beyond `head`: what the writer committed a moment ago is on the disk
        before this loop was told. What was returned once never changes, also not after a crash:
        that it may be is on the disk before.
        """
        self._check()
        return await self._giving.rows(after, limit, upto)

    async def _promise(self, upto: int) -> None:
        await self._order(GiveOrder(upto))

    async def rows_between(
        self, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Row]:
        """Return the oldest rows with start <= time <= end and after < seq, by seq.

        Beyond what `rows` returned once they may still change: counts become fewer.
        """
        known = self._known.head
        rows = await self._read(partial(self._reader.rows_between, start, end, after, limit))
        return [row for row in rows if row.seq <= known]

    async def reply_to(self, command_id: str) -> Mapping[str, Any] | None:
        """Return the reply recorded with a command, with the ``seq`` of its last event."""
        return await self._read(partial(self._reader.reply_to, command_id))

    def standing(self) -> Standing:
        """Return how much room the journal has, as of a second ago."""
        return self._writer.standing

    async def close(self) -> None:
        """Commit what is pending and leave one clean file. Idempotent."""
        if self._closing is None:
            self._attach()
            self._closing = asyncio.create_task(self._close(), name="journal.close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._orders.place(CloseOrder())
        await self._ended
        loop = self._attach()
        await loop.run_in_executor(self._reading, self._writer.join)
        await loop.run_in_executor(self._reading, self._reader.close)
        self._reading.shutdown()  # its thread is idle
        self._lock.release()

    async def _read(self, read: Callable[[], T]) -> T:
        self._check()
        try:
            return await self._attach().run_in_executor(self._reading, read)
        except FileDamaged as err:
            # The writer may not have met that page: nothing more is to be written to this file.
            self._orders.place(FailOrder(err))
            raise JournalFailed(f"the journal cannot be read: {err}") from err

    def _order(self, order: Order) -> Waiter:
        self._check()
        return self._orders.place(order)

    def _check(self) -> None:
        if self._loop is None:
            self._attach()
        if self._failure is not None:
            raise JournalFailed(self._failure)
        if self._closing is not None:
            raise JournalFailed("the journal is closed")

    def _attach(self) -> asyncio.AbstractEventLoop:
        """Start the writer for the running loop, the first time."""
        if self._loop is None:
            loop = self._loop = asyncio.get_running_loop()
            self._orders = Orders(self._writer, loop)
            self._failed: asyncio.Future[None] = loop.create_future()
            self._ended: asyncio.Future[None] = loop.create_future()

            def call(function: Callable[[T], None], argument: T) -> None:
                with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                    loop.call_soon_threadsafe(function, argument)

            self._writer.start(partial(call, self._on_report), partial(call, self._on_end))
        return self._loop

    def _on_report(self, report: Report) -> None:
        self._known.learn(report.changes)
        self._orders.settle(zip(report.waiters, report.results, strict=True))
        if report.changes.touched:
            for watch in self._watches:
                watch.tell(report.changes.touched)

    def _on_end(self, failure: JournalFailed | None) -> None:
        if failure is not None:
            self._failure = str(failure)
            if not self._failed.done():
                self._failed.set_exception(failure)
                self._failed.exception()  # read once, or asyncio complains where nobody awaits it
        self._orders.settle_all(failure or JournalFailed("the journal is closed"))
        self._ended.set_result(None)
