"""The ``data`` of each event, as JSON Schema."""

from gateway.domain import vocabulary
from gateway.domain.vocabulary import Json
from gateway.wire.schema_parts import (
    ANY,
    CONTEXT,
    FLAG,
    MAYBE_TEXT,
    MAYBE_TIME,
    NAME,
    NUMBER,
    POSITIVE,
    QUALITY,
    REASON,
    STATE,
    TEXT,
    TEXTS,
    TIME,
    TIME_QUALITY,
    VALUE,
    WHOLE,
    a_map,
    an_object,
    one_of,
    or_null,
)

STATUS = an_object(
    {
        "state": STATE,
        "state_code": {"type": "integer", "minimum": 0, "maximum": 6},
        "since": TIME,
        "cause": one_of(vocabulary.StatusCause),
        "repeat": FLAG,
        "mode": one_of(vocabulary.Mode),
        "reason": or_null(REASON),
        "quality": QUALITY,
    }
    | CONTEXT,
    optional={
        "prev_state": or_null(STATE),
        "prev_duration_ms": or_null(WHOLE),
        "order_effective_at": TIME,
    },
)
_COUNT = an_object(
    {
        "counter": NAME,
        "kind": one_of(vocabulary.CounterKind),
        "delta": {"type": "number", "minimum": 0},
        "total": NUMBER,
        "raw": NUMBER,
        "unit": TEXT,
        "anomaly": one_of(vocabulary.Anomaly),
        "refused": {"type": "number", "minimum": 0},
        "window": an_object({"from": MAYBE_TIME, "to": TIME}),
        "cycle_time_ms": or_null(WHOLE),
        "origin": {"enum": ["device", "manual"]},
        "order_ambiguous": FLAG,
    }
    | CONTEXT,
    optional={"shift_ambiguous": FLAG, "reason": MAYBE_TEXT, "by": MAYBE_TEXT},
)
FAULT = an_object(
    {
        "fault_id": NAME,
        "transition": one_of(vocabulary.Transition),
        "code": NAME,
        "text": TEXTS,
        "cause": TEXTS,
        "remedy": TEXTS,
        "severity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "category": one_of(vocabulary.ReasonCategory),
        "stops_machine": FLAG,
        "active": FLAG,
        "acked": FLAG,
        "raised_at": TIME,
        "cleared_at": MAYBE_TIME,
        "duration_ms": or_null(WHOLE),
        "raises": POSITIVE,
        "quality": QUALITY,
        "by": MAYBE_TEXT,
        "comment": MAYBE_TEXT,
        "until": MAYBE_TIME,
    }
    | CONTEXT,
    optional={"first_up": FLAG, "flood": FLAG, "acked_by": MAYBE_TEXT}
    | dict.fromkeys(("acked_at", "shelved_until"), MAYBE_TIME),
)
_READING = an_object(
    {
        "group": NAME,
        "values": a_map(VALUE),
        "bad": a_map(TEXT),
        "full": FLAG,
    }
    | CONTEXT,
    optional={"sourcetime": a_map(TIME)},
)
HEALTH = an_object(
    {
        "link": NAME,
        "state": one_of(vocabulary.LinkState),
        "last_ok": MAYBE_TIME,
        "rtt_ms": or_null(NUMBER),
        "failures": WHOLE,
        "error": or_null(ANY),
    }
    | TIME_QUALITY,
    optional={"clock": an_object({"boot_id": TEXT, "offset_ms": {"type": "integer"}})},
)
_GAP = an_object(
    {
        "stream": NAME,
        "from_streamseq": or_null(POSITIVE),
        "to_streamseq": or_null(POSITIVE),
        "count": WHOLE,
        "reason": one_of(vocabulary.GapReason),
    }
    | TIME_QUALITY,
    optional={"target": NAME},
)
_NOTE = an_object(
    {"about": NAME, "by": NAME, "comment": MAYBE_TEXT, "reason": or_null(REASON)} | TIME_QUALITY
)

EVENT_DATA: dict[str, Json] = {
    "status": STATUS,
    "count": _COUNT,
    "fault": FAULT,
    "reading": _READING,
    "health": HEALTH,
    "gap": _GAP,
    "note": _NOTE,
}
"""Stream -> schema of its ``data``."""
