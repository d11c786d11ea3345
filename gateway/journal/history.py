"""Long looks into the journal from beside it: what one equipment did in a span of time.

- Each look has a connection of its own and a time limit, and no query stays open after it: a
  long one holds up neither the writer nor the other lookers, and it ends.
- SQLite does the adding up, so that a week of counts is a few hundred rows here.
- A journal that is not there (yet, or any more) reads as an empty one.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.ballast import Ballast
from gateway.journal.errors import JournalError, as_journal_errors
from gateway.journal.numbering import from_unix_ms, unix_ms
from gateway.journal.retention import DEFAULT_LIMITS
from gateway.journal.row import Row
from gateway.journal.schema import MIGRATIONS, connect_reader, version_of
from gateway.journal.undelivered import FILLING, undelivered_share

LIMIT_S = 5.0
FACTS = "type <> 'reading'"
"""Said in so many words the index on facts is used."""
_STEPS = 20_000
"""The clock is looked at every so many steps of SQLite's machine: about a millisecond."""
_COLUMNS = (
    "seq, equipment, type, part, streamseq, time_ms, recorded_ms, local, data,"
    " (SELECT epoch FROM epoch WHERE number = event.epoch)"
)
_COUNTED = """
WITH read AS (
  SELECT seq, epoch, time_ms,
    json_extract(CAST(data AS TEXT), '$.counter', '$.kind', '$.origin', '$.order.order_no',
      '$.order.ideal_cycle_ms', '$.unit', '$.anomaly') AS what,
    json_extract(CAST(data AS TEXT), '$.counter') AS counter,
    json_extract(CAST(data AS TEXT), '$.total') AS total,
    json_extract(CAST(data AS TEXT), '$.delta') AS delta
  FROM event WHERE equipment = ? AND type = 'count' AND type <> 'reading'
    AND time_ms >= ? AND time_ms < ?
), booked AS (
  SELECT what, time_ms / 60000 AS minute, COALESCE(
    total - LAG(total) OVER (PARTITION BY epoch, counter ORDER BY seq), delta) AS quantity
  FROM read
)
SELECT minute, what, SUM(quantity), COUNT(*) FROM booked GROUP BY minute, what ORDER BY minute
"""
_COUNTED_SINCE = """
SELECT equipment, MIN(CASE type WHEN 'count' THEN time_ms END), MAX(seq) FROM event NOT INDEXED
WHERE seq > ? GROUP BY equipment
"""
_ENVELOPE = """
WITH read AS (
  SELECT seq, time_ms, json_extract(CAST(data AS TEXT), ?1) AS value FROM event
  WHERE equipment = ?2 AND type = 'reading' AND time_ms >= ?3 AND time_ms < ?4
)
SELECT MIN(time_ms), MIN(value), MAX(value), value, COUNT(*), MAX(seq) FROM read
WHERE value IS NOT NULL AND typeof(value) <> 'text'
GROUP BY (time_ms - ?3) * ?5 / (?4 - ?3) ORDER BY 1
"""
_BAD = """
SELECT time_ms FROM event
WHERE equipment = ?2 AND type = 'reading' AND time_ms >= ?3 AND time_ms < ?4
  AND json_extract(CAST(data AS TEXT), ?1) IS NOT NULL
ORDER BY time_ms LIMIT 1000
"""


_STEPS_OF_CLOCK = """
SELECT time_ms, json_extract(CAST(data AS TEXT), '$.clock.offset_ms') AS offset_ms FROM event
WHERE equipment = ? AND type = 'health' AND type <> 'reading' AND time_ms >= ?
  AND json_extract(CAST(data AS TEXT), '$.clock.offset_ms') IS NOT NULL
ORDER BY seq
"""


class QueryTooLong(JournalError):
    """The look took longer than it may; ask for less."""


class Booked(NamedTuple):
    """What one counter booked in one minute under one order."""

    at: datetime
    what: str
    """JSON: counter, kind, origin, order_no, ideal_cycle_ms, unit, anomaly."""
    quantity: float
    events: int


class Part(NamedTuple):
    """The values of a tag in one part of the time asked for."""

    first_ms: int
    least: float
    greatest: float
    last: float
    values: int
    last_seq: int


