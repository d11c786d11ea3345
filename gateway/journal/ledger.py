"""The one writing connection, and what a transaction is.

- A transaction holds events, the states they came from, stream numbers, cursors, commands
  and the time: all of it is on the disk afterwards, or nothing.
- Memory follows the file: what is remembered here changes after COMMIT only.

Used by one thread at a time; knows no event loop and no quota.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Literal

from gateway.domain.events import Gap, Reading
from gateway.journal import tables
from gateway.journal.changes import Changes
from gateway.journal.epoch import MAX_STREAMSEQ, draw_epoch
from gateway.journal.errors import CommandRepeated, FileFull, as_journal_errors
from gateway.journal.held import Held, lost_with_a_crash, read_promises
from gateway.journal.identity import IdentityChange, read_places
from gateway.journal.lineage import Life, Lineage, Rival
from gateway.journal.merging import Merged
from gateway.journal.numbering import (
    Append,
    Numbered,
    Stream,
    number,
    prepare,
    unix_ms,
)
from gateway.journal.retention import Victim, name_gaps, rows_bytes
from gateway.journal.row import StreamHead

EPOCH_ENDS_AT = MAX_STREAMSEQ // 2
"""A start with a streamseq beyond this begins an epoch: room for years without a start."""
ADOPTED = frozenset({"import", "restore", "salvage"})
"""Why an epoch begins in a journal that came from elsewhere, or may have forgotten something."""

_GIVEN, _GIVEN_LIFE = "given", "given_life"
"""Marks; the second is the life that keeps the first: a program that knows of neither may come
between."""

Result = list[int] | CommandRepeated
"""The seqs of one append, or why it was not written."""


Begins = Literal["oldest", "newest"]
"""Where a reader of the journal begins that is new: with everything kept, or from now on."""


class Ledger:
    """The journal's file as its writer sees it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        randbelow: Callable[[int], int],
        *,
        hold_readings: bool = False,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over a connection of `open_file` and read what it holds; write nothing."""
        self.connection = connection
        self.held = Held(on=hold_readings)
        self._mono_s = mono_s
        self.appended_bytes = 0
        """What was written since the start, by the estimate of `row_bytes`; for `Space`."""
        self.lost = 0
        """Rows removed since the start before every consumer had them."""
        self.merged = 0
        """Counts whose parts stand in a later one since the start."""
        self._randbelow = randbelow
        with as_journal_errors():
            self._load()
        self._changes = self._no_changes()

    def _load(self) -> None:
        query = self.connection.execute
        self._marks: dict[str, int] = dict(query("SELECT name, value FROM mark").fetchall())
        self.last_alive_ms = self._marks.get("alive_ms")
        self.epochs: tuple[str, ...] = tuple(
            e for (e,) in query("SELECT epoch FROM epoch ORDER BY number")
        )
        newest = query("SELECT reason FROM epoch ORDER BY number DESC LIMIT 1").fetchone()
        self.was_adopted: bool = newest is not None and newest[0] in ADOPTED
        self.cursors: dict[str, int] = dict(query("SELECT name, seq FROM cursor").fetchall())
        self.states: dict[str, bytes] = dict(query("SELECT equipment, state FROM state").fetchall())
        self.heads: dict[Stream, StreamHead] = {
            (equipment, kind): StreamHead(streamseq, seq)
            for equipment, kind, streamseq, seq in query("SELECT * FROM stream")
        }
        self._promised = read_promises(self.connection)
        for stream, streamseq in self._promised.items():
            held = self.heads.get(stream, StreamHead(0, 0))
            self.heads[stream] = StreamHead(max(held.streamseq, streamseq), held.seq)
        self.places = read_places(self.connection)
        lives = query("SELECT number, name, after FROM life ORDER BY number").fetchall()
        self.lineage = Lineage(tuple(Life(*life) for life in lives))
        found = query("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
        self.head: int = max(found[0] if found else 0, self._marks.get("seq_promised", 0))
        self.first_seq = self._find_first_seq()
        if not lives or self._marks.get(_GIVEN_LIFE) != lives[-1][0]:
            self._marks[_GIVEN] = self.head  # nobody noted what was given: all may have been

    @property
    def epoch(self) -> str:
        """The epoch in force."""
        return self.epochs[-1]

    @property
    def delivered(self) -> int:
        """Every consumer has the rows up to here."""
        return min(self.cursors.values(), default=0)

    @property
    def given(self) -> int:
        """No consumer was given a row beyond this one, in any life of the journal."""
        return self._marks[_GIVEN]

    @property
    def reading_bytes(self) -> int:
        """What the readings take, by the estimate of `row_bytes`."""
        return self._marks["reading_bytes"]

    @property
    def reading_floor(self) -> int:
        """There are no readings at or below this seq."""
        return self._marks["reading_floor"]

    def take_changes(self) -> Changes:
        """Return what was committed since the last call."""
        changes, self._changes = self._changes, self._no_changes()
        return changes

    def enter_use(self, at: datetime, *, reason: str) -> None:
        """Begin a life: the file is in use until `close`. Begin an epoch too if one is due.

        ``reason`` says why a file without any is new.
        """
        life = self.lineage.draw(self.head, self._randbelow)
        with self._transaction():
            marks = self._write_marks(clean=0, given=self.given, given_life=life.number)
            tables.insert_life(self.connection, life)
            tables.forget_old_commands(self.connection)
        self._marks |= marks
        self.lineage = Lineage((*self.lineage.lives, life))
        if not self.epochs:
            self.begin_epoch(reason, at)
        elif max((h.streamseq for h in self.heads.values()), default=0) > EPOCH_ENDS_AT:
            self.begin_epoch("streamseq", at)
        elif self._promised:
            self._name_promised(at)

    def _name_promised(self, at: datetime) -> None:
        """Readings were in memory when the process was killed."""
        gaps = lost_with_a_crash(self._promised, at)
        numbered = self._number([prepare(gaps)], at)
        with self._transaction():
            marks = self._insert(numbered, at)
            tables.insert_heads(
                self.connection, {stream: self.heads[stream] for stream in self._promised}
            )
            self.connection.execute("DELETE FROM promise")
        self._promised = {}
        self._remember(numbered, marks)

    def commit(
        self, appends: Sequence[Append], cursors: Mapping[str, int], at: datetime
    ) -> Sequence[Result]:
        """Write everything in one transaction and return each append's seqs.

        An append whose command was obeyed before gets CommandRepeated and leaves nothing.
        Where readings are held and there is nothing else, nothing is written. Raises FileFull
        or JournalFailed; then nothing was written.
        """
        moved = {name: s for name, s in cursors.items() if s > self.cursors.get(name, -1)}
        with as_journal_errors():
            repeated = tables.repeated(self.connection, appends)
        fresh = [append for i, append in enumerate(appends) if i not in repeated]
        numbered = self._number(fresh, at)
        to_disk, to_hold = self.held.part(numbered)
        promises = self.held.promises(self.head + len(numbered.rows), to_hold.heads)
        marks: dict[str, int] = {}
        if not to_hold.rows or to_disk.rows or promises or numbered.states or numbered.commands:
            with self._transaction():
                marks = self._insert(to_disk, at) | self._write_marks(
                    **promises.write(self.connection)
                )
                tables.insert_states(self.connection, numbered.states)
                tables.insert_commands(self.connection, numbered.commands)
                tables.insert_cursors(self.connection, moved)
            self.cursors |= moved
            self.held.remember(promises)
        self.held.take(to_hold.rows, self._mono_s())
        self._remember(numbered, marks)
        if not repeated:
            return numbered.seqs
        seqs = iter(numbered.seqs)
        return [repeated[i] if i in repeated else next(seqs) for i in range(len(appends))]

    def keep_cursors(self, readers: Mapping[str, Begins]) -> None:
        """Let these readers count for what is delivered, and no others.

        One that is new stands at its beginning at once: what it has not had is not delivered.
        """
        begins = {"oldest": 0, "newest": self.head}
        self.let_count({name: begins[at] for name, at in readers.items()})

    def let_count(self, cursors: Mapping[str, int]) -> None:
        """Do as `keep_cursors`; a new one stands where it is given, a known one where it was."""
        new = {name: seq for name, seq in cursors.items() if name not in self.cursors}
        gone = self.cursors.keys() - cursors.keys()
        if not new and not gone:
            return
        with self._transaction():
            tables.insert_cursors(self.connection, new)
            tables.delete_cursors(self.connection, gone)
        self.cursors = {n: seq for n, seq in self.cursors.items() if n not in gone} | new

    def give(self, upto: int) -> None:
        """Let consumers be given rows up to here; a crash does not take that back."""
        with self._transaction():
            marks = self._write_marks(given=max(self.given, upto))
        self._marks |= marks
        self._changes.given = self.given

    def release_held(self, delivered: int) -> None:
        """Forget the held readings that every consumer has; if others are late, write all."""
        self.held.release(delivered)
        if self.held.is_late(self.head, self._mono_s()):
            self.write_held()

    def write_held(self) -> None:
        """Put the readings that are in memory only on the disk."""
        if self.held.rows:
            with self._transaction():
                marks = self._insert_held()
            self._hold_no_more(marks)

    def _insert_held(self) -> dict[str, int]:
        """Write what is held; the caller owns the transaction, and forgets it after."""
        rows = [held.row for held in self.held.rows]
        tables.insert_events(self.connection, len(self.epochs), rows)
        return self._write_marks(reading_bytes=self.reading_bytes + self.held.bytes)

    def _hold_no_more(self, marks: Mapping[str, int]) -> None:
        self._marks |= marks
        self.appended_bytes += self.held.bytes
        self.held.rows.clear()

    def begin_epoch(self, reason: str, at: datetime, *, rival: Rival | None = None) -> None:
        """Begin an epoch: streams count from 1 again.

        A ``rival`` may have given our ids to other facts: what is ours alone never leaves.
        Gap events of the new epoch tell how much that is.
        """
        last = max(self.epochs[-1:] + (() if rival is None else (rival.epoch,)), default=None)
        epoch = draw_epoch(at, self._randbelow, after=last)
        number_of_epoch = len(self.epochs) + 1
        self.write_held()
        with self._transaction():
            gaps = [] if rival is None else tables.disown(self.connection, rival.shared, at)
            tables.insert_epoch(self.connection, number_of_epoch, epoch, reason, at)
            numbered = number([prepare(gaps)], after=self.head, heads={}, at=at, epoch=epoch)
            marks = self._insert(numbered, at, epoch_number=number_of_epoch)
            # Another journal may have given these to its consumers, and their streams are over.
            marks |= self._write_marks(given=max(self.given, self.head))
        self.epochs = self._changes.epochs = (*self.epochs, epoch)
        self.held.begin_epoch()
        self.heads.clear()
        self._changes.heads.clear()
        self._changes.new_epoch = True
        self._changes.rewrite()
        self._remember(numbered, marks)
        self._changes.given = self.given

    def identify(self, change: IdentityChange) -> None:
        """Note where equipment is retained, or that it is retired, in one transaction."""
        with self._transaction():
            change.write(self.connection)
            places = read_places(self.connection)
        self.places = self._changes.places = places
        if change.retired is not None:
            self.states.pop(change.retired, None)
            self._changes.states.pop(change.retired, None)
            self._changes.retired.add(change.retired)

    def remove(self, victims: Sequence[Victim], at: datetime, *, reading_floor: int) -> None:
        """Delete rows and name those not yet delivered, in one transaction."""
        gaps = name_gaps(victims, delivered=self.delivered, epoch=len(self.epochs), at=at)
        freed = sum(v.size_bytes for v in victims if v.type == Reading.type)
        lost = sum(gap.count for entry in gaps for gap in entry.events if isinstance(gap, Gap))
        with self._transaction():
            tables.delete_events(self.connection, [victim.seq for victim in victims])
            numbered = self._number([prepare(gaps)], at)
            marks = self._insert(numbered, at)
            self._insert_held()  # the tail of the newest rows is read anew after this
            marks |= self._write_marks(
                reading_floor=reading_floor,
                reading_bytes=marks["reading_bytes"] - freed + self.held.bytes,
            )
        self._hold_no_more({})
        self.lost += lost
        self._changes.rewrite()
        self._remember(numbered, marks)
        self._find_first_again()

    def merge(self, merged: Merged, at: datetime) -> None:
        """Let counts become fewer in one transaction, the numbers that are gone named."""
        with self._transaction():
            tables.delete_events(self.connection, [row.seq for row in merged.gone])
            tables.change_events(self.connection, merged.changed)
            numbered = self._number([prepare(merged.gaps)], at)
            marks = self._insert(numbered, at)
            marks |= self._insert_held()  # the tail of the newest rows is read anew after this
        self._hold_no_more({})
        self.merged += len(merged.gone)
        self._changes.rewrite()
        self._remember(numbered, marks)
        self._find_first_again()

    def close(self, at: datetime) -> None:
        """Mark a clean end, put everything into the one file and close it."""
        with self._transaction():
            self._insert_held()
            self._end_promises()
            self._write_marks(alive_ms=unix_ms(at), clean=1)
        # Without room for that the log stays beside the file, and the next start reads both.
        with suppress(FileFull), as_journal_errors():
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.abandon()

    def _end_promises(self) -> None:
        """What is known in order needs no promise."""
        if self.held.on:
            tables.insert_heads(self.connection, self.heads)
            self._write_marks(seq_promised=self.head)
            self.connection.execute("DELETE FROM promise")

    def abandon(self) -> None:
        """Close without the mark of a clean end. Idempotent."""
        with as_journal_errors():
            self.connection.close()

    def _number(self, appends: Iterable[Append], at: datetime) -> Numbered:
        """Give them their numbers in the epoch in force."""
        return number(appends, after=self.head, heads=self.heads, at=at, epoch=self.epoch)

    def _insert(
        self, numbered: Numbered, at: datetime, *, epoch_number: int | None = None
    ) -> dict[str, int]:
        """Insert rows and heads; return the marks that changed with them."""
        rows = numbered.rows
        tables.insert_events(self.connection, epoch_number or len(self.epochs), rows)
        tables.note_heads(self.connection, self.head)
        self.appended_bytes += rows_bytes(rows)
        added = rows_bytes([row for row in rows if row.type == Reading.type])
        return self._write_marks(alive_ms=unix_ms(at), reading_bytes=self.reading_bytes + added)

    def _write_marks(self, **marks: int) -> dict[str, int]:
        return tables.write_marks(self.connection, **marks)

    def _transaction(self) -> AbstractContextManager[None]:
        return tables.transaction(self.connection)

    def _remember(self, numbered: Numbered, marks: Mapping[str, int]) -> None:
        self._marks |= marks
        self.head += len(numbered.rows)
        self.heads |= numbered.heads
        self.states |= numbered.states
        self._changes.head = self.head
        self._changes.rows += numbered.rows
        self._changes.heads |= numbered.heads
        self._changes.states |= numbered.states
        self._changes.touched |= numbered.states.keys()
        self._changes.touched.update([row.equipment for row in numbered.rows])

    def _no_changes(self) -> Changes:
        return Changes(self.head, self.first_seq, self.epochs, self.given)

    def _find_first_again(self) -> None:
        with as_journal_errors():
            self.first_seq = self._changes.first_seq = self._find_first_seq()

    def _find_first_seq(self) -> int:
        (first,) = self.connection.execute("SELECT min(seq) FROM event").fetchone()
        return self.head + 1 if first is None else int(first)
