"""What the board shows: one tile an equipment, made from its snapshots. Pure.

Promises:

1. A tile says ``offline`` whenever nothing trustworthy is known: never read, or the
   collector that wrote the state is silent. Its last figures stay, with their times.
2. `changes` gives exactly what turns one board into the next: applied to the old tiles
   it yields the new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, get_args

from gateway.domain.events import FaultText
from gateway.domain.rules import Stage
from gateway.domain.vocabulary import (
    CounterKind,
    Json,
    LinkState,
    Mode,
    Quality,
    Reason,
    State,
    Text,
    stamp,
)
from gateway.web.link_error import with_advice

_KIND_ORDER = get_args(CounterKind)
P1_SEVERITY = 901
P2_SEVERITY = 667

COLLECTOR_SILENT = Reason(
    "collector_silent",
    category="comms",
    text={"zh": "采集服务没有响应", "en": "The collector is not responding"},
)


@dataclass(frozen=True, slots=True)
class EquipmentCard:
    """What the configuration says about an equipment that a person reads."""

    equipment: str
    name: Text = field(default_factory=dict)
    area: str = ""
    line: str = ""
    stage: Stage = "live"
    links: frozenset[str] = frozenset()
    """The links it is read over."""
    faults: Mapping[str, FaultText] = field(default_factory=dict)
    """code -> what the dictionary says it means."""


@dataclass(frozen=True, slots=True)
class CounterLine:
    """One counter on a tile; ``total`` is in ``unit``."""

    counter: str
    kind: CounterKind
    total: float
    unit: str
    at: str


@dataclass(frozen=True, slots=True)
class FaultLine:
    """One active fault. ``priority`` 1 (most urgent) to 3, from the severity."""

    fault_id: str
    code: str
    text: Text
    remedy: Text
    priority: int
    stops_machine: bool
    raised_at: str
    acked: bool
    quality: Quality


@dataclass(frozen=True, slots=True)
class LinkLine:
    """What one link of the equipment is worth."""

    link: str
    state: LinkState
    last_ok: str | None = None
    rtt_ms: float | None = None
    failures: int = 0
    error: Json | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """The order in force, since when, and how far it is.

    ``good``: parts since it began here, None where the journal does not reach back that far or it
    was not added up yet. ``due``: what the plan says by now.
    """

    order_no: str
    operation: str | None
    product: str | None
    batch: str | None
    planned_qty: float | None
    since: str | None = None
    ideal_cycle_ms: float | None = None
    good: float | None = None
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order is; it counts as long as this order stands since then."""

    order_no: str
    since: str
    good: float | None
    due: float | None


