"""What happened around a moment on one machine: why did it stop, and what came with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.domain.shifts import Span
from gateway.domain.vocabulary import stamp
from gateway.journal.history import Booked, Look, Wanted
from gateway.journal.row import Row
from gateway.settings.site import NO_LEVEL, EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Equipment, moment
from gateway.web.api.fault_history import PastFaultItem, past_item
from gateway.web.api.guard import Web, needs
from gateway.web.api.timeline import IntervalView, interval, is_alive
from gateway.web.context import Context
from gateway.web.facts import PastFault, kept_from, past_faults, shown, stamp_ms

router = APIRouter(prefix="/api/v1/equipment/{equipment}", tags=["equipment"])
EACH_WAY = timedelta(minutes=10)
AT_ONCE = 500
MOST_READINGS = 20_000


class ValueThen(BaseModel):
    """What a tag was last read as, and when; `bad` says why it was not.

    `decides`: the rules of state, mode and faults look at it.
    """

    tag: str
    name: dict[str, str]
    unit: str
    value: bool | int | float | str | None
    bad: str | None
    decides: bool
    at: str


class CountAround(BaseModel):
    """What a counter counted in the minutes before and in those after."""

    counter: str
    kind: str
    unit: str
    before: float
    after: float


class Around(BaseModel):
    """Ten minutes each way. `faults` are those that came then on its line, oldest first."""

    at: str
    from_: str = Field(alias="from")
    to: str
    now: str
    kept_from: str | None
    intervals: list[IntervalView]
    faults: list[PastFaultItem]
    counts: list[CountAround]
    values: list[ValueThen]


@router.get("/around", **needs(Role.VIEWER, 404, 503))
async def around(
    equipment: Equipment,
    web: Web,
    at: Annotated[datetime, Query(description="For example when a fault was raised")],
) -> Around:
    """States, counts and faults of the line ten minutes each way, and what the tags were then."""
    then = moment(at, "at")
    span = Span(then - EACH_WAY, then + EACH_WAY)
    line, alive = _line(web, equipment), await is_alive(web)

    def look_for(look: Look) -> dict[str, Any]:
        name = equipment.equipment
        return {
            "kept_from": kept_from(look),
            "intervals": shown(look, name, span, alive=alive),
            "faults": [fault for one in line for fault in _began(look, one, span)],
            "counts": look.counted(name, span.begins, span.ends),
            "values": _values(look, equipment, then),
        }

    found = await web.history.look(look_for)
    faults = sorted(found["faults"], key=lambda fault: fault.raised_at)
    now = web.now()
    return Around.model_validate(
        found
        | {
            "at": stamp(then),
            "from": stamp(span.begins),
            "to": stamp(span.ends),
            "now": stamp(now),
            "intervals": [interval(stay, now) for stay in found["intervals"]],
            "faults": [past_item(web, fault) for fault in faults],
            "counts": list(_counted(found["counts"], then)),
        }
    )


def _line(web: Context, equipment: EquipmentConfig) -> list[str]:
    """Return the machines whose faults may have to do with its own."""
    place = (equipment.area, equipment.line)
    beside = [
        config.equipment
        for config in web.site.equipment.values()
        if (config.area, config.line) == place and config.line != NO_LEVEL
    ]
    return beside or [equipment.equipment]


def _began(look: Look, equipment: str, span: Span) -> Iterator[PastFault]:
    found = past_faults(look, equipment, span)
    return (fault for fault in found if fault.raised_at >= span.begins)


def _counted(booked: Sequence[Booked], then: datetime) -> Iterator[dict[str, Any]]:
    """Yield what each counter counted; the minute of the moment itself is before it."""
    found: dict[str, dict[str, Any]] = {}
    for row in booked:
        counter, kind, _, _, _, unit, _ = orjson.loads(row.what)
        about = {"counter": counter, "kind": kind, "unit": unit, "before": 0.0, "after": 0.0}
        found.setdefault(counter, about)["before" if row.at <= then else "after"] += row.quantity
    return iter(found.values())


def _values(look: Look, equipment: EquipmentConfig, then: datetime) -> list[dict[str, Any]]:
    """Return what each tag that is told was when the moment came, in the configured order.

    Nothing is told twice unless it changed, but all of it every so often: no need to look back
    further than twice that.
    """
    rules = equipment.rules
    missing = {name for name, tag in rules.tags.items() if tag.publish}
    known: dict[str, dict[str, Any]] = {}
    for row in _readings(look, equipment, then):
        if not missing:
            break
        data: Mapping[str, Any] = orjson.loads(row.data)
        for part in ("bad", "values"):
            for name in missing & data[part].keys():
                known[name] = {part: data[part][name], "at": stamp_ms(row.time_ms)}
        missing -= known.keys()
    return [
        {
            "tag": name,
            "name": dict(rules.tags[name].text),
            "unit": rules.tags[name].unit,
            "value": known[name].get("values"),
            "bad": known[name].get("bad"),
            "decides": name in rules.decisive,
            "at": known[name]["at"],
        }
        for name in rules.tags
        if name in known
    ]


def _readings(look: Look, equipment: EquipmentConfig, then: datetime) -> Iterator[Row]:
    """Yield what was read up to a moment, newest first, no more at once than is needed."""
    wanted = Wanted(
        equipment=equipment.equipment,
        types=("reading",),
        start=then - 2 * timedelta(seconds=equipment.rules.snapshot_s),
        end=then + timedelta(milliseconds=1),
        limit=AT_ONCE,
        newest_first=True,
    )
    for _ in range(MOST_READINGS // AT_ONCE):
        rows = look.rows(wanted)
        yield from rows
        if len(rows) < AT_ONCE:
            return
        wanted = replace(wanted, before=(rows[-1].time_ms, rows[-1].seq))
