"""What one equipment did: its states and what it made."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.domain import figures
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import CounterKind, Mode, Quality, State, stamp, stamp_or_none
from gateway.journal.history import Booked
from gateway.settings.site import EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked, Equipment, WholeMinutes, wrong
from gateway.web.api.guard import Web, needs
from gateway.web.context import Context
from gateway.web.facts import Stay, kept_from, shown
from gateway.web.order_progress import planned

router = APIRouter(prefix="/api/v1/equipment/{equipment}", tags=["equipment"])
Per = Literal["hour", "shift", "day"]
MAX_BUCKETS = 1000


class ReasonView(BaseModel):
    """Why: it refines a state."""

    code: str
    text: dict[str, str]
    category: str
    planned: bool


class NoteView(BaseModel):
    """The last word about an interval; without a reason it leaves the one given before."""

    at: str
    by: str
    comment: str | None
    reason: ReasonView | None


class ShiftView(BaseModel):
    """The shift a fact belongs to."""

    code: str
    production_date: str


class IntervalView(BaseModel):
    """One state.

    `since` and `until` are its own, also where they lie outside of what was asked; `duration_ms`
    is of the whole, up to `now` of the answer where it lasts. `id` is what a note is about; it is
    empty where the collector gave no sign of life any more: nothing was written of that time.
    """

    id: str
    state: State
    since: str
    until: str | None
    duration_ms: int
    reason: ReasonView | None
    mode: Mode
    order_no: str | None
    quality: Quality
    cause: str
    shift: ShiftView | None
    note: NoteView | None
    part_of: str | None
    """The `id` of the whole interval where people split it, else null: notes are about a part."""


class Timeline(BaseModel):
    """The states in a span, in order and without a hole. Nothing is kept before `kept_from`."""

    from_: str = Field(alias="from")
    to: str
    now: str
    kept_from: str | None
    intervals: list[IntervalView]


class CountValue(BaseModel):
    """What one counter counted."""

    kind: CounterKind
    quantity: float
    unit: str
    manual: float
    """The part of it that people counted."""


class Bucket(BaseModel):
    """What was made in an hour, a shift or a day; cut to the span that was asked for.

    `target`: what its planned time so far makes at the ideal cycle of the configuration; null
    where that says none.
    """

    from_: str = Field(alias="from")
    to: str
    label: str
    values: dict[str, CountValue]
    target: float | None
    anomalies: int
    """Events in it that say `anomaly` other than `none`."""


class Counts(BaseModel):
    """Parts by the difference of totals, minute by minute. Nothing is kept before `kept_from`."""

    from_: str = Field(alias="from")
    to: str
    kept_from: str | None
    buckets: list[Bucket]


@router.get("/timeline", **needs(Role.VIEWER, 404, 503))
async def timeline(equipment: Equipment, span: Asked, web: Web) -> Timeline:
    """The states of an equipment, also the one that lasted when the span began."""
    kept, found = await states_of(web, equipment, span)
    now = web.now()
    return Timeline.model_validate(
        {
            "from": stamp(span.begins),
            "to": stamp(span.ends),
            "now": stamp(now),
            "kept_from": kept,
            "intervals": [interval(stay, now) for stay in found],
        }
    )


@router.get("/counts", **needs(Role.VIEWER, 404, 503))
async def counts(
    equipment: Equipment,
    span: WholeMinutes,
    web: Web,
    per: Annotated[Per, Query(description="What a bucket is")] = "hour",
) -> Counts:
    """What was counted in each hour, shift or day of the span. From a whole minute."""
    kept, buckets = await buckets_of(web, equipment, span, per)
    return Counts.model_validate(
        {"from": stamp(span.begins), "to": stamp(span.ends), "kept_from": kept, "buckets": buckets}
    )


async def states_of(
    web: Context, equipment: EquipmentConfig, span: Span
) -> tuple[str | None, list[Stay]]:
    """Return since when there is a history, and the states. Raises Problem."""
    alive, name = await is_alive(web), equipment.equipment
    return await web.history.look(
        lambda look: (kept_from(look), shown(look, name, span, alive=alive))
    )


async def is_alive(web: Context) -> bool:
    """Return whether the collector gives signs of life."""
    return bool((await web.board.picture()).collector["alive"])


async def buckets_of(
    web: Context, equipment: EquipmentConfig, span: Span, per: Per
) -> tuple[str | None, list[dict[str, Any]]]:
    """Return since when there is a history, and what was counted. Raises Problem."""
    zone = ZoneInfo(web.site.gateway.timezone)
    try:
        parts = figures.spans(equipment.rules.calendar, zone, span, per)
    except figures.NoCalendar:
        detail = {"zh": "没有 shifts.yaml", "en": "there is no shifts.yaml"}
        raise wrong("per", "no_shifts", detail) from None
    spans = list(islice(parts, MAX_BUCKETS + 1))
    if len(spans) > MAX_BUCKETS:
        raise wrong(
            "per", "too_many", {"zh": "时间段过长", "en": f"more than {MAX_BUCKETS} buckets"}
        )
    kept, booked = await web.history.look(
        lambda look: (kept_from(look), look.counted(equipment.equipment, span.begins, span.ends))
    )
    buckets = list(_filled(spans, booked))
    for bucket, (_, within) in zip(buckets, spans, strict=True):
        bucket["target"] = _target(equipment, within, web.now())
    return kept, buckets


def interval(stay: Stay, now: datetime) -> dict[str, Any]:
    """Return a state as the API tells it."""
    lasted = (stay.until or max(now, stay.since)) - stay.since
    return {
        "id": stay.id,
        "state": stay.state,
        "since": stamp(stay.since),
        "until": stamp_or_none(stay.until),
        "duration_ms": int(lasted.total_seconds() * 1000),
        "reason": stay.reason,
        "mode": stay.mode,
        "order_no": stay.order_no,
        "quality": stay.quality,
        "cause": stay.cause,
        "shift": stay.shift,
        "note": stay.note,
        "part_of": stay.part_of,
    }


def _target(equipment: EquipmentConfig, within: Span, now: datetime) -> float | None:
    ideal_ms = equipment.rules.ideal_cycle_ms
    if not ideal_ms:
        return None
    worked = planned(equipment.rules.calendar, within.begins, min(within.ends, now))
    return float(worked / timedelta(milliseconds=ideal_ms) // 1)


def _filled(
    spans: Sequence[tuple[str, Span]], booked: Iterable[Booked]
) -> Iterator[dict[str, Any]]:
    rows = list(booked)
    place = 0
    for label, span in spans:
        values: dict[str, dict[str, Any]] = {}
        anomalies = 0
        while place < len(rows) and rows[place].at < span.ends:
            if rows[place].at >= span.begins:
                anomalies += _add(values, rows[place])
            place += 1
        yield {
            "from": stamp(span.begins),
            "to": stamp(span.ends),
            "label": label,
            "values": values,
            "anomalies": anomalies,
        }


def _add(values: dict[str, dict[str, Any]], row: Booked) -> int:
    counter, kind, origin, _, _, unit, anomaly = orjson.loads(row.what)
    value = values.setdefault(
        counter, defaultdict(float, {"kind": kind, "quantity": 0.0, "unit": unit, "manual": 0.0})
    )
    value["quantity"] += row.quantity
    if origin == "manual":
        value["manual"] += row.quantity
    return 0 if anomaly == "none" else row.events