class Extent(NamedTuple):
    """What the journal still holds, and when the gateway last wrote."""

    first_seq: int
    first_at: datetime
    last_at: datetime


class ClockStep(NamedTuple):
    """The wall clock was set; ``at`` is what it showed afterwards."""

    at: datetime
    offset_ms: int
    """Positive is forward."""


class Waiting(NamedTuple):
    """Where a consumer is, how many events lie behind that, and when the oldest was written."""

    cursor: int
    events: int
    oldest_at: datetime | None


class Filled(NamedTuple):
    """Which share of a quota is taken, and whether there is something to be done."""

    share: float
    is_much: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows. ``start`` <= time < ``end``; ``after`` is a seq, excluded.

    ``before`` is the time in ms and the seq of a row: those in front of it in the order of time,
    which is not that of seqs: what is found out late is told of an earlier moment.
    """

    equipment: str | None = None
    types: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    before: tuple[int, int] | None = None
    after: int | None = None
    limit: int = 1000
    newest_first: bool = False
    repeats: bool | None = None
    """Status only: those that repeat what was told before, or those that do not."""

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition and its parameters."""
        conditions: list[tuple[str, tuple[Any, ...]]] = []
        for given, condition in (
            (self.equipment, "equipment = ?"),
            (None if self.start is None else unix_ms(self.start), "time_ms >= ?"),
            (None if self.end is None else unix_ms(self.end), "time_ms < ?"),
            (self.after, "seq > ?"),
            (self.repeats, "json_extract(CAST(data AS TEXT), '$.repeat') = ?"),
        ):
            if given is not None:
                conditions.append((condition, (given,)))
        if self.before is not None:
            conditions.append(("(time_ms, seq) < (?, ?)", self.before))
        if self.types:
            conditions.append((f"type IN ({', '.join('?' * len(self.types))})", self.types))
            if "reading" not in self.types:
                conditions.append((FACTS, ()))
        text = " AND ".join(condition for condition, _ in conditions) or "1"
        return text, [one for _, given in conditions for one in given]


