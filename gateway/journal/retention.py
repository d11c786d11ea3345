"""What goes when space is short. Nothing that was not delivered goes unnamed.

The order, oldest first within each:

1. readings, while they exceed their own quota;
2. delivered readings, then other delivered rows: a consumer has them;
3. readings not yet delivered;
4. counts that no consumer was given yet become fewer, without a part being lost
   (`gateway.journal.merging`): first within a quarter of an hour, then beyond;
5. whatever else is not yet delivered. Each stretch of a stream that goes by 3 or 5 is named by
   a gap event of the same transaction, and so are the numbers of counts that became one.

Delivered means: at or below every cursor. Local rows never leave, so nobody misses them.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateway.domain.events import Gap, Reading
from gateway.journal.row import Entry, Row

ROW_OVERHEAD_BYTES = 100
"""What a row takes beside its data: columns, index entry, page slack. An estimate."""
MAX_ROWS_PER_TRIM = 2048
"""Bounds the transaction, and with it how long a commit may wait behind it."""
QUARTER_MS = 15 * 60 * 1000
"""No time zone's hour ends within one."""
_CUSHION = 64  # a trim frees 1/64 of the quota beyond what is over, so that it is not constant


@dataclass(frozen=True, slots=True)
class Limits:
    """How much disk the journal may take.

    ``max_bytes`` counts the pages in use, not the file, which shrinks later and slowly.
    """

    max_bytes: int = 4 << 30
    readings_max_bytes: int = 2 << 30
    ballast_bytes: int = 32 << 20
    """Put by for the moment the disk is full; 0 for none."""
    hold_readings: bool = False
    """Readings go to the disk only where a consumer is late: `gateway.journal.held`."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Cut:
    """Delete the oldest ``readings`` or other rows up to ``upto`` until ``need_bytes``."""

    readings: bool
    upto: int
    need_bytes: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Let the oldest counts that nobody was given become fewer, each within ``slot_ms``."""

    slot_ms: int | None


Step = Cut | Merge


class Victim(NamedTuple):
    """A row that goes."""

    seq: int
    epoch: int
    equipment: str
    type: str
    streamseq: int
    local: int
    data_bytes: int

    @property
    def size_bytes(self) -> int:
        """What its absence is worth."""
        return row_bytes(self.data_bytes)


def row_bytes(data_bytes: int) -> int:
    """Return what a row with so much data takes."""
    return data_bytes + ROW_OVERHEAD_BYTES


def rows_bytes(rows: Sequence[Row]) -> int:
    """Return what rows take, by the estimate of `row_bytes`."""
    return sum([len(row.data) for row in rows]) + ROW_OVERHEAD_BYTES * len(rows)


def cuts(
    *, live_bytes: int, reading_bytes: int, limits: Limits, delivered: int, head: int
) -> list[Step]:
    """Return what may be done, in order of preference; nothing within the quotas."""
    over = reading_bytes - limits.readings_max_bytes
    if over > 0:
        need_bytes = over + limits.readings_max_bytes // _CUSHION
        return [Cut(readings=True, upto=head, need_bytes=need_bytes)]
    over = live_bytes - limits.max_bytes
    if over > 0:
        return cuts_for(over + limits.max_bytes // _CUSHION, delivered=delivered, head=head)
    return []


def cuts_for(need_bytes: int, *, delivered: int, head: int) -> list[Step]:
    """Return the steps 2 to 5 of this module's order."""
    return [
        Cut(readings=True, upto=delivered, need_bytes=need_bytes),
        Cut(readings=False, upto=delivered, need_bytes=need_bytes),
        Cut(readings=True, upto=head, need_bytes=need_bytes),
        Merge(QUARTER_MS),
        Merge(None),
        Cut(readings=False, upto=head, need_bytes=need_bytes),
    ]


def find_victims(connection: sqlite3.Connection, cut: Cut, *, reading_floor: int) -> list[Victim]:
    """Return the rows ``cut`` means; there are no readings at or below ``reading_floor``."""
    found = connection.execute(
        "SELECT seq, epoch, equipment, type, streamseq, local, length(data) FROM event"
        " WHERE seq > ? AND seq <= ? AND (type = ?) = ? ORDER BY seq LIMIT ?",
        (
            reading_floor if cut.readings else 0,
            cut.upto,
            Reading.type,
            cut.readings,
            MAX_ROWS_PER_TRIM,
        ),
    )
    return list(_enough(map(Victim._make, found.fetchall()), cut.need_bytes))


def _enough(victims: Iterable[Victim], need_bytes: int) -> Iterator[Victim]:
    for victim in victims:
        if need_bytes <= 0:
            return
        need_bytes -= victim.size_bytes
        yield victim


def name_gaps(
    victims: Iterable[Victim], *, delivered: int, epoch: int, at: datetime
) -> list[Entry]:
    """Return the gap events that name what goes undelivered.

    Streamseqs of an earlier epoch mean nothing in this one: there only the count is told.
    """
    lost: defaultdict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for victim in victims:
        if victim.seq > delivered and not victim.local:
            stream = (victim.equipment, victim.type, victim.epoch == epoch)
            lost[stream].append(victim.streamseq)
    events: defaultdict[str, list[Gap]] = defaultdict(list)
    for (equipment, stream_type, current), streamseqs in lost.items():
        events[equipment].append(
            Gap(
                at=at,
                stream=stream_type,
                reason="retention",
                count=len(streamseqs),
                from_streamseq=min(streamseqs) if current else None,
                to_streamseq=max(streamseqs) if current else None,
            )
        )
    return [Entry(equipment, gaps) for equipment, gaps in events.items()]
