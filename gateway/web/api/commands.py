"""What people tell the gateway about a machine: the order, reasons, comments, bad parts."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from gateway.domain.notes import Part, part_of
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import ReasonCategory, stamp_or_none
from gateway.settings.site import EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Equipment, MeOnce, moment, wrong
from gateway.web.api.bodies import Line, Strict, Text
from gateway.web.api.guard import Web, needs
from gateway.web.commands import obeyed
from gateway.web.context import Context
from gateway.web.facts import stays

router = APIRouter(prefix="/api/v1/equipment/{equipment}", tags=["commands"])
MAX_AMOUNT = 1e12
Amount = Annotated[float, Field(ge=0, le=MAX_AMOUNT, allow_inf_nan=False)]


class OrderBody(Strict):
    """The order from now on; `order_no` null takes it away."""

    order_no: Line | None = Field(examples=["WO-1042"])
    operation: Line | None = None
    product: Line | None = None
    batch: Line | None = None
    operator: Line | None = None
    planned_qty: Amount | None = None
    ideal_cycle_ms: Amount | None = None
    effective_at: datetime | None = None
    """When it should have been in force; the gateway obeys now and says both."""


class ReasonBody(Strict):
    """Why a machine stood."""

    code: Line = Field(examples=["no_material"])
    text: dict[Literal["zh", "en"], Line] = Field(default_factory=dict)
    category: ReasonCategory = "unspecified"
    planned: bool = False


class NoteBody(Strict):
    """A word about an interval (its `id`) or a fault (its `fault_id`); the last one counts.

    About `<id>@<moment>` with a reason it splits the interval: the reason is that of what follows
    the moment. `join` joins such a part again to what stands before it.
    """

    about: str = Field(
        pattern=r"^[A-Za-z0-9._:@-]{1,160}$",
        examples=["t5k2m0-9f3a-184467", "t5k2m0-9f3a-184467@2026-03-20T01:05:00.000Z"],
    )
    reason: ReasonBody | None = None
    comment: Text | None = None
    join: bool = False

    @model_validator(mode="after")
    def _is_about_something(self) -> "NoteBody":
        if "@" in self.about and part_of(self.about) is None:
            msg = "after @ stands a moment as 2026-03-20T01:05:00.000Z"
            raise ValueError(msg)
        is_part = part_of(self.about) is not None
        if self.join and (not is_part or self.reason is not None):
            msg = "only a part is joined, and then it has no reason of its own"
            raise ValueError(msg)
        if is_part and self.reason is None and not self.join:
            msg = "a part has a reason; join takes it away"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _says_something(self) -> "NoteBody":
        if self.reason is None and self.comment is None and not self.join:
            msg = "neither reason nor comment is given"
            raise ValueError(msg)
        return self


class ScrapBody(Strict):
    """Parts that a person found bad, or fit to be worked on again."""

    quantity: int = Field(ge=1, le=1_000_000)
    kind: Literal["reject", "rework"] = "reject"
    counter: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    reason: Line | None = None


class UsageBody(Strict):
    """A wearing part after maintenance: what it has behind it, by default nothing."""

    usage: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    used: Amount = 0.0
    comment: Text | None = None


class Obeyed(BaseModel):
    """The command was obeyed; `seq` is the event it caused."""

    accepted: Literal[True] = True
    seq: int | None


@router.post("/order", **needs(Role.ENGINEER, 404, 409, 503))
async def order(equipment: Equipment, body: OrderBody, me: MeOnce, web: Web) -> Obeyed:
    """Put an order in force, or take it away."""
    at = body.effective_at
    content: dict[str, Any] = body.model_dump(exclude={"effective_at"})
    content["effective_at"] = stamp_or_none(None if at is None else moment(at, "effective_at"))
    reply = await obeyed(web, me, equipment.equipment, "order", content)
    return Obeyed(seq=reply.seq)


@router.post("/notes", **needs(Role.MAINTENANCE, 404, 409, 503))
async def note(equipment: Equipment, body: NoteBody, me: MeOnce, web: Web) -> Obeyed:
    """Say why a machine stood, or comment on it; split an interval, or join its parts again."""
    part = part_of(body.about)
    if part is not None:
        await _is_within(web, equipment, part)
    content = body.model_dump(exclude={"join"})
    content["comment"] = body.comment or ("joined" if body.join else None)
    reply = await obeyed(web, me, equipment.equipment, "note", content)
    return Obeyed(seq=reply.seq)


async def _is_within(web: Context, equipment: EquipmentConfig, part: Part) -> None:
    """Refuse to split an interval where it is not. Raises Problem."""
    moment_after = Span(part.since, part.since + timedelta(milliseconds=1))
    found = await web.history.look(lambda look: stays(look, equipment.equipment, moment_after))
    ids = {one.part_of or one.id for one in found if one.since <= part.since}
    if part.id not in ids or part.since > web.now():
        detail = {
            "zh": "该时刻不在这段状态之内",
            "en": "that moment does not lie within this interval",
        }
        raise wrong("about", "outside", detail)


@router.post("/scrap", **needs(Role.MAINTENANCE, 404, 409, 503))
async def scrap(equipment: Equipment, body: ScrapBody, me: MeOnce, web: Web) -> Obeyed:
    """Book parts that a person found bad."""
    reply = await obeyed(web, me, equipment.equipment, "scrap", body.model_dump())
    return Obeyed(seq=reply.seq)


@router.post("/usage", **needs(Role.MAINTENANCE, 404, 409, 503))
async def usage(equipment: Equipment, body: UsageBody, me: MeOnce, web: Web) -> Obeyed:
    """Set what a wearing part has behind it, after maintenance."""
    reply = await obeyed(web, me, equipment.equipment, "usage", body.model_dump())
    return Obeyed(seq=reply.seq)
