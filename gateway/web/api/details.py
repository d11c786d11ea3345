"""One equipment in full: what the board shows, its tags, and the figures of the running shift."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.domain import kpi
from gateway.domain.figures import Figures
from gateway.domain.shifts import shifts_between
from gateway.domain.vocabulary import stamp
from gateway.settings.site import EquipmentConfig
from gateway.web import tile_figures
from gateway.web.access.roles import Role
from gateway.web.api.asked import Equipment
from gateway.web.api.figures import Kpi, rows_of, told
from gateway.web.api.guard import Web, needs
from gateway.web.board import Tile
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.shift_figures import running

router = APIRouter(prefix="/api/v1", tags=["live"])
LOOK_BACK = timedelta(days=21)
"""For the last shift: longer than the longest holidays."""


class TagView(BaseModel):
    """One tag, as the configuration has it; `trend`: its readings are published, so kept."""

    tag: str
    name: dict[str, str]
    unit: str
    group: str
    link: str
    trend: bool


class ShiftSpan(BaseModel):
    """One shift, whole."""

    shift: str
    from_: str = Field(alias="from")
    to: str


@dataclass(frozen=True, slots=True)
class Detail(Tile):
    """What the board shows, and more. ``kpi`` is of the running shift, else of the local day.

    ``last_shift`` is the one that ended last. ``previous`` and ``next`` are the machines beside it
    on its line.
    """

    tags: list[TagView]
    kpi: Kpi | None
    last_shift: ShiftSpan | None
    previous: str | None
    next: str | None


@router.get("/equipment/{equipment}", **needs(Role.VIEWER, 404, 503))
async def detail(equipment: Equipment, web: Web) -> Detail:
    """One equipment: state, counters, faults, links, order; tags; figures so far."""
    await tile_figures.at_hand(web)
    tile = (await web.board.picture()).tiles.get(equipment.equipment)
    if tile is None:
        raise Problem("not_found")
    line = [
        config.equipment
        for config in web.site.equipment.values()
        if (config.area, config.line) == (equipment.area, equipment.line)
    ]
    place = line.index(equipment.equipment)
    return Detail(
        **{one.name: getattr(tile, one.name) for one in fields(tile)},
        tags=[
            TagView(
                tag=name,
                name=dict(tag.text),
                unit=tag.unit,
                group=tag.group,
                link=tag.link,
                trend=tag.publish,
            )
            for name, tag in equipment.rules.tags.items()
        ],
        kpi=await _so_far(web, equipment),
        last_shift=_last_shift(equipment, web.now()),
        previous=line[place - 1] if place > 0 else None,
        next=line[place + 1] if place + 1 < len(line) else None,
    )


def _last_shift(config: EquipmentConfig, now: datetime) -> ShiftSpan | None:
    """Return the shift that ended last, however long the holidays were; None without a calendar."""
    calendar = config.rules.calendar
    if calendar is None:
        return None
    known = shifts_between(calendar, now - LOOK_BACK, now)
    ended = [shift for shift in known if shift.ends_at <= now]
    if not ended:
        return None
    times = {"from": stamp(ended[-1].starts_at), "to": stamp(ended[-1].ends_at)}
    return ShiftSpan.model_validate({"shift": ended[-1].code} | times)


async def _so_far(web: Context, config: EquipmentConfig) -> Kpi | None:
    """Return the figures of the running shift; None where no history can be read."""
    zone = ZoneInfo(web.site.gateway.timezone)
    _, span = running(config.rules.calendar, zone, web.now())
    try:
        _, found = await rows_of(web, [config], span, "day")
    except Problem:
        return None
    together = kpi.combined(one.figures for one in found)
    shown = Figures("equipment", config.equipment, "running", span, together)
    return Kpi.model_validate(told(shown))
