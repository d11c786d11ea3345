"""From rows of the journal to what happened: intervals of states, faults, parts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from gateway.domain.vocabulary import Json, stamp
from gateway.journal.row import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """One state of one equipment, from ``since`` to ``until`` (None: it lasts)."""

    id: str
    state: str
    since: datetime
    until: datetime | None
    reason: Json | None
    mode: str
    order_no: str | None
    quality: str
    shift: Json | None
    cause: str
    ideal_cycle_ms: float | None = None
    note: Json | None = None


def event_id(row: Row) -> str:
    """Return the identity of a row as an event."""
    return f"{row.epoch}-{row.seq}"


def stamp_ms(time_ms: int) -> str:
    """Return a time of the journal as the API writes it."""
    return stamp(_EPOCH + timedelta(milliseconds=time_ms))


def moment(text: str) -> datetime:
    """Read a time of an event."""
    return datetime.fromisoformat(text)


def notes(rows: Iterable[Row]) -> Mapping[str, Json]:
    """Return what a note is about -> the last note; ``rows`` are in order."""
    found: dict[str, Json] = {}
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        found[data["about"]] = {
            "at": stamp_ms(row.time_ms),
            "by": data["by"],
            "comment": data["comment"],
            "reason": data["reason"],
        }
    return found


def stays(rows: Sequence[Row], said: Mapping[str, Json]) -> list[Stay]:
    """Return the intervals that status rows (in order of time) tell of.

    A repeat tells nothing new, unless what it repeats is no longer there. The reason is that
    of the last note.
    """
    found: list[Stay] = []
    for row in rows:
        data: dict[str, Any] = orjson.loads(row.data)
        since = moment(data["since"])
        if data["repeat"] and found:
            continue
        if found:
            found[-1] = replace(found[-1], until=max(since, found[-1].since))
        id_ = event_id(row)
        note = said.get(id_)
        order = data.get("order") or {}
        found.append(
            Stay(
                id=id_,
                state=data["state"],
                since=since,
                until=None,
                reason=(note or {}).get("reason") or data["reason"],
                mode=data["mode"],
                order_no=order.get("order_no"),
                quality=data["quality"],
                shift=data.get("shift"),
                cause=data["cause"],
                ideal_cycle_ms=order.get("ideal_cycle_ms"),
                note=note,
            )
        )
    return found
