"""The facts that leave an equipment: written once, never changed.

They are not frozen because one that is takes three times as long to make.

Each event has ``data()``: the contract's ``data`` object as JSON-ready values (times as
RFC 3339 UTC strings with milliseconds). The journal stores it and the wire wraps it, so
there is one place that says what a fact looks like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from drivers.contract import Value
from gateway.domain.vocabulary import (
    Anomaly,
    CounterKind,
    GapReason,
    Json,
    LinkState,
    Mode,
    Order,
    Quality,
    Reason,
    ReasonCategory,
    Shift,
    StampQuality,
    State,
    StatusCause,
    Text,
    Transition,
    stamp,
    stamp_or_none,
)


@dataclass(slots=True, kw_only=True)
class Event:
    """What all facts share. ``type`` is the contract's stream name."""

    type: ClassVar[str] = ""
    at: datetime
    order: Order | None = None
    shift: Shift | None = None
    time_quality: StampQuality = "gateway"

    def data(self) -> Json:
        """The contract's ``data`` object."""
        raise NotImplementedError

    def _context(self) -> Json:
        order = None if self.order is None else self.order.data()
        shift = None if self.shift is None else self.shift.data()
        return {"timequality": self.time_quality, "order": order, "shift": shift}


@dataclass(slots=True, kw_only=True)
class Status(Event):
    """A state began, or an order or a shift cut it in two."""

    type: ClassVar[str] = "status"
    state: State
    since: datetime
    cause: StatusCause
    prev_state: State | None = None
    prev_duration_ms: int | None = None
    repeat: bool = False
    mode: Mode = "unknown"
    reason: Reason | None = None
    quality: Quality = "good"
    order_effective_at: datetime | None = None
    """An order came late: since when it should have been in force."""

    def data(self) -> Json:
        """The contract's ``data`` object."""
        data = {
            "state": self.state.value,
            "state_code": self.state.code,
            "since": stamp(self.since),
            "cause": self.cause,
            "repeat": self.repeat,
            "mode": self.mode,
            "reason": None if self.reason is None else self.reason.data(),
            "quality": self.quality,
            **self._context(),
        }
        if not self.repeat:
            data["prev_state"] = None if self.prev_state is None else self.prev_state.value
            data["prev_duration_ms"] = self.prev_duration_ms
        if self.order_effective_at is not None:
            data["order_effective_at"] = stamp(self.order_effective_at)
        return data


@dataclass(slots=True, kw_only=True)
class Count(Event):
    """A counter moved, or something about it must be known."""

    type: ClassVar[str] = "count"
    counter: str
    kind: CounterKind
    delta: float
    total: float
    raw: float
    unit: str = "1"
    anomaly: Anomaly = "none"
    refused: float = 0
    """Units the reading claimed and we did not book."""
    window_from: datetime | None = None
    cycle_time_ms: int | None = None
    origin: Literal["device", "manual"] = "device"
    order_ambiguous: bool = False
    shift_ambiguous: bool = False
    """A shift began or ended within the window."""
    reason: str | None = None
    """Why, where a person counted."""
    by: str | None = None

    def data(self) -> Json:
        """The contract's ``data`` object."""
        return {
            "counter": self.counter,
            "kind": self.kind,
            "delta": self.delta,
            "total": self.total,
            "raw": self.raw,
            "unit": self.unit,
            "anomaly": self.anomaly,
            "refused": self.refused,
            "window": {"from": stamp_or_none(self.window_from), "to": stamp(self.at)},
            "cycle_time_ms": self.cycle_time_ms,
            "origin": self.origin,
            "order_ambiguous": self.order_ambiguous,
            "shift_ambiguous": self.shift_ambiguous,
            "reason": self.reason,
            "by": self.by,
            **self._context(),
        }


@dataclass(frozen=True, slots=True)
class FaultText:
    """One row of a fault dictionary. ``severity`` 1..1000, P1 >= 901, P2 >= 667."""

    code: str
    text: Text = field(default_factory=dict)
    cause: Text = field(default_factory=dict)
    remedy: Text = field(default_factory=dict)
    severity: int = 500
    category: ReasonCategory = "equipment"
    stops_machine: bool = True

    def data(self) -> Json:
        """As it stands in an event and in a birth."""
        return {
            "code": self.code,
            "text": dict(self.text),
            "cause": dict(self.cause),
            "remedy": dict(self.remedy),
            "severity": self.severity,
            "category": self.category,
            "stops_machine": self.stops_machine,
        }


