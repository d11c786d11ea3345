"""The journal's events as they are: by number, by time, of one equipment."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from gateway.domain.events import STREAMS
from gateway.journal.history import Look, Wanted
from gateway.journal.row import Row
from gateway.web.access.roles import Role
from gateway.web.api.asked import Equipment, moment, wrong
from gateway.web.api.guard import Web, needs
from gateway.web.context import Context
from gateway.web.facts import event_id, kept_from, stamp_ms

router = APIRouter(prefix="/api/v1", tags=["events"])
MAX_EVENTS = 1000
_LAST = 2**63 - 1
Limit = Annotated[int, Query(ge=1, le=MAX_EVENTS)]
Types = Annotated[
    str | None,
    Query(description=f"Of {', '.join(STREAMS)}; with commas between", examples=["status,fault"]),
]


class EventView(BaseModel):
    """One fact; `data` is as on MQTT. `local`: it stays on the gateway (commissioning)."""

    id: str
    seq: int
    equipment: str
    type: str
    part: str
    streamseq: int
    local: bool
    time: str
    recordedtime: str
    data: dict[str, Any]


class EventPage(BaseModel):
    """Ask again with `after` = `next` for more; fewer than `limit` means there is no more."""

    kept_from: str | None
    events: list[EventView]
    next: int


class EventsBack(BaseModel):
    """Ask again with `before` = `next` for older ones; null: there is no more.

    `next` is a place in the order of time, to be handed back as it is.
    """

    kept_from: str | None
    events: list[EventView]
    next: str | None


def _place(
    before: Annotated[str | None, Query(max_length=80, description="`next` of a page")] = None,
) -> tuple[int, int] | None:
    if before is None:
        return None
    time_ms, _, seq = before.partition("~")
    if not (_is_number(time_ms) and _is_number(seq)):
        raise wrong("before", "unknown", {"zh": "不是上一页的 next", "en": "not a page's next"})
    return int(time_ms), int(seq)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= _LAST


Before = Annotated[tuple[int, int] | None, Depends(_place)]


def _span(
    begins: Annotated[datetime | None, Query(alias="from")] = None,
    ends: Annotated[datetime | None, Query(alias="to")] = None,
) -> tuple[datetime | None, datetime | None]:
    return (
        None if begins is None else moment(begins, "from"),
        None if ends is None else moment(ends, "to"),
    )


Between = Annotated[tuple[datetime | None, datetime | None], Depends(_span)]


@router.get("/events", response_model=EventPage, **needs(Role.VIEWER, 503))
async def events(
    web: Web,
    span: Between,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Limit = 100,
    types: Types = None,
) -> Response:
    """The events with a seq above `after`, oldest first; `from` and `to` narrow by time."""
    wanted = Wanted(types=_types(types), start=span[0], end=span[1], after=after, limit=limit)
    kept, rows = await _read(web, wanted)
    return _page(kept, rows, rows[-1].seq if rows else after)


@router.get(
    "/equipment/{equipment}/events", response_model=EventsBack, **needs(Role.VIEWER, 404, 503)
)
async def events_of(
    equipment: Equipment,
    web: Web,
    span: Between,
    before: Before,
    limit: Limit = 100,
    types: Types = None,
) -> Response:
    """The events of one equipment, newest first; readings are left out unless asked for."""
    kinds = _types(types) or tuple(name for name in STREAMS if name != "reading")
    wanted = Wanted(
        equipment=equipment.equipment,
        types=kinds,
        start=span[0],
        end=span[1],
        before=before,
        limit=limit + 1,
        newest_first=True,
    )
    kept, rows = await _read(web, wanted)
    more, rows = len(rows) > limit, rows[:limit]
    return _page(kept, rows, f"{rows[-1].time_ms}~{rows[-1].seq}" if more else None)


def event(row: Row) -> dict[str, Any]:
    """Return a row as the API tells it."""
    return {
        "id": event_id(row),
        "seq": row.seq,
        "equipment": row.equipment,
        "type": row.type,
        "part": row.part,
        "streamseq": row.streamseq,
        "local": row.local,
        "time": stamp_ms(row.time_ms),
        "recordedtime": stamp_ms(row.recorded_ms),
        "data": orjson.Fragment(row.data),
    }


async def _read(web: Context, wanted: Wanted) -> tuple[str | None, list[Row]]:
    def look_for(look: Look) -> tuple[str | None, list[Row]]:
        return kept_from(look), look.rows(wanted)

    return await web.history.look(look_for)


def _page(kept: str | None, rows: list[Row], following: int | str | None) -> Response:
    body = {"kept_from": kept, "events": [event(row) for row in rows], "next": following}
    return Response(orjson.dumps(body), media_type="application/json")


def _types(asked: str | None) -> tuple[str, ...]:
    if asked is None:
        return ()
    types = tuple(asked.split(","))
    if not set(types) <= set(STREAMS):
        known = ", ".join(STREAMS)
        raise wrong("types", "unknown", {"zh": f"只能是 {known}", "en": f"only {known}"})
    return types
