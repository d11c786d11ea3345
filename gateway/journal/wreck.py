"""What can still be read of a damaged journal. Nothing is written to it, nothing guessed.

- Rows are read by ranges of seq from both ends, and what raises is halved until it is a row:
  one page that is gone costs the rows on it, or those below it.
- SQLite keeps no checksums. So a row counts only if everything in it is what a row must be:
  its epoch is known, its type one of ours, its data an object in JSON. One that was longer than a
  page is left: its rest may be of another.
- Never longer than it was given, never an endless loop through a broken tree.
"""

import re
import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.domain import durable
from gateway.domain.events import STREAMS
from gateway.journal.epoch import MAX_STREAMSEQ
from gateway.journal.schema import closed_on_error

_SPAN = (
    "SELECT seq, epoch, equipment, type, part, streamseq, time_ms, recorded_ms, local, data"
    " FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq"
)
_ROWS = (f"{_SPAN} ASC LIMIT ?", f"{_SPAN} DESC LIMIT ?")
"""From the lower end, from the upper end."""
READABLE = (sqlite3.Error, MemoryError, OverflowError, UnicodeError, ValueError)
"""What reading a broken file may raise."""

_EPOCH = re.compile(r"[0-9a-z]{6,8}-[0-9a-z]{4}")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_AT_ONCE = 2048
IN_ONE_PAGE = 3700
"""Data that is no longer lies in one piece, beside what says where it begins and ends."""
_MOST_BARREN = 20_000
"""Halvings in a row that gave nothing: the root of the table is gone."""
_MAX_VALUE_BYTES = 64 << 20
_STEPS_A_LOOK = 10_000
_LARGEST = 2**53

Numbers = tuple[int, str, str]
"""What one streamseq counts: number of the epoch, equipment, type."""


class WreckRow(NamedTuple):
    """A row as it stands in the file, its epoch by number."""

    seq: int
    epoch: int
    equipment: str
    type: str
    part: str
    streamseq: int
    time_ms: int
    recorded_ms: int
    local: int
    data: bytes

    @property
    def numbers(self) -> Numbers:
        """What its streamseq counts."""
        return self.epoch, self.equipment, self.type


@dataclass(slots=True)
class _Read:
    rows: list[WreckRow] = field(default_factory=list)
    last: int | None = None
    """The last row that could be read, sound or not."""
    is_all: bool = False
    """There are no others in the span."""


