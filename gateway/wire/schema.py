"""JSON Schema (2020-12) of every message of the contract.

- Each example of `gateway.domain.events` and each message this gateway builds validates.
- Fields may be added, so unknown ones are allowed everywhere; none is ever taken away.
"""

from typing import get_args

from gateway.domain import events, vocabulary
from gateway.domain.commands import FaultAction, ScrapKind
from gateway.domain.rules import UsageKind
from gateway.domain.state import UsageDue
from gateway.domain.vocabulary import Json
from gateway.wire.command import MAX_QUANTITY, ReplyError
from gateway.wire.topics import PLACE_FILTER, SEGMENT

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Json = {"type": "string"}
_NAME: Json = {"type": "string", "minLength": 1}
_FLAG: Json = {"type": "boolean"}
_NUMBER: Json = {"type": "number"}
_WHOLE: Json = {"type": "integer", "minimum": 0}
_POSITIVE: Json = {"type": "integer", "minimum": 1}
_TIME: Json = {"type": "string", "format": "date-time"}
_VALUE: Json = {"type": ["boolean", "number", "string"]}
_ANY: Json = {"type": "object"}
_TEXTS: Json = {"type": "object", "additionalProperties": _TEXT}
_EPOCH: Json = {"type": "string", "pattern": "^[0-9a-z]+-[0-9a-z]+$"}
_COMMAND_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"}
_SEGMENT: Json = {"type": "string", "pattern": f"^{SEGMENT.pattern}$"}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(literal: object) -> Json:
    return {"enum": list(get_args(literal))}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _map(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def _object(properties: Json, *, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties | (optional or {}),
    }


_STATE: Json = {"enum": [state.value for state in vocabulary.State]}
_TIME_QUALITY: Json = {"timequality": {"enum": ["gateway", "device", "unsynced"]}}
_QUALITY = _one_of(vocabulary.Quality)
_MAYBE_TEXT = _or_null(_TEXT)
_MAYBE_TIME = _or_null(_TIME)
_ORDER = _object(
    {
        "order_no": _NAME,
        "operation": _MAYBE_TEXT,
        "product": _MAYBE_TEXT,
        "batch": _MAYBE_TEXT,
        "operator": _MAYBE_TEXT,
    },
    optional={"ideal_cycle_ms": _or_null(_NUMBER)},
)
_SHIFT = _object({"code": _NAME, "production_date": {"type": "string", "format": "date"}})
_CONTEXT: Json = {"order": _or_null(_ORDER), "shift": _or_null(_SHIFT)} | _TIME_QUALITY
_REASON = _object(
    {
        "code": _NAME,
        "text": _TEXTS,
        "category": _one_of(vocabulary.ReasonCategory),
        "planned": _FLAG,
    }
)
_GIVEN_REASON = _object(
    {"code": _NAME},
    optional={"text": _TEXTS, "category": _one_of(vocabulary.ReasonCategory), "planned": _FLAG},
)
_STATUS = _object(
    {
        "state": _STATE,
        "state_code": {"type": "integer", "minimum": 0, "maximum": 6},
        "since": _TIME,
        "cause": _one_of(vocabulary.StatusCause),
        "repeat": _FLAG,
        "mode": _one_of(vocabulary.Mode),
        "reason": _or_null(_REASON),
        "quality": _QUALITY,
    }
    | _CONTEXT,
    optional={
        "prev_state": _or_null(_STATE),
        "prev_duration_ms": _or_null(_WHOLE),
        "order_effective_at": _TIME,
    },
)
_COUNT = _object(
    {
        "counter": _NAME,
        "kind": _one_of(vocabulary.CounterKind),
        "delta": {"type": "number", "minimum": 0},
        "total": _NUMBER,
        "raw": _NUMBER,
        "unit": _TEXT,
        "anomaly": _one_of(vocabulary.Anomaly),
        "refused": {"type": "number", "minimum": 0},
        "window": _object({"from": _MAYBE_TIME, "to": _TIME}),
        "cycle_time_ms": _or_null(_WHOLE),
        "origin": {"enum": ["device", "manual"]},
        "order_ambiguous": _FLAG,
    }
    | _CONTEXT,
    optional={"shift_ambiguous": _FLAG, "reason": _MAYBE_TEXT, "by": _MAYBE_TEXT},
)
_FAULT = _object(
    {
        "fault_id": _NAME,
        "transition": _one_of(vocabulary.Transition),
        "code": _NAME,
        "text": _TEXTS,
        "cause": _TEXTS,
        "remedy": _TEXTS,
        "severity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "category": _one_of(vocabulary.ReasonCategory),
        "stops_machine": _FLAG,
        "active": _FLAG,
        "acked": _FLAG,
        "raised_at": _TIME,
        "cleared_at": _MAYBE_TIME,
        "duration_ms": _or_null(_WHOLE),
        "raises": _POSITIVE,
        "quality": _QUALITY,
        "by": _MAYBE_TEXT,
        "comment": _MAYBE_TEXT,
        "until": _MAYBE_TIME,
    }
    | _CONTEXT,
    optional={"first_up": _FLAG, "flood": _FLAG, "acked_by": _MAYBE_TEXT}
    | dict.fromkeys(("acked_at", "shelved_until"), _MAYBE_TIME),
)
_READING = _object(
    {
        "group": _NAME,
        "values": _map(_VALUE),
        "bad": _map(_TEXT),
        "full": _FLAG,
    }
    | _CONTEXT,
    optional={"sourcetime": _map(_TIME)},
)
_HEALTH = _object(
    {
        "link": _NAME,
        "state": _one_of(vocabulary.LinkState),
        "last_ok": _MAYBE_TIME,
        "rtt_ms": _or_null(_NUMBER),
        "failures": _WHOLE,
        "error": _or_null(_ANY),
    }
    | _TIME_QUALITY,
    optional={"clock": _object({"boot_id": _TEXT, "offset_ms": {"type": "integer"}})},
)
_GAP = _object(
    {
        "stream": _NAME,
        "from_streamseq": _or_null(_POSITIVE),
        "to_streamseq": _or_null(_POSITIVE),
        "count": _WHOLE,
        "reason": _one_of(vocabulary.GapReason),
    }
    | _TIME_QUALITY
)
_NOTE = _object(
    {"about": _NAME, "by": _NAME, "comment": _MAYBE_TEXT, "reason": _or_null(_REASON)}
    | _TIME_QUALITY
)

EVENT_DATA: dict[str, Json] = {
    "status": _STATUS,
    "count": _COUNT,
    "fault": _FAULT,
    "reading": _READING,
    "health": _HEALTH,
    "gap": _GAP,
    "note": _NOTE,
}
"""Stream -> schema of its ``data``."""

_COUNTER = _object(
    {"counter": _NAME, "total": _NUMBER, "raw": _NUMBER, "at": _TIME},
    optional={
        "kind": _one_of(vocabulary.CounterKind),
        "unit": _TEXT,
        "origin": {"enum": ["device", "manual"]},
        "withheld": _WHOLE,
        "out_of_order": _WHOLE,
        "dark_since": _MAYBE_TIME,
    },
)
_ORDER_IN_FORCE = _object(
    {
        "order": _or_null(_ORDER),
        "command_id": _MAYBE_TEXT,
        "since": _MAYBE_TIME,
    },
    optional={
        "planned_qty": _or_null(_NUMBER),
        "ideal_cycle_ms": _or_null(_NUMBER),
        "by": _MAYBE_TEXT,
        "effective_at": _MAYBE_TIME,
    },
)
_COMMENTS: Json = {"comments": _list(_object({"at": _TIME, "by": _NAME, "comment": _TEXT}))}
_NUMBERED: Json = {"tag": _NAME, "number": {"type": "integer"}}
_FAULTS = _object(
    {"active": _list(_FAULT | {"properties": _FAULT["properties"] | _COMMENTS})},
    optional={
        "unacked": _list(
            _object(
                {"fault_id": _NAME, "code": _NAME, "raised_at": _TIME, "cleared_at": _TIME},
                optional={"duration_ms": _WHOLE, "raises": _POSITIVE},
            )
        ),
        "shelved": _list(_object(_NUMBERED | {"until": _TIME, "by": _NAME, "comment": _TEXT})),
        "unknown": _list(
            _object(_NUMBERED | {"first_seen": _TIME, "last_seen": _TIME, "count": _POSITIVE})
        ),
    },
)
_USAGE = _object(
    {
        "usage": _SEGMENT,
        "kind": _one_of(UsageKind),
        "used": _NUMBER,
        "unit": {"enum": ["h", "1"]},
        "limit": _NUMBER,
        "warn_at": _NUMBER,
        "due": _one_of(UsageDue),
        "at": _TIME,
        "since": _TIME,
        "by": _MAYBE_TEXT,
    }
)
STATE_DATA: dict[str, Json] = {
    "status": _STATUS,
    "counters": _object({"counters": _list(_COUNTER)}),
    "faults": _FAULTS,
    "health": _object({"links": _list(_HEALTH)}),
    "order": _ORDER_IN_FORCE,
    "usage": _object({"usage": _list(_USAGE)}),
}
"""Kind of snapshot -> schema of its ``data``, ``valid_until`` apart."""

_SEQ_RANGE: Json = {"first_seq": _or_null(_WHOLE), "last_seq": _or_null(_WHOLE)}
_REPLY = _object(
    {"command_id": _or_null(_COMMAND_ID), "accepted": _FLAG},
    optional={
        "seq": _or_null(_POSITIVE),
        "error": _or_null({"type": "string", "examples": list(get_args(ReplyError))}),
        "reason": _TEXT,
        "count": _WHOLE,
        "upto_seq": _WHOLE,
        "newest": _map(_POSITIVE),
        "epoch": _EPOCH,
    }
    | _SEQ_RANGE,
)
_PLAIN: dict[str, Json] = {
    "birth": _object({"equipment": _SEGMENT, "name": _TEXTS, "dictionary_rev": _NAME}),
    "gateway/online": _object(
        {"online": _FLAG, "session": _POSITIVE, "epoch": _EPOCH, "at": _TIME}
    ),
    "gateway/birth": _object(
        {"equipment": {"type": "array"}, "epoch": _EPOCH, "previous_epochs": _list(_EPOCH)},
        optional={"timezone": _NAME, "schemas": _map(_POSITIVE)},
    ),
    "gateway/health": _object(
        {
            "at": _TIME,
            "next_report_at": _TIME,
            "epoch": _EPOCH,
            "last_seq": _map(_POSITIVE),
            "first_seq": _POSITIVE,
            "sent_seq": _WHOLE,
            "backlog": _WHOLE,
            "protocol": {"enum": ["5", "3.1.1"]},
            "selftest": {"enum": ["passed", None]},
            "published": _WHOLE,
            "replayed": _WHOLE,
            "refused": _WHOLE,
            "reconnects": _WHOLE,
            "held": _or_null(_ANY),
            "not_retained": _map(_TEXT),
        },
        optional={
            "life": _NAME,
            "dead_letters": _WHOLE,
            "taken_over": _WHOLE,
            "commands_kept_out": _WHOLE,
            "broker": _TEXT,
            "on_standby": _FLAG,
            "drops": _WHOLE,
            "clock": _object({"trusted": _FLAG}),
            "disk": _object(
                {
                    "free_bytes": _WHOLE,
                    "log_bytes": _WHOLE,
                    "alarm": {"enum": ["disk_full", "log_held", None]},
                }
            ),
        },
    ),
    "cmd/order": _object(
        {"command_id": _COMMAND_ID, "order_no": _or_null(_NAME)},
        optional=dict.fromkeys(("operation", "product", "batch", "operator", "by"), _MAYBE_TEXT)
        | dict.fromkeys(
            ("planned_qty", "ideal_cycle_ms"), _or_null({"type": "number", "minimum": 0})
        )
        | dict.fromkeys(("effective_at", "at"), _MAYBE_TIME),
    ),
    "cmd/note": _object(
        {"command_id": _COMMAND_ID, "about": _NAME, "by": _NAME},
        optional={"comment": _MAYBE_TEXT, "reason": _or_null(_GIVEN_REASON), "at": _MAYBE_TIME},
    ),
    "cmd/fault": _object(
        {
            "command_id": _COMMAND_ID,
            "fault_id": _NAME,
            "action": _one_of(FaultAction),
            "by": _NAME,
        },
        optional={"comment": _MAYBE_TEXT} | dict.fromkeys(("until", "at"), _MAYBE_TIME),
    ),
    "cmd/scrap": _object(
        {
            "command_id": _COMMAND_ID,
            "quantity": {**_POSITIVE, "maximum": MAX_QUANTITY},
            "by": _NAME,
        },
        optional={
            "counter": _or_null(_SEGMENT),
            "kind": _or_null(_one_of(ScrapKind)),
            "reason": _MAYBE_TEXT,
            "at": _MAYBE_TIME,
        },
    ),
    "cmd/usage": _object(
        {"command_id": _COMMAND_ID, "usage": _SEGMENT, "by": _NAME},
        optional={
            "used": _or_null({"type": "number", "minimum": 0}),
            "comment": _MAYBE_TEXT,
            "at": _MAYBE_TIME,
        },
    ),
    "cmd/replay": _object(
        {"command_id": _COMMAND_ID},
        optional={
            "from_seq": _POSITIVE,
            "to_seq": _or_null(_POSITIVE),
            "from": _TIME,
            "to": _TIME,
            "types": _or_null(_list({"enum": list(events.STREAMS)})),
            "equipment": _or_null(_SEGMENT),
            "places": _or_null(_list({"type": "string", "pattern": PLACE_FILTER})),
            "epoch": _or_null(_EPOCH),
            "at": _MAYBE_TIME,
        },
    )
    | {"oneOf": [{"required": ["from_seq"]}, {"required": ["from", "to"]}]},
    "reply": _REPLY,
}


def _envelope(type_: str, id_: str, own: Json) -> Json:
    fixed: Json = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "pattern": id_},
        "source": {"type": "string", "pattern": "^/[^/]+/gateways/[^/]+$"},
        "type": {"const": f"millgate.{type_}.v1"},
        "subject": {"type": "string", "pattern": "^[^/]+/[^/]+/[^/]+/[^/]+$"},
        "time": _TIME,
        "recordedtime": _TIME,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": f"urn:millgate:{type_}:1"},
        "epoch": _EPOCH,
        "replay": _FLAG,
    }
    return _object(fixed | own)


def schemas() -> dict[str, Json]:
    """Return every message's schema by name: evt/*, state/*, birth, gateway/*, cmd/*, reply."""
    found: dict[str, Json] = {}
    for type_, data in EVENT_DATA.items():
        own = {"streamseq": {**_POSITIVE, "maximum": 2**31 - 1}, "data": data}
        found[f"evt/{type_}"] = _envelope(type_, "^[0-9a-z]+-[0-9a-z]+-[0-9]+$", own)
    for kind, data in STATE_DATA.items():
        valid = {"allOf": [data, _object({"valid_until": _TIME})]}
        type_ = f"state.{kind}"
        id_ = r"^[0-9a-z]+-[0-9a-z]+-[0-9]+\.state$"
        found[f"state/{kind}"] = _envelope(type_, id_, {"data": valid})
    found |= _PLAIN
    return {name: {"$schema": DIALECT, "title": name} | schema for name, schema in found.items()}
