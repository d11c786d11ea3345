"""Counts that become one without a part being lost: pure.

Neighbours of one counter become one where a consumer books them alike: same equipment, same
order, shift and product, the same in everything else they say; nothing anomalous, nothing a
person counted, and each total continuing the one before.

- What is left is the newest of them, under its own id: its ``total`` and ``raw`` as they were,
  its ``delta`` the exact sum of all, its window from the first to the last.
- A merged count stays within a quarter of an hour, so that no hour of any time zone gets
  another's parts; or it may not (``slot_ms`` None), where there is no other way left.
- The numbers that are gone are named by ``gap`` events with reason ``merged``, exactly.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import orjson

from gateway.domain.events import Gap
from gateway.domain.vocabulary import Json, packed
from gateway.journal.retention import row_bytes
from gateway.journal.row import Entry

_GAP_BYTES = row_bytes(150)
_MIN_FREED_BYTES = 16 << 10
_OWN = frozenset({"delta", "total", "raw", "window", "cycle_time_ms"})
"""What a count says of itself alone; all the rest must be the same."""


class CountRow(NamedTuple):
    """A count of the epoch in force that no consumer was given yet."""

    seq: int
    equipment: str
    streamseq: int
    time_ms: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Merged:
    """What a stretch of counts comes to."""

    changed: Sequence[tuple[int, bytes]] = ()
    """Rows that stay, with their new data."""
    gone: Sequence[CountRow] = ()
    """Rows whose parts stand in one of those."""
    gaps: Sequence[Entry] = ()

    @property
    def freed_bytes(self) -> int:
        """What it is worth."""
        gone = sum(row_bytes(len(row.data)) for row in self.gone)
        return gone - _GAP_BYTES * sum(len(entry.events) for entry in self.gaps)

    @property
    def pays(self) -> bool:
        """Whether it gives back some pages, and more than the gap events take."""
        least = max(_MIN_FREED_BYTES, _GAP_BYTES * sum(len(one.events) for one in self.gaps))
        return self.freed_bytes >= least


@dataclass(slots=True)
class _Group:
    like: tuple[bytes, int]
    rows: list[CountRow] = field(default_factory=list)
    counts: list[Json] = field(default_factory=list)


def merge(rows: Sequence[CountRow], *, slot_ms: int | None, at: datetime) -> Merged:
    """Return what becomes of neighbouring counts; ``rows`` are in order of seq."""
    groups: list[_Group] = []
    open_: dict[tuple[str, str], _Group] = {}
    for row in rows:
        count = _read(row.data)
        counter = (row.equipment, str(count.get("counter")))
        if not _is_plain(count):
            open_.pop(counter, None)
            continue
        before = open_.get(counter)
        like = (_sameness(count), 0 if slot_ms is None else row.time_ms // slot_ms)
        if before is None or before.like != like or not _continues(before.counts[-1], count):
            before = _Group(like)
            groups.append(before)
        before.rows.append(row)
        before.counts.append(count)
        open_[counter] = before
    several = [group for group in groups if len(group.rows) > 1]
    gone = sorted(row for group in several for row in group.rows[:-1])
    return Merged(
        changed=[(group.rows[-1].seq, packed(_one(group.counts))) for group in several],
        gone=gone,
        gaps=_gaps(gone, at),
    )


def _read(data: bytes) -> Json:
    try:
        count = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return count if isinstance(count, dict) else {}


def _is_plain(count: Json) -> bool:
    """Whether it may be merged."""
    figures = [count.get(key) for key in ("delta", "total")]
    return (
        isinstance(count.get("counter"), str)
        and count.get("anomaly") == "none"
        and count.get("origin") == "device"
        and not count.get("refused")
        and isinstance(count.get("window"), dict)
        and all(isinstance(one, (int, float)) and math.isfinite(one) for one in figures)
    )


def _sameness(count: Json) -> bytes:
    rest = {key: value for key, value in count.items() if key not in _OWN}
    return orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)


def _continues(before: Json, count: Json) -> bool:
    """Whether nothing came between: an anomaly, or a row that is not here."""
    return _exact(before["total"]) + _exact(count["delta"]) == _exact(count["total"])


def _one(counts: Sequence[Json]) -> Json:
    first, last = counts[0], counts[-1]
    return last | {
        "delta": _sum(count["delta"] for count in counts),
        "window": {"from": first["window"].get("from"), "to": last["window"].get("to")},
        "cycle_time_ms": _cycle_time_ms(counts),
    }


def _cycle_time_ms(counts: Sequence[Json]) -> int | None:
    """Return the mean over all parts; None where that of one is not known."""
    times = [count.get("cycle_time_ms") for count in counts]
    parts = sum(count["delta"] for count in counts)
    if not parts or not all(isinstance(time, (int, float)) for time in times):
        return None
    return int(sum(t * c["delta"] for t, c in zip(times, counts, strict=True)) / parts + 0.5)


def _sum(figures: Iterable[float]) -> float:
    figures = tuple(figures)
    if all(isinstance(one, int) for one in figures):
        return sum(figures)
    return float(sum(map(_exact, figures)))


def _exact(figure: float) -> Decimal:
    """Return what is written: a tenth is a tenth."""
    return Decimal(repr(figure))


def _gaps(gone: Iterable[CountRow], at: datetime) -> list[Entry]:
    runs: defaultdict[str, list[list[int]]] = defaultdict(list)
    for row in gone:
        own = runs[row.equipment]
        if own and own[-1][1] + 1 == row.streamseq:
            own[-1][1] = row.streamseq
        else:
            own.append([row.streamseq, row.streamseq])
    return [
        Entry(
            equipment,
            [
                Gap(
                    at=at,
                    stream="count",
                    reason="merged",
                    count=last - first + 1,
                    from_streamseq=first,
                    to_streamseq=last,
                )
                for first, last in own
            ],
        )
        for equipment, own in runs.items()
    ]
