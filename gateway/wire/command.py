"""What may be asked of an equipment or of the gateway, read into typed values.

Unknown fields are ignored. Everything else that is not as the contract says is WireError.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from gateway.domain.commands import (
    Command,
    FaultAction,
    FaultCommand,
    NoteCommand,
    OrderCommand,
    ScrapCommand,
    ScrapKind,
    UsageCommand,
)
from gateway.domain.events import STREAMS
from gateway.domain.notes import part_of
from gateway.domain.vocabulary import Json, Order, Reason, ReasonCategory
from gateway.wire import fields
from gateway.wire.error import WireError
from gateway.wire.topics import PlaceFilter

_COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_ABOUT = re.compile(r"[A-Za-z0-9._:-]{1,160}", re.ASCII)
_ABOUT_A_PART = re.compile(r"[A-Za-z0-9._:@-]{1,160}", re.ASCII)
_FAULT_ACTIONS: Mapping[str, FaultAction] = {action: action for action in get_args(FaultAction)}
_COUNTER = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_SCRAP_KINDS: Mapping[str, ScrapKind] = {kind: kind for kind in get_args(ScrapKind)}
MAX_QUANTITY = 1_000_000
"""Of one command for scrap: more is a slip of the finger."""
MAX_PLACES = 100
"""Of one replay."""
_CATEGORIES: Mapping[str, ReasonCategory] = {name: name for name in get_args(ReasonCategory)}
_EPOCH = re.compile(r"[0-9a-z]+-[0-9a-z]+", re.ASCII)

ReplyError = Literal["MALFORMED", "RETAINED", "TOO_OLD", "OUT_OF_RANGE", "BUSY", "NOT_SENT"]
"""Why a command was refused; equipment may add refusals of its own to an order."""


def command_id(message: Json) -> str:
    """Return the id of a command: 1 to 64 letters, digits and ``. _ : -``."""
    return fields.matched(_COMMAND_ID, message, "command_id")[0]


def sent_at(message: Json) -> datetime | None:
    """Return when the sender says it wrote the command (``at``)."""
    return fields.time_or_none(message, "at")


def order(message: Json) -> OrderCommand:
    """Read a ``cmd/order``; ``order_no`` null takes the order away."""
    if "order_no" not in message:
        raise WireError("order_no is missing")
    order_no = fields.text_or_none(message, "order_no")
    in_force = None
    if order_no is not None:
        in_force = Order(
            order_no=order_no,
            operation=fields.text_or_none(message, "operation"),
            product=fields.text_or_none(message, "product"),
            batch=fields.text_or_none(message, "batch"),
            operator=fields.text_or_none(message, "operator"),
            planned_qty=fields.amount_or_none(message, "planned_qty"),
            ideal_cycle_ms=fields.amount_or_none(message, "ideal_cycle_ms"),
        )
    return OrderCommand(
        command_id=command_id(message),
        order=in_force,
        effective_at=fields.time_or_none(message, "effective_at"),
        by=fields.text_or_none(message, "by"),
    )


def note(message: Json) -> NoteCommand:
    """Read a ``cmd/note``; it says a reason, a comment or both."""
    reason = (
        None if message.get("reason") is None else _reason(fields.typed(message, "reason", dict))
    )
    comment = fields.text_or_none(message, "comment")
    about = fields.matched(_ABOUT_A_PART, message, "about")[0]
    if "@" in about and part_of(about) is None:
        raise WireError("about: after @ stands a moment as 2026-03-20T01:01:29.123Z")
    if reason is None and comment is None:
        raise WireError("neither reason nor comment is given")
    return NoteCommand(
        command_id=command_id(message),
        about=about,
        by=fields.text(message, "by"),
        reason=reason,
        comment=comment,
    )


def _reason(message: Json) -> Reason:
    texts = fields.typed(message, "text", dict) if message.get("text") is not None else {}
    planned = message.get("planned") is not None and fields.typed(message, "planned", bool)
    category = _CATEGORIES.get(fields.text_or_none(message, "category") or "unspecified")
    if category is None:
        raise WireError(f"category: only {', '.join(_CATEGORIES)}")
    return Reason(
        code=fields.text(message, "code"),
        category=category,
        text={language: fields.text(texts, language) for language in texts},
        planned=planned,
    )


def fault(message: Json) -> FaultCommand:
    """Read a ``cmd/fault``; whether the fault can be treated so is not known here."""
    action = _FAULT_ACTIONS.get(fields.text(message, "action"))
    if action is None:
        raise WireError(f"action: only {', '.join(_FAULT_ACTIONS)}")
    return FaultCommand(
        command_id=command_id(message),
        fault_id=fields.matched(_ABOUT, message, "fault_id")[0],
        action=action,
        by=fields.text(message, "by"),
        comment=fields.text_or_none(message, "comment"),
        until=fields.time_or_none(message, "until"),
    )


def scrap(message: Json) -> ScrapCommand:
    """Read a ``cmd/scrap``: a whole number of parts and who found them."""
    kind = _SCRAP_KINDS.get(fields.text_or_none(message, "kind") or "reject")
    if kind is None:
        raise WireError(f"kind: only {', '.join(_SCRAP_KINDS)}")
    named = message.get("counter") is not None
    quantity = fields.positive(message, "quantity")
    if quantity > MAX_QUANTITY:
        raise WireError(f"quantity is above {MAX_QUANTITY}")
    return ScrapCommand(
        command_id=command_id(message),
        quantity=quantity,
        by=fields.text(message, "by"),
        counter=fields.matched(_COUNTER, message, "counter")[0] if named else None,
        kind=kind,
        reason=fields.text_or_none(message, "reason"),
    )


def usage(message: Json) -> UsageCommand:
    """Read a ``cmd/usage``; without ``used`` the usage begins again at nothing."""
    return UsageCommand(
        command_id=command_id(message),
        usage=fields.matched(_COUNTER, message, "usage")[0],
        by=fields.text(message, "by"),
        used=fields.amount_or_none(message, "used") or 0.0,
        comment=fields.text_or_none(message, "comment"),
    )


COMMANDS: Mapping[str, Callable[[Json], Command]] = {
    "order": order,
    "note": note,
    "fault": fault,
    "scrap": scrap,
    "usage": usage,
}
"""What may be asked of an equipment: name -> reader of ``cmd/<name>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """A range of seq, both ends included, or of event time; the rest narrows it.

    Either ``from_seq`` or both ``start`` and ``end`` are given; ``to_seq`` None means up to
    the newest. Empty ``types`` means all, ``equipment`` None means every one.
    """

    command_id: str
    from_seq: int | None = None
    to_seq: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    types: frozenset[str] = frozenset()
    equipment: str | None = None
    places: tuple[PlaceFilter, ...] = ()
    """None means every place."""
    epoch: str | None = None


