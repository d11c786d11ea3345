"""A sound journal made of what can be read of a damaged one.

- What was not delivered is delivered, under its old id; numbers that are gone are told by ``gap``
  events of the new epoch (``corruption``), by how many.
- States, orders and totals go on where they can be read; a counter takes its first reading as
  the baseline, since the state may be older than what was delivered.
- The damaged file is only read. It stays where it is until the new one is complete on the disk:
  a crash at any moment leaves one of them to begin with.
"""

import logging
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

import orjson

from gateway.domain.events import STREAMS, Gap, Reading
from gateway.domain.vocabulary import Json
from gateway.journal.errors import FileFull, JournalError, as_journal_errors
from gateway.journal.ledger import Ledger
from gateway.journal.numbering import prepare
from gateway.journal.retention import row_bytes
from gateway.journal.row import Entry
from gateway.journal.schema import closed_on_error, connect_writer, migrate
from gateway.journal.transfer import keep_last_alive
from gateway.journal.wreck import READABLE, Numbers, Wreck, WreckRow

WITHIN_S = 120.0
"""A start may take minutes for a large file (systemd waits ten), but not for ever."""
SUFFIX = ".salvaged"
REASON = "salvage"
_COMPANIONS = ("", "-wal", "-shm")
_AT_ONCE = 2048

log = logging.getLogger(__name__)

Extent = Literal["all", "facts", "states"]
"""What is taken over: everything, all but readings, no rows."""
_SPARE_BYTES = 4 << 20


@dataclass(slots=True)
class _Numbers:
    """The streamseqs of one stream that came over, and those that a gap event accounts for."""

    first: int
    last: int
    count: int = 0
    named: int = 0


@dataclass(slots=True)
class Found:
    """What came over, and what did not."""

    rows: int = 0
    reading_bytes: int = 0
    numbers: dict[Numbers, _Numbers] = field(default_factory=dict)
    states: int = 0
    missing: int = 0

    def note(self, row: WreckRow) -> None:
        """Take note of a row that came over."""
        self.rows += 1
        if row.type == Reading.type:
            self.reading_bytes += row_bytes(len(row.data))
        own = self.numbers.setdefault(row.numbers, _Numbers(row.streamseq, row.streamseq))
        own.first, own.last = min(own.first, row.streamseq), max(own.last, row.streamseq)
        own.count += 1
        if row.type == Gap.type:
            self._note_named(row, orjson.loads(row.data))

    def _note_named(self, row: WreckRow, gap: Json) -> None:
        stream, first, last = (gap.get(k) for k in ("stream", "from_streamseq", "to_streamseq"))
        if stream in STREAMS and isinstance(first, int) and isinstance(last, int):
            numbers = (row.epoch, row.equipment, str(stream))
            named = self.numbers.setdefault(numbers, _Numbers(first, last))
            named.first, named.last = min(named.first, first), max(named.last, last)
            named.named += last - first + 1


def salvage(
    path: Path,
    *,
    at: datetime,
    randbelow: Callable[[int], int],
    within_s: float = WITHIN_S,
) -> Found | None:
    """Make ``<path>.salvaged`` of a damaged journal; None where nothing can be read of it.

    What there is no room for is left in the damaged file.
    """
    part = path.with_name(path.name + ".salvaging")
    try:
        with closing(Wreck(path, within_s=within_s)) as wreck:
            found = _built(part, wreck, at, randbelow, _extents(path)) if wreck.epochs else None
    except (*READABLE, JournalError) as err:
        log.warning("the damaged journal cannot be read: %s", err)
        found = None
    if found is None:
        _remove(part)
    else:
        part.replace(path.with_name(path.name + SUFFIX))
    return found


def _extents(path: Path) -> tuple[Extent, ...]:
    """Return what to try, the most first: the old file stays beside the new one."""
    has_room = shutil.disk_usage(path.parent).free > path.stat().st_size + _SPARE_BYTES
    return ("all", "facts", "states") if has_room else ("facts", "states")


def _built(
    part: Path,
    wreck: Wreck,
    at: datetime,
    randbelow: Callable[[int], int],
    extents: Iterable[Extent],
) -> Found | None:
    for extent in extents:
        _remove(part)
        try:
            return _build(part, wreck, at, randbelow, extent)
        except FileFull:
            log.warning("no room for %s that can be read of the damaged journal", extent)
    return None


