"""What the page of one equipment shows, as tables for a spreadsheet: states, counts, readings.

Each moment stands twice: in UTC, as everywhere in the API, and as the wall clock of the site showed
it, which is what a person at the machine looks for.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.journal.history import Look, Part
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked, Equipment, WholeMinutes
from gateway.web.api.guard import Web
from gateway.web.api.readings import MAX_POINTS, Tags, tags_of
from gateway.web.api.tables import csv_answer, table, wall
from gateway.web.api.timeline import Per, buckets_of, states_of
from gateway.web.context import Context
from gateway.web.facts import Stay, moment

router = APIRouter(prefix="/api/v1/equipment/{equipment}", tags=["equipment"])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMELINE = (
    *("since", "until", "since_local", "until_local", "duration_s", "state", "mode", "reason"),
    *("category", "text_zh", "text_en", "planned", "order_no", "shift", "production_date"),
    *("quality", "cause", "note_by", "note", "id"),
)
_COUNTS = (
    *("from", "to", "from_local", "to_local", "label", "counter", "kind", "quantity", "manual"),
    *("unit", "anomalies", "target"),
)
_READINGS = ("time", "time_local", "tag", "unit", "least", "greatest", "last", "values")


@router.get("/timeline.csv", **table(Role.VIEWER, 404, 503))
async def timeline_table(equipment: Equipment, span: Asked, web: Web) -> Response:
    """The states of an equipment as CSV."""
    _, found = await states_of(web, equipment, span)
    zone, now = _zone(web), web.now()
    lines = (_state(stay, zone, now) for stay in found)
    return csv_answer(f"{equipment.equipment}-timeline.csv", _TIMELINE, lines)


@router.get("/counts.csv", **table(Role.VIEWER, 404, 503))
async def counts_table(
    equipment: Equipment,
    span: WholeMinutes,
    web: Web,
    per: Annotated[Per, Query(description="What a bucket is")] = "hour",
) -> Response:
    """What was counted as CSV, one row for each counter of each hour, shift or day."""
    _, buckets = await buckets_of(web, equipment, span, per)
    zone = _zone(web)
    lines = (line for bucket in buckets for line in _bucket(bucket, zone))
    return csv_answer(f"{equipment.equipment}-counts.csv", _COUNTS, lines)


@router.get("/readings.csv", **table(Role.VIEWER, 404, 503))
async def readings_table(
    equipment: Equipment,
    span: Asked,
    web: Web,
    tags: Tags,
    points: Annotated[int, Query(ge=2, le=MAX_POINTS, description="At most, of each tag")] = 800,
) -> Response:
    """The values of tags as CSV, thinned without losing a peak: `values` were read in each row."""
    names, rules = tags_of(equipment, tags), equipment.rules.tags

    def look_for(look: Look) -> list[list[object]]:
        zone = _zone(web)
        asked = (span.begins, span.ends, points)
        return [
            [*_when(part, zone), name, rules[name].unit, *part[1:5]]
            for name in names
            for part in look.envelope(equipment.equipment, name, *asked)
        ]

    lines = await web.history.look(look_for)
    return csv_answer(f"{equipment.equipment}-readings.csv", _READINGS, lines)


def _zone(web: Context) -> ZoneInfo:
    return ZoneInfo(web.site.gateway.timezone)


def _when(part: Part, zone: ZoneInfo) -> tuple[str, datetime]:
    at = _EPOCH + timedelta(milliseconds=part.first_ms)
    return stamp(at), wall(at, zone)


def _state(stay: Stay, zone: ZoneInfo, now: datetime) -> list[object]:
    until = stay.until
    lasted = (until or max(now, stay.since)) - stay.since
    reason, shift, note = stay.reason or {}, stay.shift or {}, stay.note or {}
    text = reason.get("text") or {}
    return [
        *(stamp(stay.since), stamp_or_none(until)),
        *(wall(stay.since, zone), None if until is None else wall(until, zone)),
        *(lasted.total_seconds(), stay.state, stay.mode, reason.get("code")),
        *(reason.get("category"), text.get("zh"), text.get("en"), reason.get("planned")),
        *(stay.order_no, shift.get("code"), shift.get("production_date")),
        *(stay.quality, stay.cause, note.get("by"), note.get("comment"), stay.id),
    ]


def _bucket(bucket: dict[str, Any], zone: ZoneInfo) -> Iterator[list[object]]:
    begins, ends = bucket["from"], bucket["to"]
    when = [begins, ends, *(wall(moment(at), zone) for at in (begins, ends)), bucket["label"]]
    for counter, value in bucket["values"].items():
        yield [
            *when,
            *(counter, value["kind"], value["quantity"], value["manual"], value["unit"]),
            *(bucket["anomalies"], bucket["target"]),
        ]