def replay(message: Json) -> ReplayRequest:
    """Read a ``cmd/replay``."""
    by_seq, by_time = "from_seq" in message, "from" in message
    if by_seq == by_time:
        raise WireError("give either from_seq and to_seq or from and to")
    epoch = None if message.get("epoch") is None else fields.matched(_EPOCH, message, "epoch")[0]
    request = ReplayRequest(
        command_id=command_id(message),
        from_seq=fields.positive(message, "from_seq") if by_seq else None,
        to_seq=None if message.get("to_seq") is None else fields.positive(message, "to_seq"),
        start=fields.time(message, "from") if by_time else None,
        end=fields.time(message, "to") if by_time else None,
        types=_types(message),
        equipment=fields.text_or_none(message, "equipment"),
        places=_places(message),
        epoch=epoch,
    )
    if request.from_seq and request.to_seq and request.to_seq < request.from_seq:
        raise WireError("to_seq is before from_seq")
    if request.start and request.end and request.end < request.start:
        raise WireError("to is before from")
    return request


def _types(message: Json) -> frozenset[str]:
    if message.get("types") is None:
        return frozenset()
    types = fields.typed(message, "types", list)
    if not all(name in STREAMS for name in types):
        raise WireError(f"types: only {', '.join(STREAMS)}")
    return frozenset(types)


def _places(message: Json) -> tuple[PlaceFilter, ...]:
    if message.get("places") is None:
        return ()
    places = fields.typed(message, "places", list)
    if not places or len(places) > MAX_PLACES:
        raise WireError(f"places: 1 to {MAX_PLACES}")
    return tuple(PlaceFilter.read(str(place)) for place in places)
