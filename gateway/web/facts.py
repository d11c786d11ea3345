"""From rows of the journal to what happened: states, faults, parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from gateway.domain.fault_stats import Occurrence
from gateway.domain.figures import Facts
from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import CounterKind, Json, State, stamp
from gateway.domain.worktime import Interval
from gateway.journal.history import Booked, Look, QueryTooLong, Wanted
from gateway.journal.row import Row

MAX_ROWS = 20_000
NOTED_BEFORE = timedelta(days=2)
"""A note comes after the interval it is about; this is how far an interval may reach back."""
FAULTS_BEFORE = timedelta(days=1)
"""What was raised before a span may be the same failure."""
STATES_AFTER = timedelta(days=7)
"""A restart after the end of a fault may lie behind the span."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """One state of one equipment, from ``since`` to ``until`` (None: it lasts)."""

    id: str
    state: str
    since: datetime
    until: datetime | None
    reason: Json | None
    mode: str
    order_no: str | None
    quality: str
    shift: Json | None
    cause: str
    ideal_cycle_ms: float | None = None
    note: Json | None = None

    def interval(self, known_until: datetime) -> Interval:
        """Return it as the figures need it; what lasts is believed up to ``known_until``."""
        reason = self.reason or {}
        return Interval(
            state=State(self.state),
            since=self.since,
            until=self.until or max(known_until, self.since),
            planned=bool(reason.get("planned")),
            category=reason.get("category", "none"),
            order_no=self.order_no,
        )


def event_id(row: Row) -> str:
    """Return the identity of a row as an event."""
    return f"{row.epoch}-{row.seq}"


def stamp_ms(time_ms: int) -> str:
    """Return a time of the journal as the API writes it."""
    return stamp(_EPOCH + timedelta(milliseconds=time_ms))


def kept_from(look: Look) -> str | None:
    """Return since when the journal holds anything."""
    extent = look.extent()
    return None if extent is None else stamp(extent.first_at)


def moment(text: str) -> datetime:
    """Read a time of an event."""
    return datetime.fromisoformat(text)


def stays(look: Look, equipment: str, span: Span) -> list[Stay]:
    """Return the states in a span, also the one that lasted when it began."""
    status = Wanted(equipment=equipment, types=("status",), end=span.ends, limit=MAX_ROWS)
    edge = replace(status, end=span.begins, newest_first=True, limit=1)
    within = look.rows(replace(status, start=span.begins))
    start = span.begins - NOTED_BEFORE
    noted = look.rows(Wanted(equipment=equipment, types=("note",), start=start, limit=MAX_ROWS))
    return told([*look.rows(edge), *_all(within)], _notes(noted))


def told(rows: Iterable[Row], said: Mapping[str, Json]) -> list[Stay]:
    """Return the intervals that status rows (in order of time) tell of.

    A repeat tells nothing new, unless what it repeats is no longer there. The reason is that
    of the last note.
    """
    found: list[Stay] = []
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        if data["repeat"] and found:
            continue
        since = moment(data["since"])
        if found:
            found[-1] = replace(found[-1], until=max(since, found[-1].since))
        found.append(_stay(event_id(row), data, since, said))
    return found


def facts(
    look: Look,
    wanted: Mapping[str, float | None],
    kinds: Mapping[str, frozenset[CounterKind]],
    span: Span,
) -> Facts:
    """Return what the figures of production need.

    ``wanted`` names each equipment and its ideal cycle in ms; ``kinds`` is what is counted at all.
    """
    extent = look.extent()
    known_until = span.begins if extent is None else extent.last_at
    intervals, parts, counted = {}, {}, {}
    for equipment, ideal_ms in wanted.items():
        found = stays(look, equipment, span)
        intervals[equipment] = [one.interval(known_until) for one in found]
        booked = look.counted(equipment, span.begins, span.ends)
        parts[equipment] = [part for row in booked if (part := _part(row, ideal_ms)) is not None]
        made = {part.kind for part in parts[equipment]}
        counted[equipment] = kinds.get(equipment, frozenset()) | made
    return Facts(intervals, parts, counted)


@dataclass(frozen=True, slots=True)
class PastFault:
    """One occurrence as its last event tells it."""

    equipment: str
    data: Json
    comments: tuple[Json, ...]

    @property
    def raised_at(self) -> datetime:
        """When it began."""
        return moment(self.data["raised_at"])

    def occurrence(self) -> Occurrence:
        """Return it as the figures need it."""
        data = self.data
        return Occurrence(
            code=data["code"],
            raised_at=self.raised_at,
            cleared_at=_moment(data["cleared_at"]),
            acked_at=_moment(data.get("acked_at")),
            stops_machine=data["stops_machine"],
            raises=data["raises"],
            equipment=self.equipment,
        )


def past_faults(look: Look, equipment: str, span: Span) -> list[PastFault]:
    """Return the faults with something told of them since the span began, oldest first."""
    rows = look.rows(
        Wanted(equipment=equipment, types=("fault",), start=span.begins, limit=MAX_ROWS)
    )
    found: dict[str, PastFault] = {}
    for row in _all(rows):
        data: dict[str, Any] = orjson.loads(row.data)
        known = found.get(data["fault_id"])
        comments = () if known is None else known.comments
        if data["comment"]:
            said = {"at": stamp_ms(row.time_ms), "by": data["by"], "comment": data["comment"]}
            comments = (*comments, said)
        found[data["fault_id"]] = PastFault(equipment, data, comments)
    return sorted(
        (one for one in found.values() if one.raised_at < span.ends), key=lambda one: one.raised_at
    )


def fault_states(look: Look, equipment: str, span: Span) -> list[Interval]:
    """Return the states around a span, as the figures of faults need them."""
    extent = look.extent()
    known_until = span.begins if extent is None else extent.last_at
    around = Span(span.begins - FAULTS_BEFORE, span.ends + STATES_AFTER)
    return [one.interval(known_until) for one in stays(look, equipment, around)]


def _all(rows: Sequence[Row]) -> Iterator[Row]:
    if len(rows) >= MAX_ROWS:
        msg = f"more than {MAX_ROWS} events"
        raise QueryTooLong(msg)
    return iter(rows)


def _notes(rows: Iterable[Row]) -> Mapping[str, Json]:
    """Return what a note is about -> the last note; ``rows`` are in order."""
    found: dict[str, Json] = {}
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        found[data["about"]] = {
            "at": stamp_ms(row.time_ms),
            "by": data["by"],
            "comment": data["comment"],
            "reason": data["reason"],
        }
    return found


def _stay(id_: str, data: Json, since: datetime, said: Mapping[str, Json]) -> Stay:
    note = said.get(id_)
    order = data.get("order") or {}
    return Stay(
        id=id_,
        state=data["state"],
        since=since,
        until=None,
        reason=(note or {}).get("reason") or data["reason"],
        mode=data["mode"],
        order_no=order.get("order_no"),
        quality=data["quality"],
        shift=data.get("shift"),
        cause=data["cause"],
        ideal_cycle_ms=order.get("ideal_cycle_ms"),
        note=note,
    )


def _part(row: Booked, ideal_ms: float | None) -> Parts | None:
    _, kind, origin, order_no, of_order_ms, _, _ = orjson.loads(row.what)
    if kind not in {"good", "reject", "rework", "total"}:
        return None
    own_ms = ideal_ms if of_order_ms is None else of_order_ms
    return Parts(
        at=row.at,
        kind=kind,
        quantity=max(0.0, row.quantity),
        ideal_cycle_s=None if own_ms is None else own_ms / 1000,
        origin=origin,
        order_no=order_no,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
