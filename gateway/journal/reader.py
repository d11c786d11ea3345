"""Reading the journal from beside it: another thread, another process.

- Nothing is ever written, and no query stays open: an unfinished one would let the
  write-ahead log grow for as long as it lasts.
- A journal that is not there (yet, or any more) reads as an empty one.
- A file put in its place is noticed with the next call.
"""

import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from gateway.journal.errors import as_journal_errors
from gateway.journal.identity import Places
from gateway.journal.numbering import from_unix_ms, unix_ms
from gateway.journal.row import Row, StreamHead
from gateway.journal.schema import MIGRATIONS, connect_reader, version_of

# CROSS JOIN keeps SQLite from putting the small table first and then sorting the large one.
_ROWS = (
    "SELECT seq, equipment, type, part, streamseq, time_ms, recorded_ms, local, data, e.epoch"
    " FROM event CROSS JOIN epoch AS e ON e.number = event.epoch"
)


class EpochRecord(NamedTuple):
    """One life of the journal, and why it began."""

    epoch: str
    reason: str
    began_at: datetime


class JournalReader:
    """A read-only view of a journal, each call as of the newest commit.

    Safe to share between threads; every call blocks for the time of one short query. Raises
    JournalUnusable for a file this program cannot read, JournalError for what the system
    refuses.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file_id: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close; the next call would open again. Idempotent."""
        with self._lock:
            self._disconnect()

    def epoch(self) -> str | None:
        """Return the epoch in force."""
        found = self._query("SELECT epoch FROM epoch ORDER BY number DESC LIMIT 1")
        return str(found[0][0]) if found else None

    def epochs(self) -> list[EpochRecord]:
        """Return every epoch, oldest first."""
        found = self._query("SELECT epoch, reason, began_ms FROM epoch ORDER BY number")
        return [EpochRecord(epoch, reason, from_unix_ms(ms)) for epoch, reason, ms in found]

    def places(self) -> Places:
        """Return the topics under which something is retained -> their equipment."""
        return dict(self._query("SELECT topic, equipment FROM place"))

    def cursors(self) -> dict[str, int]:
        """Return consumer -> how far it is."""
        return dict(self._query("SELECT name, seq FROM cursor"))

    def first_seq(self) -> int | None:
        """Return the oldest seq that still exists; None if none does."""
        found = self._query("SELECT min(seq) FROM event")
        return found[0][0] if found else None

    def head(self) -> int:
        """Return the newest seq ever given; 0 if none."""
        found = self._query("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return int(found[0][0]) if found else 0

    def cursor(self, name: str) -> int:
        """Return how far a consumer is; 0 if it never was."""
        found = self._query("SELECT seq FROM cursor WHERE name = ?", (name,))
        return int(found[0][0]) if found else 0

    def last_alive(self) -> datetime | None:
        """Return when the gateway last wrote."""
        found = self._query("SELECT value FROM mark WHERE name = 'alive_ms'")
        return from_unix_ms(found[0][0]) if found else None

    def states(self) -> dict[str, bytes]:
        """Return equipment -> durable state."""
        return dict(self._query("SELECT equipment, state FROM state"))

    def heads(self, equipment: str) -> dict[str, StreamHead]:
        """Return type -> newest event of the epoch in force."""
        found = self._query(
            "SELECT type, streamseq, seq FROM stream WHERE equipment = ?", (equipment,)
        )
        return {kind: StreamHead(streamseq, seq) for kind, streamseq, seq in found}

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Return the oldest rows with after < seq <= upto, by seq; local ones included."""
        last = 2**63 - 1 if upto is None else upto
        return self._rows("WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, last, limit))

    def rows_between(self, start: datetime, end: datetime, after: int, limit: int) -> list[Row]:
        """Return the oldest rows with start <= time <= end and after < seq, by seq."""
        span = (unix_ms(start), unix_ms(end))
        # The index on time finds the range of seqs; within it rows come in order of seq.
        ((first, last),) = self._query(
            "SELECT min(seq), max(seq) FROM event WHERE time_ms BETWEEN ? AND ?", span
        ) or [(None, None)]
        if first is None:
            return []
        return self._rows(
            "WHERE seq > ? AND seq <= ? AND +time_ms BETWEEN ? AND ? ORDER BY seq LIMIT ?",
            (max(after, first - 1), last, *span, limit),
        )

    def reply_to(self, command_id: str) -> Mapping[str, Any] | None:
        """Return the reply recorded with a command, with the ``seq`` of its last event."""
        found = self._query("SELECT seq, reply FROM command WHERE command_id = ?", (command_id,))
        if not found:
            return None
        ((seq, reply),) = found
        return {"seq": seq, **orjson.loads(reply)}

    def _rows(self, where: str, parameters: Sequence[int]) -> list[Row]:
        return [
            Row(seq, equipment, kind, part, streamseq, at, recorded, bool(local), data, epoch)
            for seq, equipment, kind, part, streamseq, at, recorded, local, data, epoch in (
                self._query(f"{_ROWS} {where}", parameters)
            )
        ]

    def _query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, as_journal_errors():
            connection = self._connect()
            return [] if connection is None else connection.execute(sql, parameters).fetchall()

    def _connect(self) -> sqlite3.Connection | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - Path.stat() costs twice as much
        except FileNotFoundError:
            self._disconnect()
            return None
        file_id = (found.st_dev, found.st_ino)
        if self._connection is None or file_id != self._file_id:
            self._disconnect()
            self._connection, self._file_id = self._connected(), file_id
        return self._connection

    def _connected(self) -> sqlite3.Connection | None:
        connection = connect_reader(self._path)
        if version_of(connection) == len(MIGRATIONS):
            return connection
        connection.close()  # just being created, or of a version the gateway will migrate
        return None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
