"""Readings over time: the least and the greatest of each part of the span, so no peak hides."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.domain.vocabulary import stamp
from gateway.journal.history import Look
from gateway.settings.site import EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked, Equipment, wrong
from gateway.web.api.guard import Web, needs
from gateway.web.facts import kept_from
from gateway.web.problems import Problem

router = APIRouter(prefix="/api/v1/equipment/{equipment}", tags=["equipment"])
MAX_TAGS = 12
MAX_POINTS = 4000
Tags = Annotated[str, Query(description="With commas between", examples=["temperature"])]
Point = tuple[int, float | None, float | None, float | None]


class Limits(BaseModel):
    """Between which a value should be; null: no such limit."""

    low: float | None
    high: float | None


class Series(BaseModel):
    """One tag. A point is `[t_ms, least, greatest, last]`; one with nulls is a gap."""

    tag: str
    name: dict[str, str]
    unit: str
    limits: Limits
    points: list[Point]


class Readings(BaseModel):
    """What was read. Values are told when they change (and all of them now and then)."""

    from_: str = Field(alias="from")
    to: str
    kept_from: str | None
    series: list[Series]


@router.get("/readings", response_model=Readings, **needs(Role.VIEWER, 404, 503))
async def readings(
    equipment: Equipment,
    span: Asked,
    web: Web,
    tags: Tags,
    points: Annotated[int, Query(ge=2, le=MAX_POINTS, description="At most, of each tag")] = 800,
) -> Response:
    """The values of tags over time, thinned without losing a peak."""
    names = tags_of(equipment, tags)

    def look_for(look: Look) -> tuple[str | None, list[dict[str, Any]]]:
        series = []
        for name in names:
            asked = (equipment.equipment, name, span.begins, span.ends)
            parts = look.envelope(*asked, points)
            told: list[Point] = [(one.first_ms, one.least, one.greatest, one.last) for one in parts]
            told += [(at, None, None, None) for at in look.gaps(*asked)]
            rule = equipment.rules.tags[name]
            told.sort(key=lambda point: point[0])
            limits = {"low": rule.low, "high": rule.high}
            about = {"tag": name, "name": dict(rule.text), "unit": rule.unit, "limits": limits}
            series.append(about | {"points": told})
        return kept_from(look), series

    kept, series = await web.history.look(look_for)
    body = {
        "from": stamp(span.begins),
        "to": stamp(span.ends),
        "kept_from": kept,
        "series": series,
    }
    return Response(orjson.dumps(body), media_type="application/json")


def tags_of(config: EquipmentConfig, asked: str) -> Sequence[str]:
    """Return the tags asked for, each once. Raises Problem for too many, or one nobody knows."""
    names = list(dict.fromkeys(re.split(r"\s*,\s*", asked.strip())))
    if len(names) > MAX_TAGS:
        raise wrong("tags", "too_many", {"zh": f"最多 {MAX_TAGS} 个", "en": f"at most {MAX_TAGS}"})
    unknown = [name for name in names if name not in config.rules.tags]
    if unknown:
        raise Problem("not_found", {"zh": "没有这个点位", "en": "no such tag"})
    return names
