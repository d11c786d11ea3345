"""From rows of the journal to what happened: states, faults, parts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from gateway.domain import notes
from gateway.domain.fault_stats import Occurrence
from gateway.domain.figures import Facts
from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import CounterKind, Json, State, stamp
from gateway.domain.worktime import Interval
from gateway.journal.history import Booked, Look, QueryTooLong, Wanted
from gateway.journal.row import Row
from gateway.web.board import COLLECTOR_SILENT

MAX_ROWS = 20_000
FAULTS_BEFORE = timedelta(days=1)
"""What was raised before a span may be the same failure."""
STATES_AFTER = timedelta(days=7)
"""A restart after the end of a fault may lie behind the span."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PartsBooked = Callable[[Look, str, Span, float | None], list[Parts]]
"""(look, equipment, span, ideal cycle in ms) -> the parts booked."""


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
    part_of: str | None = None
    """The id of the whole, where people split it; ``id`` is that of this part."""

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
    begun = Wanted(equipment=equipment, types=("status",), repeats=False, limit=MAX_ROWS)
    within = _all(look.rows(replace(begun, start=span.begins, end=span.ends)))
    after = look.rows(replace(begun, start=span.ends, limit=1))
    found = told([*_edge(look, begun, span), *within, *after])
    if after:
        found.pop()
    if not found:
        return []
    noted = Wanted(equipment=equipment, types=("note",), start=found[0].since, limit=MAX_ROWS)
    said = _said(_all(look.rows(noted)))
    parts = [part for one in found for part in _parts_of(one, said)]
    return [one for one in parts if one.part_of is None or _reaches(one, span)]


def shown(look: Look, equipment: str, span: Span, *, alive: bool) -> list[Stay]:
    """Return the states in a span as people see them.

    Of a collector that is not ``alive`` what lasts is believed up to its last sign of life; then
    it is offline. Nothing was written of that, so it has no id.
    """
    found, extent = stays(look, equipment, span), look.extent()
    if alive or not found or extent is None or found[-1].until or found[-1].state == State.OFFLINE:
        return found
    last = found[-1]
    until = max(extent.last_at, last.since)
    silence = Stay(
        id="",
        state=State.OFFLINE.value,
        since=until,
        until=None,
        reason=COLLECTOR_SILENT.data(),
        mode="unknown",
        order_no=None,
        quality="bad",
        shift=None,
        cause="sample",
    )
    return [*found[:-1], replace(last, until=until), *([silence] if until < span.ends else [])]


def _edge(look: Look, begun: Wanted, span: Span) -> list[Row]:
    """Return what told of the state that lasted when the span began.

    What a repeat repeats is what notes are about, so a repeat counts only where that is no longer
    there.
    """
    newest = replace(begun, end=span.begins, newest_first=True, limit=1)
    if kept := look.rows(newest) or look.rows(replace(newest, repeats=True)):
        return kept
    first = replace(begun, start=span.begins, end=span.ends, repeats=None, limit=1)
    return [row for row in look.rows(first) if _repeats(row)]


def _repeats(row: Row) -> bool:
    return bool(orjson.loads(row.data)["repeat"])


def told(rows: Iterable[Row]) -> list[Stay]:
    """Return the intervals that status rows (in order of time) tell of."""
    found: list[Stay] = []
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        since = moment(data["since"])
        if found:
            found[-1] = replace(found[-1], until=max(since, found[-1].since))
        found.append(_stay(event_id(row), data, since))
    return found


def parts_booked(look: Look, equipment: str, span: Span, ideal_ms: float | None) -> list[Parts]:
    """Return the parts booked in a span, minute by minute."""
    booked = look.counted(equipment, span.begins, span.ends)
    return [part for row in booked if (part := _part(row, ideal_ms)) is not None]


def facts(
    look: Look,
    wanted: Mapping[str, float | None],
    kinds: Mapping[str, frozenset[CounterKind]],
    span: Span,
    booked: PartsBooked = parts_booked,
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
        parts[equipment] = booked(look, equipment, span, ideal_ms)
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


@dataclass(frozen=True, slots=True)
class _Said:
    """The last note about something, and the reason of the last one that gave any."""

    note: Json
    reason: Json | None


def _said(rows: Iterable[Row]) -> Mapping[str, _Said]:
    """Return what notes are about -> what they said; ``rows`` are in order."""
    found: dict[str, _Said] = {}
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        about, reason = data["about"], data["reason"]
        if reason is None and about in found:
            reason = found[about].reason
        note = {
            "at": stamp_ms(row.time_ms),
            "by": data["by"],
            "comment": data["comment"],
            "reason": data["reason"],
        }
        found[about] = _Said(note, reason)
    return found


def _parts_of(stay: Stay, said: Mapping[str, _Said]) -> Iterator[Stay]:
    """Yield the stay, or its parts where people split it; each with what was said of it."""
    named = ((notes.part_of(about), one) for about, one in said.items())
    cuts = [part.since for part, one in named if part and part.id == stay.id and one.note["reason"]]
    for about, since, until in notes.split(stay.id, stay.since, stay.until, cuts):
        whole = stay.id if since != stay.since or until != stay.until else None
        part = replace(stay, id=about, since=since, until=until, part_of=whole)
        yield _explained(part, said.get(about))


def _reaches(part: Stay, span: Span) -> bool:
    return part.since < span.ends and (part.until is None or part.until > span.begins)


def _explained(stay: Stay, said: _Said | None) -> Stay:
    if said is None:
        return stay
    return replace(stay, note=said.note, reason=said.reason or stay.reason)


def _stay(id_: str, data: Json, since: datetime) -> Stay:
    order = data.get("order") or {}
    return Stay(
        id=id_,
        state=data["state"],
        since=since,
        until=None,
        reason=data["reason"],
        mode=data["mode"],
        order_no=order.get("order_no"),
        quality=data["quality"],
        shift=data.get("shift"),
        cause=data["cause"],
        ideal_cycle_ms=order.get("ideal_cycle_ms"),
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
