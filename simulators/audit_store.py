"""What the SQL store says, read with sqlite3 alone: the audit trusts no code of the product."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulators.clock import wall_seconds

Stream = tuple[str, str, str, str]
"""(source, epoch, equipment, type)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A row of ``status_interval``; times are wall seconds, ``until`` None while it lasts."""

    state: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Booking:
    """A row of ``count_event``."""

    series: tuple[str, str]
    """(source, epoch)."""
    delta: float
    total: float
    anomaly: str
    refused: float
    at: float


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A row of ``fault_occurrence``."""

    code: str
    raised: float
    cleared: float | None


@dataclass(slots=True)
class Stored:
    """One equipment in the store, in the order the gateway numbered its facts."""

    intervals: list[Interval] = field(default_factory=list)
    bookings: dict[str, list[Booking]] = field(default_factory=lambda: defaultdict(list))
    faults: list[StoredFault] = field(default_factory=list)


@dataclass(slots=True)
class Store:
    """Everything the audit needs."""

    equipment: dict[str, Stored] = field(default_factory=lambda: defaultdict(Stored))
    doubled: list[str] = field(default_factory=list)
    """Facts that stand there twice, as sentences."""
    holes: list[str] = field(default_factory=list)
    """Numbers of a stream that are missing and that no gap names, as sentences."""


def read(path: Path) -> Store:
    """Read the store; raises sqlite3.Error if it cannot be read or lacks a table."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        store = Store()
        _read_intervals(database, store)
        _read_bookings(database, store)
        _read_faults(database, store)
        _read_streams(database, store)
        return store


def _read_intervals(database: sqlite3.Connection, store: Store) -> None:
    for row in database.execute(
        "SELECT equipment, state, since, until FROM status_interval ORDER BY epoch, seq"
    ):
        interval = Interval(row["state"], wall_seconds(row["since"]), _maybe(row["until"]))
        store.equipment[row["equipment"]].intervals.append(interval)


def _read_bookings(database: sqlite3.Connection, store: Store) -> None:
    for row in database.execute(
        "SELECT source, epoch, equipment, counter, delta, total, anomaly, refused, time"
        " FROM count_event WHERE origin = 'device' ORDER BY epoch, seq"
    ):
        booking = Booking(
            (row["source"], row["epoch"]),
            row["delta"],
            row["total"],
            row["anomaly"],
            row["refused"],
            wall_seconds(row["time"]),
        )
        store.equipment[row["equipment"]].bookings[row["counter"]].append(booking)


def _read_faults(database: sqlite3.Connection, store: Store) -> None:
    for row in database.execute(
        "SELECT equipment, code, raised_at, cleared_at FROM fault_occurrence ORDER BY raised_at"
    ):
        fault = StoredFault(row["code"], wall_seconds(row["raised_at"]), _maybe(row["cleared_at"]))
        store.equipment[row["equipment"]].faults.append(fault)


def _maybe(text: str | None) -> float | None:
    return None if text is None else wall_seconds(text)


def _read_streams(database: sqlite3.Connection, store: Store) -> None:
    for table in ("event", "status_interval", "count_event"):
        for row in database.execute(
            f"SELECT source, id, COUNT(*) AS n FROM {table}"  # noqa: S608 - names from above
            " GROUP BY source, id HAVING n > 1"
        ):
            times = f"{row['n']} times"
            store.doubled.append(f"{row['source']} {row['id']} stands {times} in {table}")
    named = _named_by_gaps(database)
    numbers: dict[Stream, list[int]] = defaultdict(list)
    for row in database.execute(
        "SELECT DISTINCT source, id, epoch, equipment, type, streamseq FROM event"
        " ORDER BY streamseq"
    ):
        stream = (row["source"], row["epoch"], row["equipment"], row["type"])
        numbers[stream].append(row["streamseq"])
    for stream, found in numbers.items():
        _check_numbers(stream, found, named.get(stream, frozenset()), store)


def _named_by_gaps(database: sqlite3.Connection) -> Mapping[Stream, frozenset[int]]:
    named: dict[Stream, frozenset[int]] = defaultdict(frozenset)
    for row in database.execute(
        "SELECT source, epoch, equipment, stream, from_streamseq, to_streamseq FROM gap_event"
        " WHERE from_streamseq IS NOT NULL"
    ):
        stream = (row["source"], row["epoch"], row["equipment"], row["stream"])
        named[stream] |= frozenset(range(row["from_streamseq"], row["to_streamseq"] + 1))
    return named


def _check_numbers(
    stream: Stream, found: Iterable[int], named: frozenset[int], store: Store
) -> None:
    _, epoch, equipment, kind = stream
    for one, other in pairwise([0, *found]):
        if one == other:
            store.doubled.append(f"{equipment}: two {kind} events of {epoch} have number {one}")
        lost = [number for number in range(one + 1, other) if number not in named]
        if lost:
            store.holes.append(
                f"{equipment}: {kind} events {lost[0]} to {lost[-1]} of {epoch} are missing"
            )


def series_totals(bookings: Iterable[Booking]) -> Mapping[tuple[str, str], Any]:
    """Return per series: (sum of deltas, total at the end less total before the first)."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    before: dict[tuple[str, str], float] = {}
    for booking in bookings:
        before.setdefault(booking.series, booking.total - booking.delta)
        booked = sums.get(booking.series, (0.0, 0.0))[0] + booking.delta
        sums[booking.series] = (booked, booking.total - before[booking.series])
    return sums
