"""Readings that are in memory only, where a site spares its flash card (``journal.readings``).

- Only readings: a status, a count or a fault is on the disk before anybody is told of it.
- A held reading has its numbers like any other row. It goes when every consumer has it; it
  goes to the disk when a consumer is late, and at an end in order.
- Numbers are promised to the disk ahead of their use, so that none is used again after a crash.
  What was promised and is not known to have been used is then named by a gap.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.domain.events import Gap, Reading
from gateway.journal.numbering import Numbered, Stream
from gateway.journal.retention import rows_bytes
from gateway.journal.row import Entry, Row, StreamHead

LATE_S = 5.0
"""A reading that no consumer has taken for so long goes to the disk, with all the others."""
MOST_ROWS = 4096
"""So far behind the newest row a reading may be held: `Journal` keeps twice that in memory."""
SEQS_AHEAD = 10_000
STREAMSEQS_AHEAD = 1000


class HeldRow(NamedTuple):
    """A reading, and since when it is held."""

    row: Row
    since_s: float


@dataclass(frozen=True, slots=True)
class Promises:
    """Numbers that a crash may have used."""

    seq: int = 0
    """Up to here; 0 for none."""
    streams: Mapping[Stream, int] = field(default_factory=dict)
    """Stream -> streamseq."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.seq or self.streams)

    def write(self, connection: sqlite3.Connection) -> dict[str, int]:
        """Put them on the disk; the caller owns the transaction. Return the marks of it."""
        connection.executemany(
            "INSERT OR REPLACE INTO promise VALUES (?, ?, ?)",
            [(*stream, streamseq) for stream, streamseq in self.streams.items()],
        )
        return {"seq_promised": self.seq} if self.seq else {}


_NO_PROMISES = Promises()


def read_promises(connection: sqlite3.Connection) -> dict[Stream, int]:
    """Return the streams that were promised and not ended in order."""
    found = connection.execute("SELECT equipment, type, streamseq FROM promise")
    return {(equipment, kind): streamseq for equipment, kind, streamseq in found}


class Held:
    """Used by the writer's thread only. Off, it holds nothing and promises nothing."""

    def __init__(self, *, on: bool) -> None:
        """Begin empty."""
        self.on = on
        self.rows: deque[HeldRow] = deque()
        self._promised = Promises()

    @property
    def oldest_seq(self) -> int | None:
        """The oldest row that is not on the disk."""
        return self.rows[0].row.seq if self.rows else None

    @property
    def bytes(self) -> int:
        """What the held rows would take on the disk."""
        return rows_bytes([held.row for held in self.rows])

    def part(self, numbered: Numbered) -> tuple[Numbered, Numbered]:
        """Return what must go to the disk now, and what may be held."""
        if not self.on:
            return numbered, Numbered()
        to_disk, to_hold = Numbered(), Numbered()
        for row in numbered.rows:
            may_wait = row.type == Reading.type and not row.local
            (to_hold if may_wait else to_disk).rows.append(row)
        for stream, head in numbered.heads.items():
            (to_hold if stream[1] == Reading.type else to_disk).heads[stream] = head
        return to_disk, to_hold

    def take(self, rows: Iterable[Row], now_s: float) -> None:
        """Hold these."""
        self.rows.extend(HeldRow(row, now_s) for row in rows)

    def release(self, delivered: int) -> None:
        """Forget what every consumer has."""
        while self.rows and self.rows[0].row.seq <= delivered:
            self.rows.popleft()

    def is_late(self, head: int, now_s: float) -> bool:
        """Whether what is held must go to the disk."""
        if not self.rows:
            return False
        oldest = self.rows[0]
        return now_s - oldest.since_s >= LATE_S or head - oldest.row.seq >= MOST_ROWS

    def promises(self, head: int, heads: Mapping[Stream, StreamHead]) -> "Promises":
        """Return what must be promised before these numbers are used; mostly nothing."""
        if not self.on:
            return _NO_PROMISES
        beyond = {
            stream: moved.streamseq + STREAMSEQS_AHEAD
            for stream, moved in heads.items()
            if stream[1] == Reading.type and moved.streamseq > self._promised.streams.get(stream, 0)
        }
        return Promises(head + SEQS_AHEAD if head > self._promised.seq else 0, beyond)

    def remember(self, made: "Promises") -> None:
        """These are on the disk now."""
        seq = max(self._promised.seq, made.seq)
        self._promised = Promises(seq, {**self._promised.streams, **made.streams})

    def begin_epoch(self) -> None:
        """Streams count from 1 again."""
        self._promised = Promises(self._promised.seq)


def lost_with_a_crash(promised: Mapping[Stream, int], at: datetime) -> list[Entry]:
    """Return what names the readings whose numbers were promised before a crash.

    ``count`` is the most there can be: what a consumer has of them it has.
    """
    return [
        Entry(
            equipment,
            [
                Gap(
                    at=at,
                    stream=kind,
                    reason="not_observed",
                    count=STREAMSEQS_AHEAD,
                    from_streamseq=max(1, streamseq - STREAMSEQS_AHEAD - MOST_ROWS),
                    to_streamseq=streamseq,
                )
            ],
        )
        for (equipment, kind), streamseq in promised.items()
    ]
