"""What words mean here: the dictionary of every machine, and the orders that were in force."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.domain.shifts import Span
from gateway.domain.vocabulary import State, stamp, stamp_or_none
from gateway.journal.history import Look
from gateway.settings import dictionary
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked
from gateway.web.api.guard import Web, needs
from gateway.web.api.machines import Machines
from gateway.web.facts import facts, kept_from, stays
from gateway.web.order_progress import good_of

router = APIRouter(prefix="/api/v1", tags=["dictionary"])


class Dictionary(BaseModel):
    """As in the retained `birth` messages: names, tags, units, counters, fault texts, states."""

    site: str
    gateway: str
    timezone: str
    equipment: list[dict[str, Any]]


class OrderView(BaseModel):
    """One order on one machine, from when to when (null: it is in force), and what it made."""

    equipment: str
    order_no: str
    since: str
    until: str | None
    good: float
    """Without those that people found bad; where only all parts are counted, those not bad."""
    reject: float
    running_s: float


class Orders(BaseModel):
    """Newest first. Parts are those within the span asked for."""

    kept_from: str | None
    orders: list[OrderView]


@router.get("/dictionary", **needs(Role.VIEWER))
async def words(web: Web) -> Dictionary:
    """What everything is called."""
    gateway = web.site.gateway
    return Dictionary(
        site=gateway.site,
        gateway=gateway.gateway,
        timezone=gateway.timezone,
        equipment=[dictionary.birth(config) for config in web.site.equipment.values()],
    )


@router.get("/orders", tags=["commands"], **needs(Role.VIEWER, 404, 503))
async def orders(web: Web, span: Asked, machines: Machines) -> Orders:
    """The orders that were in force in the span."""
    names = [config.equipment for config in machines]

    def look_for(look: Look) -> tuple[str | None, list[OrderView]]:
        found = [order for name in names for order in _of(look, name, span)]
        found.sort(key=lambda order: order.since, reverse=True)
        return kept_from(look), found

    kept, found = await web.history.look(look_for)
    return Orders(kept_from=kept, orders=found)


def _of(look: Look, equipment: str, span: Span) -> list[OrderView]:
    known = facts(look, {equipment: None}, {}, span)
    found: dict[str, OrderView] = {}
    intervals = known.intervals[equipment]
    for stay, lasted in zip(stays(look, equipment, span), intervals, strict=True):
        if stay.order_no is None:
            continue
        until = stamp_or_none(stay.until)
        order = found.get(stay.order_no)
        if order is None:
            order = found[stay.order_no] = OrderView(
                equipment=equipment,
                order_no=stay.order_no,
                since=stamp(stay.since),
                until=until,
                good=0,
                reject=0,
                running_s=0,
            )
        order.until = until
        if lasted.state is State.RUNNING:
            within = min(lasted.until, span.ends) - max(lasted.since, span.begins)
            order.running_s += max(0.0, within.total_seconds())
    for order_no, order in found.items():
        parts = [one for one in known.parts[equipment] if one.order_no == order_no]
        made: dict[str, float] = defaultdict(float)
        for one in parts:
            made[one.kind if one.origin == "device" else "by_hand"] += one.quantity
        order.good = good_of(made)
        order.reject = sum(one.quantity for one in parts if one.kind == "reject")
    return list(found.values())
