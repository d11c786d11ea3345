"""The faults of all equipment that a person may have to do something about. Pure.

Active ones, and those that cleared before anybody acknowledged them. What nobody has seen
comes first, then what is urgent, then what is old.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.events import FaultText
from gateway.domain.vocabulary import Json, Quality, ReasonCategory, Text
from gateway.web.board import EquipmentCard, priority


@dataclass(frozen=True, slots=True)
class Acked:
    """Who acknowledged a fault, when, and what he said."""

    by: str | None
    at: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a fault."""

    at: str
    by: str | None
    comment: str


@dataclass(frozen=True, slots=True)
class FaultItem:
    """One occurrence. `count`: how often it was raised within it; chatter is folded."""

    fault_id: str
    equipment: str
    name: Text
    area: str
    line: str
    code: str
    text: Text
    cause: Text
    remedy: Text
    severity: int
    priority: int
    category: ReasonCategory
    stops_machine: bool
    raised_at: str
    cleared_at: str | None
    active: bool
    acked: Acked | None
    shelved_until: str | None
    comments: tuple[Comment, ...]
    count: int
    chattering: bool
    first_up: bool
    flood: bool
    quality: Quality


def fault_list(
    cards: Iterable[EquipmentCard], snapshots: Mapping[str, Mapping[str, Json]]
) -> tuple[FaultItem, ...]:
    """Return the list; ``snapshots`` are those of `gateway.domain.snapshot` by equipment."""
    found: list[FaultItem] = []
    for card in cards:
        told = snapshots.get(card.equipment, {}).get("faults", {})
        found += [told_fault(card, fault) for fault in told.get("active", ())]
        found += [_cleared(card, fault) for fault in told.get("unacked", ())]
    return tuple(sorted(found, key=_order))


def _order(fault: FaultItem) -> tuple[bool, bool, int, str, str]:
    return (
        fault.shelved_until is not None,
        fault.acked is not None,
        fault.priority,
        fault.raised_at,
        fault.fault_id,
    )


def told_fault(card: EquipmentCard, fault: Json) -> FaultItem:
    """Return one occurrence of a fault event's data; ``comments`` may be added to it."""
    comments = tuple(Comment(**comment) for comment in fault.get("comments", ()))
    return _item(
        card,
        fault,
        fault,
        acked=_acked(fault, comments),
        shelved_until=fault.get("shelved_until"),
        comments=comments,
        first_up=fault.get("first_up", False),
        flood=fault.get("flood", False),
        quality=fault.get("quality", "good"),
    )


def _acked(fault: Json, comments: Iterable[Comment]) -> Acked | None:
    if not fault["acked"]:
        return None
    by, at = fault.get("acked_by"), fault.get("acked_at")
    said = (one.comment for one in comments if (one.at, one.by) == (at, by))
    return Acked(by, at, next(said, None))


def _cleared(card: EquipmentCard, fault: Json) -> FaultItem:
    meaning = card.faults.get(fault["code"], FaultText(fault["code"]))
    return _item(card, fault, meaning.data())


def _item(card: EquipmentCard, fault: Json, meaning: Json, **more: Any) -> FaultItem:
    raises = fault.get("raises", 1)
    rest = {
        "acked": None,
        "shelved_until": None,
        "comments": (),
        "first_up": False,
        "flood": False,
        "quality": "good",
    }
    return FaultItem(
        fault_id=fault["fault_id"],
        equipment=card.equipment,
        name=card.name,
        area=card.area,
        line=card.line,
        code=fault["code"],
        text=meaning["text"],
        cause=meaning["cause"],
        remedy=meaning["remedy"],
        severity=meaning["severity"],
        priority=priority(meaning["severity"]),
        category=meaning["category"],
        stops_machine=meaning["stops_machine"],
        raised_at=fault["raised_at"],
        cleared_at=fault.get("cleared_at"),
        active=fault.get("cleared_at") is None,
        count=raises,
        chattering=raises > 1,
        **(rest | more),
    )