class Wreck:
    """A damaged journal, open for reading. Raises what `READABLE` says where it is no database."""

    def __init__(self, path: Path, *, within_s: float) -> None:
        """Open it, for so long at most."""
        self._until_s = time.monotonic() + within_s
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        with closed_on_error(self._connection):
            self._read_small()

    def _read_small(self) -> None:
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        self._connection.set_progress_handler(lambda: self.is_over, _STEPS_A_LOOK)
        for pragma in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self.epochs = {
            number: (epoch, reason, began_ms)
            for number, epoch, reason, began_ms in self._table(
                "SELECT number, epoch, reason, began_ms FROM epoch", (int, str, str, int)
            )
            if number >= 1 and _EPOCH.fullmatch(epoch)
        }
        """Number -> name, why, when."""
        self.cursors: dict[str, int] = dict(self._table("SELECT name, seq FROM cursor", (str, int)))
        self.marks: dict[str, int] = dict(self._table("SELECT name, value FROM mark", (str, int)))
        self.heads: dict[tuple[str, str], tuple[int, int]] = {
            (equipment, kind): (streamseq, seq)
            for equipment, kind, streamseq, seq in self._table(
                "SELECT equipment, type, streamseq, seq FROM stream", (str, str, int, int)
            )
            if _is_stream(equipment, kind)
        }
        """Equipment, type -> streamseq and seq of its newest row in the last epoch."""

    def close(self) -> None:
        """Close. Idempotent."""
        self._connection.close()

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return time.monotonic() > self._until_s

    @property
    def delivered(self) -> int:
        """Every consumer has the rows up to here, as far as is known."""
        return min(self.cursors.values(), default=0)

    def lives(self) -> list[tuple[Any, ...]]:
        """Return the lives of the journal: number, name, after."""
        return self._table("SELECT number, name, after FROM life", (int, str, int))

    def places(self) -> list[tuple[Any, ...]]:
        """Return where something is retained: topic, equipment or None."""
        return self._table("SELECT topic, equipment FROM place", (str, (str, type(None))))

    def commands(self) -> list[tuple[Any, ...]]:
        """Return what was obeyed: command_id, seq or None, reply."""
        found = self._table(
            "SELECT command_id, seq, reply FROM command", (str, (int, type(None)), bytes)
        )
        return [command for command in found if is_object(command[2])]

    def states(self) -> dict[str, bytes]:
        """Return the states that say something: equipment -> state."""
        found = self._table("SELECT equipment, state FROM state", (str, bytes))
        return {e: state for e, state in found if _is_state_of(e, state)}

    def head(self) -> int:
        """Return the newest seq that anything here knows of."""
        found = self._table("SELECT seq FROM sqlite_sequence WHERE name = 'event'", (int,))
        known: list[int] = [seq for (seq,) in found]
        known += [seq for (seq,) in self._table("SELECT max(seq) FROM event", (int,))]
        known += [seq for _, seq in self.heads.values()]
        known += [after for _, _, after in self.lives()]
        known += [*self.cursors.values(), self.marks.get("seq_promised", 0)]
        return max(known)

    def newest_before(self, seq: int) -> dict[Numbers, int]:
        """Return stream -> streamseq of the newest row up to ``seq``, of those last read."""
        newest: dict[Numbers, int] = {}
        for row in self._read(1, seq, descending=True).rows:
            if row.streamseq:
                newest.setdefault(row.numbers, row.streamseq)
        return newest

    def rows(self, after: int, upto: int) -> Iterator[WreckRow]:
        """Yield the rows with after < seq <= upto that can be read, in no order."""
        spans = deque([(after + 1, upto)])
        barren = 0
        while spans and barren < _MOST_BARREN and not self.is_over:
            low, high = spans.popleft()
            begun = (low, high)
            for descending in (False, True):
                while low <= high:
                    read = self._read(low, high, descending=descending)
                    yield from filter(_is_whole, read.rows)
                    if read.is_all:
                        low = high + 1
                    elif read.last is None:
                        break
                    elif descending:
                        high = read.last - 1
                    else:
                        low = read.last + 1
            barren = barren + 1 if begun == (low, high) else 0
            if low < high:
                middle = (low + high) // 2
                spans += [(low, middle), (middle + 1, high)]

    def _read(self, low: int, high: int, *, descending: bool) -> _Read:
        """Return rows from one end of the span, up to where it breaks."""
        read = _Read()
        seen = 0
        try:
            for found in self._connection.execute(_ROWS[descending], (low, high, _AT_ONCE)):
                row = WreckRow._make(found)
                if not low <= row.seq <= high:  # a page of elsewhere
                    return read
                low, high = (low, row.seq - 1) if descending else (row.seq + 1, high)
                read.last, seen = row.seq, seen + 1
                if self._is_sound(row):
                    read.rows.append(row)
        except READABLE:
            return read
        read.is_all = seen < _AT_ONCE
        return read

    def _is_sound(self, row: WreckRow) -> bool:
        """Whether all of it but its data can be what it says."""
        return (
            row.epoch in self.epochs
            and _is_stream(row.equipment, row.type)
            and isinstance(row.part, str)
            and _is_between(row.streamseq, 0, MAX_STREAMSEQ)
            and all(_is_between(ms, 0, _LARGEST) for ms in (row.time_ms, row.recorded_ms))
            and row.local in {0, 1}
            and isinstance(row.data, bytes)
        )

    def _table(self, sql: str, types: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a small table, up to where it breaks."""
        rows: list[tuple[Any, ...]] = []
        with suppress(*READABLE):
            rows.extend(self._connection.execute(sql))
        return [row for row in rows if all(map(_is_a, row, types))]


def _is_whole(row: WreckRow) -> bool:
    return len(row.data) <= IN_ONE_PAGE and is_object(row.data)


def _is_a(value: Any, wanted: Any) -> bool:
    return isinstance(value, wanted) and (not isinstance(value, int) or 0 <= value <= _LARGEST)


def _is_between(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def _is_stream(equipment: Any, kind: Any) -> bool:
    return isinstance(equipment, str) and bool(_CODE.fullmatch(equipment)) and kind in STREAMS


def is_object(data: bytes) -> bool:
    """Whether this can be an event's data."""
    try:
        return isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        return False


def _is_state_of(equipment: str, data: bytes) -> bool:
    try:
        return durable.load(data).durable.equipment == equipment
    except ValueError:
        return False