def _remove(part: Path) -> None:
    for companion in _COMPANIONS:
        part.with_name(part.name + companion).unlink(missing_ok=True)


def _build(
    part: Path, wreck: Wreck, at: datetime, randbelow: Callable[[int], int], extent: Extent
) -> Found:
    found = Found()
    head, alive_ms = wreck.head(), wreck.marks.get("alive_ms")
    with as_journal_errors():
        connection = connect_writer(part)
    with closed_on_error(connection):
        with as_journal_errors():
            migrate(connection)
            _copy_tables(connection, wreck, head, found)
            if extent != "states":
                rows = (row for row in wreck.rows(wreck.delivered, head) if not row.local)
                _copy_rows(connection, rows, found, facts_only=extent == "facts")
            _write_marks(connection, head, found)
        ledger = Ledger(connection, randbelow)
        ledger.begin_epoch(REASON, at)
        gaps = _gaps(wreck, found, at)
        found.missing = sum(gap.count for own in gaps.values() for gap in own)
        ledger.commit([prepare(Entry(name, own) for name, own in gaps.items())], {}, at)
        ledger.close(at)
    keep_last_alive(part, alive_ms)
    return found


def _copy_tables(connection: sqlite3.Connection, wreck: Wreck, head: int, found: Found) -> None:
    states = wreck.states()
    found.states = len(states)
    tables: Mapping[str, Iterable[tuple[object, ...]]] = {
        "INSERT OR IGNORE INTO epoch VALUES (?, ?, ?, ?)": [
            (number, *about) for number, about in wreck.epochs.items()
        ],
        "INSERT OR IGNORE INTO cursor VALUES (?, ?)": [
            (name, seq) for name, seq in wreck.cursors.items() if seq <= head
        ],
        "INSERT OR IGNORE INTO state VALUES (?, ?)": states.items(),
        "INSERT OR IGNORE INTO place VALUES (?, ?)": wreck.places(),
        "INSERT OR IGNORE INTO life VALUES (?, ?, ?)": wreck.lives(),
        "INSERT OR IGNORE INTO command VALUES (?, ?, ?)": wreck.commands(),
    }
    connection.execute("BEGIN IMMEDIATE")
    for sql, rows in tables.items():
        connection.executemany(sql, rows)
    connection.execute("COMMIT")


def _copy_rows(
    connection: sqlite3.Connection, rows: Iterable[WreckRow], found: Found, *, facts_only: bool
) -> None:
    taken = (row for row in rows if not facts_only or row.type != Reading.type)
    while chunk := list(islice(taken, _AT_ONCE)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk
        )
        connection.execute("COMMIT")
        for row in chunk:
            found.note(row)


def _write_marks(connection: sqlite3.Connection, head: int, found: Found) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
    connection.execute("INSERT INTO sqlite_sequence VALUES ('event', ?)", (head,))
    connection.execute(
        "INSERT OR REPLACE INTO mark VALUES ('reading_bytes', ?)", (found.reading_bytes,)
    )
    connection.execute("COMMIT")


def _gaps(wreck: Wreck, found: Found, at: datetime) -> dict[str, list[Gap]]:
    """Return what tells how many rows did not come over, by equipment; rather more than less."""
    missing: Counter[tuple[str, str]] = Counter()
    before, newest = wreck.newest_before(wreck.delivered), max(wreck.epochs)
    heads = {
        (newest, *stream): (streamseq, seq)
        for stream, (streamseq, seq) in wreck.heads.items()
        if seq > wreck.delivered
    }
    for stream in found.numbers.keys() | heads.keys():
        own = found.numbers.get(stream, _Numbers(0, 0))
        last, seq = heads.get(stream, (own.last, 0))
        begun = before.get(stream)
        if begun is None and wreck.delivered:
            begun = own.first - 1 if own.count else max(0, last - (seq - wreck.delivered))
        missing[stream[1:]] += max(0, max(last, own.last) - (begun or 0) - own.count - own.named)
    gaps: defaultdict[str, list[Gap]] = defaultdict(list)
    for (equipment, kind), count in sorted(missing.items()):
        if count:
            gaps[equipment].append(Gap(at=at, stream=kind, reason="corruption", count=count))
    return gaps
