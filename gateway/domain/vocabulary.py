"""The words of the field: states, causes, kinds, and what every fact carries beside itself.

Closed sets, as the contract fixes them; one word each, in code, topics and screens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

import orjson

from drivers.contract import TimeQuality

Json = dict[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})


def packed(value: Any) -> bytes:
    """Return a value as JSON that may be kept: orjson hands out its whole buffer, 8 kB and more."""
    return bytes(memoryview(orjson.dumps(value)))


class State(StrEnum):
    """The closed set of states, one per lamp colour."""

    OFFLINE = "offline"
    RUNNING = "running"
    IDLE = "idle"
    STOPPED = "stopped"
    FAULT = "fault"
    SETUP = "setup"
    MAINTENANCE = "maintenance"

    @property
    def code(self) -> int:
        """The number for charts and PLC people, as the contract fixes it."""
        return _STATE_CODES[self]


_STATE_CODES = {state: code for code, state in enumerate(State)}

Mode = Literal["auto", "semi_auto", "manual", "setup", "maintenance", "unknown"]
Quality = Literal["good", "uncertain", "bad"]
StampQuality = TimeQuality | Literal["unsynced"]
"""Whose clock a stamp is of; ``unsynced`` is ours where it is not to be trusted."""
StatusCause = Literal["sample", "order", "shift", "start", "command"]
ReasonCategory = Literal[
    "none",
    "starved",
    "blocked",
    "material",
    "operator",
    "no_order",
    "break",
    "changeover",
    "cleaning",
    "tooling",
    "quality",
    "energy",
    "external",
    "equipment",
    "safety",
    "comms",
    "unspecified",
]
CounterKind = Literal["good", "reject", "rework", "total", "cycle", "consumed", "energy"]
Anomaly = Literal[
    "none",
    "baseline",
    "rollover",
    "reset",
    "preset",
    "jump",
    "gap",
    "rollover_ambiguous",
    "inconsistent",
]
Transition = Literal["raised", "updated", "cleared", "acked", "shelved", "unshelved"]
GapReason = Literal["retention", "dead_letter", "merged", "corruption", "not_observed"]
BROKERS = "mqtt"
"""The `target` of a gap in what goes over MQTT, and only in that."""
LinkState = Literal["starting", "online", "degraded", "offline", "disabled"]
Text = Mapping[str, str]
"""A text in the languages of the factory: {"zh": ..., "en": ...}."""


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-03-20T01:01:29.123Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def stamp_or_none(at: datetime | None) -> str | None:
    """As `stamp`; None stays None."""
    return None if at is None else stamp(at)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why; it refines a state and never changes it."""

    code: str
    category: ReasonCategory = "unspecified"
    text: Text = field(default_factory=dict)
    planned: bool = False

    def data(self) -> Json:
        """As it stands in an event."""
        return {
            "code": self.code,
            "text": dict(self.text),
            "category": self.category,
            "planned": self.planned,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """The order in force; stamped on every fact."""

    order_no: str
    operation: str | None = None
    product: str | None = None
    batch: str | None = None
    operator: str | None = None
    planned_qty: float | None = None
    ideal_cycle_ms: float | None = None

    def data(self) -> Json:
        """The fields that travel on every fact."""
        return {
            "order_no": self.order_no,
            "operation": self.operation,
            "product": self.product,
            "batch": self.batch,
            "operator": self.operator,
            "ideal_cycle_ms": self.ideal_cycle_ms,
        }


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift as it was worked, from ``starts_at`` to before ``ends_at`` (UTC)."""

    code: str
    production_date: date
    starts_at: datetime
    ends_at: datetime

    def data(self) -> Json:
        """The two fields that travel on every fact."""
        return {"code": self.code, "production_date": self.production_date.isoformat()}