@dataclass(frozen=True, slots=True)
class ShiftFigures:
    """What the running shift (else the local day) made so far.

    ``target`` is what the whole shift makes at the ideal cycle, ``due`` what it would have made by
    now; ``missing`` says why there is no OEE.
    """

    shift: str | None
    since: str
    good: float | None
    reject: float | None
    target: float | None
    due: float | None
    oee: float | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One equipment on the board. Times are RFC 3339 UTC, None where unknown."""

    equipment: str
    name: Text
    area: str
    line: str
    stage: Stage
    state: State
    since: str | None
    mode: Mode
    reason: Json | None
    counters: tuple[CounterLine, ...]
    faults: tuple[FaultLine, ...]
    links: tuple[LinkLine, ...]
    order: OrderLine | None
    figures: ShiftFigures | None
    """None until they were worked out."""


Tiles = Mapping[str, Tile]
"""equipment -> tile, in the order of the configuration: people find machines by place."""


def tile(
    card: EquipmentCard,
    snapshots: Mapping[str, Json],
    figures: ShiftFigures | None = None,
    progress: Progress | None = None,
) -> Tile:
    """Make a tile of the snapshots of `gateway.domain.snapshot`; any may be missing."""
    status = snapshots.get("status", {})
    return Tile(
        equipment=card.equipment,
        name=card.name,
        area=card.area,
        line=card.line,
        stage=card.stage,
        state=State(status.get("state", State.OFFLINE)),
        since=status.get("since"),
        mode=status.get("mode", "unknown"),
        reason=status.get("reason"),
        counters=_counters(snapshots.get("counters", {}).get("counters", ())),
        faults=_faults(snapshots.get("faults", {}).get("active", ())),
        links=_links(card, snapshots.get("health", {}).get("links", ())),
        order=_order(snapshots.get("order", {}), progress),
        figures=figures,
    )


def unobserved(known: Tile, alive_at: datetime | None) -> Tile:
    """Return the tile of a gateway that fell silent; ``alive_at`` is its last sign of life."""
    if known.state is State.OFFLINE:
        return known
    since = None if alive_at is None else stamp(alive_at)
    return replace(
        known, state=State.OFFLINE, since=since, mode="unknown", reason=COLLECTOR_SILENT.data()
    )


def changes(old: Tiles, new: Tiles) -> Json | None:
    """Return ``{"set": {equipment: {field: value}}, "del": [equipment]}``, None if equal.

    An equipment that is new is set with all its fields.
    """
    gone = [equipment for equipment in old if equipment not in new]
    changed = {
        equipment: difference
        for equipment, now in new.items()
        if (difference := _difference(old.get(equipment), now))
    }
    return {"set": changed, "del": gone} if changed or gone else None


def keep_equal(old: Tiles, new: Tiles) -> Tiles:
    """Return ``new`` with equal tiles replaced by the old objects, so that `is` compares.

    The very ``old`` is returned if nothing at all changed.
    """
    kept = {
        equipment: old[equipment] if old.get(equipment) == now else now
        for equipment, now in new.items()
    }
    same = len(kept) == len(old) and all(kept[key] is old.get(key) for key in kept)
    return old if same else kept


def _difference(old: Tile | None, new: Tile) -> Json:
    if old is new:
        return {}
    return {
        name: getattr(new, name)
        for name in (item.name for item in fields(Tile))
        if old is None or getattr(old, name) != getattr(new, name)
    }


def _links(card: EquipmentCard, told: Sequence[Json]) -> tuple[LinkLine, ...]:
    """Return the links that are configured; what nobody told of yet is on its way up."""
    lines = (LinkLine(**_only(LinkLine, link)) for link in told)
    known = {line.link: replace(line, error=with_advice(line.error)) for line in lines}
    return tuple(known.get(name, LinkLine(name, "starting")) for name in sorted(card.links))


def _counters(rows: Sequence[Json]) -> tuple[CounterLine, ...]:
    lines = [CounterLine(**_only(CounterLine, row)) for row in rows]
    return tuple(sorted(lines, key=lambda line: (_KIND_ORDER.index(line.kind), line.counter)))


def _faults(active: Sequence[Json]) -> tuple[FaultLine, ...]:
    lines = [
        FaultLine(**_only(FaultLine, fault), priority=priority(fault["severity"]))
        for fault in active
    ]
    return tuple(sorted(lines, key=lambda fault: (fault.acked, fault.priority, fault.raised_at)))


def priority(severity: int) -> int:
    """Return 1 (most urgent) to 3."""
    if severity >= P1_SEVERITY:
        return 1
    return 2 if severity >= P2_SEVERITY else 3


def _order(snapshot: Json, progress: Progress | None) -> OrderLine | None:
    order = snapshot.get("order")
    if order is None:
        return None
    beside = {key: snapshot.get(key) for key in ("planned_qty", "since", "ideal_cycle_ms")}
    line = OrderLine(**_only(OrderLine, beside | order))
    if progress is None or (progress.order_no, progress.since) != (line.order_no, line.since):
        return line
    return replace(line, good=progress.good, due=progress.due)


def _only(kind: type[Any], data: Json) -> Json:
    return {item.name: data[item.name] for item in fields(kind) if item.name in data}
