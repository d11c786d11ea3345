"""One fact as rows of the tables: pure.

What the contract promises is read as promised; a fact whose data breaks it raises
``MalformedFact`` and nothing else, and is kept in ``event`` alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

import orjson

from gateway.domain.notes import part_of
from gateway.domain.vocabulary import Json
from gateway.historian.ledger import equipment_of, is_of_others
from gateway.wire.cloudevent import Envelope

Row = dict[str, Any]
Rows = list[tuple[str, Row]]
"""(table, row) pairs."""


class MalformedFact(ValueError):
    """The data object of a fact is not what its type promises."""


def event_row(event: Envelope) -> Row:
    """Return the row of ``event``: the whole fact."""
    return {
        "source": event.source,
        "id": event.id,
        "epoch": event.epoch,
        "seq": event.seq,
        "type": event.type,
        "equipment": equipment_of(event),
        "subject": event.subject,
        "streamseq": event.streamseq,
        "time": event.time,
        "recordedtime": event.recordedtime,
        "replay": event.replay,
        "data": orjson.dumps(event.data).decode(),
    }


def detail_rows(event: Envelope, zone: tzinfo) -> Rows:
    """Return the rows of the table of its type; none for a type we do not know."""
    build = _BUILDERS.get(event.type)
    if build is None:
        return []
    try:
        return build(event, zone)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
        raise MalformedFact(f"{event.type} {event.id}: {err!r}") from err


def _key(event: Envelope) -> Row:
    return {
        "source": event.source,
        "id": event.id,
        "epoch": event.epoch,
        "seq": event.seq,
        "equipment": equipment_of(event),
    }


def _order(data: Json) -> Row:
    order: Mapping[str, Any] = data.get("order") or {}
    return {
        "order_no": order.get("order_no"),
        "product": order.get("product"),
        "batch": order.get("batch"),
    }


def _shift(data: Json) -> Row:
    shift: Mapping[str, Any] = data.get("shift") or {}
    return {"shift": shift.get("code"), "production_date": shift.get("production_date")}


def _status(event: Envelope, zone: tzinfo) -> Rows:
    data = event.data
    reason = data.get("reason") or {}
    since = _time(data["since"])
    row = {
        **_key(event),
        "streamseq": event.streamseq,
        "state": _text(data["state"]),
        "state_code": int(data["state_code"]),
        "since": since,
        "day_local": since.astimezone(zone).strftime("%Y-%m-%d"),
        "prev_duration_ms": _number_or_none(data.get("prev_duration_ms")),
        "cause": _text(data["cause"]),
        "repeat": bool(data["repeat"]),
        "mode": data.get("mode"),
        "reason_code": reason.get("code"),
        "reason_category": reason.get("category"),
        **_order(data),
        "planned": reason.get("planned"),
    }
    return [("status_event", row)]


def _count(event: Envelope, zone: tzinfo) -> Rows:
    data = event.data
    local = event.time.astimezone(zone)
    row = {
        **_key(event),
        "counter": _text(data["counter"]),
        "kind": _text(data["kind"]),
        "delta": _number(data["delta"]),
        "total": _number(data["total"]),
        "raw": _number_or_none(data.get("raw")),
        "unit": data.get("unit"),
        "anomaly": _text(data["anomaly"]),
        "refused": _number(data.get("refused", 0)),
        "window_from": _time_or_none((data.get("window") or {}).get("from")),
        "time": event.time,
        "hour_local": local.strftime("%Y-%m-%dT%H:00") + _offset(local),
        "day_local": local.strftime("%Y-%m-%d"),
        **_shift(data),
        **_order(data),
        "origin": data.get("origin", "device"),
    }
    return [("count_event", row)]


def _fault(event: Envelope, _zone: tzinfo) -> Rows:
    data = event.data
    text = data.get("text") or {}
    row = {
        "source": event.source,
        "fault_id": _text(data["fault_id"]),
        "epoch": event.epoch,
        "seq": event.seq,
        "transition": _text(data["transition"]),
        "equipment": equipment_of(event),
        "code": _text(data["code"]),
        "text_zh": text.get("zh"),
        "text_en": text.get("en"),
        "severity": _number_or_none(data.get("severity")),
        "category": data.get("category"),
        "stops_machine": data.get("stops_machine"),
        "raised_at": _time(data["raised_at"]),
        "cleared_at": _time_or_none(data.get("cleared_at")),
        "duration_ms": _number_or_none(data.get("duration_ms")),
        "raises": int(data.get("raises", 1)),
        "acked": bool(data.get("acked", False)),
        "quality": data.get("quality"),
        **_order(data),
        **_shift(data),
        "acked_at": _time_or_none(data.get("acked_at")),
        "acked_by": data.get("acked_by"),
        "first_up": data.get("first_up"),
        "flood": data.get("flood"),
        "shelved_until": _time_or_none(data.get("shelved_until")),
    }
    return [("fault_occurrence", row)]


def _reading(event: Envelope, _zone: tzinfo) -> Rows:
    data = event.data
    head = {
        "source": event.source,
        "id": event.id,
        "equipment": equipment_of(event),
        "group": _text(data["group"]),
        "time": event.time,
        **_order(data),
    }
    uncertain = frozenset(data.get("uncertain") or ())
    rows: Rows = []
    for tag, value in data["values"].items():
        is_text = isinstance(value, str) or not isinstance(value, (int, float, type(None)))
        rows.append(
            (
                "reading",
                {
                    **head,
                    "tag": tag,
                    "value": None if is_text or value is None else float(value),
                    "text_value": _written(value) if is_text else None,
                    "quality": "uncertain" if tag in uncertain else "good",
                },
            )
        )
    for tag, cause in (data.get("bad") or {}).items():
        bad = {"tag": tag, "value": None, "text_value": str(cause), "quality": "bad"}
        if tag not in data["values"]:
            rows.append(("reading", head | bad))
    return rows


def _written(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _health(event: Envelope, _zone: tzinfo) -> Rows:
    data = event.data
    error = data.get("error") or {}
    row = {
        **_key(event),
        "time": event.time,
        "link": _text(data["link"]),
        "state": _text(data["state"]),
        "last_ok": _time_or_none(data.get("last_ok")),
        "rtt_ms": _number_or_none(data.get("rtt_ms")),
        "failures": int(data.get("failures", 0)),
        "error_class": error.get("class"),
        "error_text": error.get("text"),
    }
    return [("health_event", row)]


def _gap(event: Envelope, _zone: tzinfo) -> Rows:
    if is_of_others(event):
        return []
    data = event.data
    row = {
        **_key(event),
        "time": event.time,
        "stream": _text(data["stream"]),
        "from_streamseq": _number_or_none(data.get("from_streamseq")),
        "to_streamseq": _number_or_none(data.get("to_streamseq")),
        "count": int(data.get("count", 0)),
        "reason": _text(data["reason"]),
    }
    return [("gap_event", row)]


def _note(event: Envelope, _zone: tzinfo) -> Rows:
    data = event.data
    reason = data.get("reason") or {}
    part = part_of(_text(data["about"]))
    row = {
        **_key(event),
        "time": event.time,
        "about": data["about"],
        "part_of": None if part is None else part.id,
        "part_since": None if part is None else part.since,
        "by": _text(data["by"]),
        "comment": data.get("comment"),
        "reason_code": reason.get("code"),
        "reason_category": reason.get("category"),
        "planned": reason.get("planned"),
    }
    return [("note_event", row)]


_BUILDERS: Mapping[str, Callable[[Envelope, tzinfo], Rows]] = {
    "status": _status,
    "count": _count,
    "fault": _fault,
    "reading": _reading,
    "health": _health,
    "gap": _gap,
    "note": _note,
}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"not a number: {value!r}")
    return value


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _time(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"without a time zone: {value}")
    return at


def _time_or_none(value: Any) -> datetime | None:
    return None if value is None else _time(value)


def _offset(local: datetime) -> str:
    text = local.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