@dataclass(slots=True, kw_only=True)
class Fault(Event):
    """One step in the life of one occurrence."""

    type: ClassVar[str] = "fault"
    fault_id: str
    transition: Transition
    fault: FaultText
    raised_at: datetime
    cleared_at: datetime | None = None
    duration_ms: int | None = None
    raises: int = 1
    """How often it was raised within this occurrence (chatter is folded)."""
    acked: bool = False
    quality: Quality = "good"
    by: str | None = None
    comment: str | None = None
    until: datetime | None = None
    """When a shelf ends by itself; only where this step put it up."""
    first_up: bool = False
    """It stopped the machine when no other fault did."""
    flood: bool = False
    """Raised amid more faults than a person can follow."""
    acked_by: str | None = None
    acked_at: datetime | None = None
    shelved_until: datetime | None = None

    def data(self) -> Json:
        """The contract's ``data`` object."""
        return {
            "fault_id": self.fault_id,
            "transition": self.transition,
            **self.fault.data(),
            "active": self.cleared_at is None,
            "acked": self.acked,
            "raised_at": stamp(self.raised_at),
            "cleared_at": stamp_or_none(self.cleared_at),
            "duration_ms": self.duration_ms,
            "raises": self.raises,
            "quality": self.quality,
            "by": self.by,
            "comment": self.comment,
            "until": stamp_or_none(self.until),
            "first_up": self.first_up,
            "flood": self.flood,
            "acked_by": self.acked_by,
            "acked_at": stamp_or_none(self.acked_at),
            "shelved_until": stamp_or_none(self.shelved_until),
            **self._context(),
        }


@dataclass(slots=True, kw_only=True)
class Reading(Event):
    """Values that changed in one tag group, or all of them (``full``)."""

    type: ClassVar[str] = "reading"
    group: str
    values: Mapping[str, Value]
    bad: Mapping[str, str] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()
    """Tags in ``values`` that the device itself calls uncertain."""
    full: bool = False
    sourcetime: Mapping[str, str] = field(default_factory=dict)
    """tag -> the device's own stamp, where it gave one."""

    def data(self) -> Json:
        """The contract's ``data`` object."""
        data: Json = {"group": self.group, "values": self.values, "bad": self.bad}
        data["full"] = self.full
        if self.uncertain:
            data["uncertain"] = self.uncertain
        if self.sourcetime:
            data["sourcetime"] = self.sourcetime
        data |= self._context()
        return data


CLOCK = "_clock"
"""What stands for a link where the health is that of the gateway's clock."""


@dataclass(slots=True, kw_only=True)
class Health(Event):
    """What a link of this equipment is worth, or the clock. Never an equipment fault."""

    type: ClassVar[str] = "health"
    link: str
    state: LinkState
    last_ok: datetime | None = None
    rtt_ms: float | None = None
    failures: int = 0
    error: Json | None = None
    """{"class": "Unreachable", "text": "...", "hint": "..."}"""
    clock: Json | None = None
    """The clock was set: {"boot_id": "...", "offset_ms": 3600000}; positive is forward."""

    def data(self) -> Json:
        """The contract's ``data`` object."""
        stepped = {} if self.clock is None else {"clock": self.clock}
        return stepped | {
            "link": self.link,
            "state": self.state,
            "last_ok": stamp_or_none(self.last_ok),
            "rtt_ms": self.rtt_ms,
            "failures": self.failures,
            "error": self.error,
            "timequality": self.time_quality,
        }


@dataclass(slots=True, kw_only=True)
class Gap(Event):
    """Facts that could not be observed or kept, named.

    ``target`` is who alone does not get them (`mqtt`, `push/<name>`); None: nobody does.
    ``from_streamseq`` and ``to_streamseq`` are None where nothing was ever numbered
    (``not_observed``).
    """

    type: ClassVar[str] = "gap"
    stream: str
    reason: GapReason
    count: int
    from_streamseq: int | None = None
    to_streamseq: int | None = None
    target: str | None = None

    def data(self) -> Json:
        """The contract's ``data`` object."""
        whose = {} if self.target is None else {"target": self.target}
        return whose | {
            "stream": self.stream,
            "from_streamseq": self.from_streamseq,
            "to_streamseq": self.to_streamseq,
            "count": self.count,
            "reason": self.reason,
            "timequality": self.time_quality,
        }


@dataclass(slots=True, kw_only=True)
class Note(Event):
    """A later word about an interval or a fault; the last note wins."""

    type: ClassVar[str] = "note"
    about: str
    """The id of the status event or the fault_id it is about."""
    by: str
    comment: str | None = None
    reason: Reason | None = None

    def data(self) -> Json:
        """The contract's ``data`` object."""
        return {
            "about": self.about,
            "by": self.by,
            "comment": self.comment,
            "reason": None if self.reason is None else self.reason.data(),
            "timequality": self.time_quality,
        }


STREAMS: tuple[str, ...] = ("status", "count", "fault", "reading", "health", "gap", "note")
"""The streams of one equipment; ``streamseq`` counts within one of them."""