class Look:
    """A look into the journal, as of its beginning; every call blocks."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection

    def extent(self) -> Extent | None:
        """Return the range that still exists; None if nothing does."""
        found = self._query(
            "SELECT (SELECT min(seq) FROM event), (SELECT min(time_ms) FROM event),"
            " (SELECT max(time_ms) FROM event),"
            " (SELECT value FROM mark WHERE name = 'alive_ms')"
        )
        if not found or found[0][0] is None:
            return None
        ((seq, first_ms, last_ms, alive_ms),) = found
        return Extent(seq, from_unix_ms(first_ms), from_unix_ms(max(last_ms, alive_ms or 0)))

    def waiting(self, consumer: str) -> Waiting | None:
        """Return what a consumer has not confirmed; None if it never confirmed anything."""
        found = self._query("SELECT seq FROM cursor WHERE name = ?", (consumer,))
        if not found:
            return None
        ((cursor,),) = found
        ((oldest_ms, head),) = self._query(
            "SELECT (SELECT recorded_ms FROM event WHERE seq > ? AND NOT local"
            " ORDER BY seq LIMIT 1), (SELECT coalesce(max(seq), 0) FROM event)",
            (cursor,),
        )
        oldest_at = None if oldest_ms is None else from_unix_ms(oldest_ms)
        return Waiting(cursor, 0 if oldest_at is None else max(0, head - cursor), oldest_at)

    def filled(self, max_bytes: int) -> Filled:
        """Return about how much of this quota is taken by what its consumers do not have yet."""
        ends = "(SELECT min(seq) FROM event), (SELECT max(seq) FROM event)"
        found = self._query(f"SELECT {ends}, (SELECT min(seq) FROM cursor)")  # noqa: S608
        if self._connection is None or not found or found[0][0] is None:
            return Filled(0.0, is_much=False)
        ((first_seq, head, delivered),) = found
        pragmas = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._query(f"PRAGMA {name}")[0][0] for name in pragmas)
        share = undelivered_share(
            self._connection, first_seq=first_seq, delivered=min(delivered or 0, head), head=head
        )
        share *= (pages - free) * size / max_bytes
        return Filled(share, is_much=share >= FILLING)

    def rows(self, wanted: Wanted) -> list[Row]:
        """Return rows by seq; of certain types of one equipment by time. Or the newest first."""
        where, parameters = wanted.where()
        order = "seq DESC" if wanted.newest_first else "seq"
        if wanted.equipment is not None and wanted.types:
            order = "time_ms DESC, seq DESC" if wanted.newest_first else "time_ms, seq"
        sql = f"SELECT {_COLUMNS} FROM event WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
        return [_row(found) for found in self._query(sql, (*parameters, wanted.limit))]

    def counted(self, equipment: str, start: datetime, end: datetime) -> list[Booked]:
        """Return what was booked, minute by minute: by the difference of totals."""
        found = self._query(_COUNTED, (equipment, unix_ms(start), unix_ms(end)))
        return [
            Booked(from_unix_ms(minute * 60_000), what, float(quantity), events)
            for minute, what, quantity, events in found
        ]

    def newest(self) -> int:
        """Return the newest seq, 0 if there is none."""
        found = self._query("SELECT coalesce(max(seq), 0) FROM event")
        return int(found[0][0]) if found else 0

    def counted_since(self, seq: int) -> tuple[int, dict[str, datetime]]:
        """Return the newest seq, and the earliest time that each equipment counted at after one."""
        found = self._query(_COUNTED_SINCE, (seq,))
        earliest = {name: from_unix_ms(at) for name, at, _ in found if at is not None}
        return max((newest for _, _, newest in found), default=seq), earliest

    def envelope(
        self, equipment: str, tag: str, start: datetime, end: datetime, points: int
    ) -> list[Part]:
        """Return a tag's values in at most ``points`` equal parts of the time; empty ones not."""
        path = f'$.values."{tag}"'
        parameters = (path, equipment, unix_ms(start), unix_ms(end), points)
        return [Part(*found) for found in self._query(_ENVELOPE, parameters)]

    def gaps(self, equipment: str, tag: str, start: datetime, end: datetime) -> list[int]:
        """Return when a tag was read as bad: milliseconds since 1970."""
        path = f'$.bad."{tag}"'
        return [at for (at,) in self._query(_BAD, (path, equipment, unix_ms(start), unix_ms(end)))]

    def clock_steps(self, equipment: str, start: datetime) -> list[ClockStep]:
        """Return when the clock was set, oldest first; it is told to every equipment there is."""
        found = self._query(_STEPS_OF_CLOCK, (equipment, unix_ms(start)))
        return [ClockStep(from_unix_ms(at), int(offset_ms)) for at, offset_ms in found]

    def _query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        return self._connection.execute(sql, parameters).fetchall()


def disk_was_full(journal: Path) -> bool:
    """Return whether the journal gave up its ballast and does not have it back."""
    return Ballast(journal, DEFAULT_LIMITS.ballast_bytes).given_up


class JournalHistory:
    """Looks into one journal. Safe to share between threads."""

    def __init__(
        self,
        path: Path,
        *,
        limit_s: float = LIMIT_S,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet."""
        self._path = path
        self._limit_s = limit_s
        self._mono_s = mono_s

    @contextmanager
    def look(self) -> Iterator[Look]:
        """Look for as long as the context lasts, no longer than the limit.

        Raises QueryTooLong and what `JournalReader` raises.
        """
        with as_journal_errors(), ExitStack() as stack:
            connection = self._connect()
            if connection is not None:
                stack.callback(connection.close)
                ends_s = self._mono_s() + self._limit_s
                connection.set_progress_handler(lambda: self._mono_s() > ends_s, _STEPS)
            try:
                yield Look(connection)
            except sqlite3.OperationalError as err:
                if err.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise QueryTooLong(f"longer than {self._limit_s:g} s") from err
                raise

    def _connect(self) -> sqlite3.Connection | None:
        if not self._path.exists():
            return None
        connection = connect_reader(self._path)
        if version_of(connection) == len(MIGRATIONS):
            return connection
        connection.close()  # just being created, or of a version the gateway will migrate
        return None


def _row(found: tuple[Any, ...]) -> Row:
    seq, equipment, kind, part, streamseq, at, recorded, local, data, epoch = found
    return Row(seq, equipment, kind, part, streamseq, at, recorded, bool(local), data, epoch)
