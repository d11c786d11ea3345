"""The ``data`` of each snapshot, as JSON Schema."""

from gateway.domain import vocabulary
from gateway.domain.rules import UsageKind
from gateway.domain.state import UsageDue
from gateway.domain.vocabulary import Json
from gateway.wire.schema_events import FAULT, HEALTH, STATUS
from gateway.wire.schema_parts import (
    LEVEL,
    MAYBE_TEXT,
    MAYBE_TIME,
    NAME,
    NUMBER,
    ORDER,
    POSITIVE,
    TEXT,
    TIME,
    WHOLE,
    a_list,
    an_object,
    one_of,
    or_null,
)

_COUNTER = an_object(
    {"counter": NAME, "total": NUMBER, "raw": NUMBER, "at": TIME},
    optional={
        "kind": one_of(vocabulary.CounterKind),
        "unit": TEXT,
        "origin": {"enum": ["device", "manual"]},
        "withheld": WHOLE,
        "out_of_order": WHOLE,
        "dark_since": MAYBE_TIME,
    },
)
_ORDER_IN_FORCE = an_object(
    {
        "order": or_null(ORDER),
        "command_id": MAYBE_TEXT,
        "since": MAYBE_TIME,
    },
    optional={
        "planned_qty": or_null(NUMBER),
        "ideal_cycle_ms": or_null(NUMBER),
        "by": MAYBE_TEXT,
        "effective_at": MAYBE_TIME,
    },
)
_COMMENTS: Json = {"comments": a_list(an_object({"at": TIME, "by": NAME, "comment": TEXT}))}
_NUMBERED: Json = {"tag": NAME, "number": {"type": "integer"}}
_FAULTS = an_object(
    {"active": a_list(FAULT | {"properties": FAULT["properties"] | _COMMENTS})},
    optional={
        "unacked": a_list(
            an_object(
                {"fault_id": NAME, "code": NAME, "raised_at": TIME, "cleared_at": TIME},
                optional={"duration_ms": WHOLE, "raises": POSITIVE},
            )
        ),
        "shelved": a_list(an_object(_NUMBERED | {"until": TIME, "by": NAME, "comment": TEXT})),
        "unknown": a_list(
            an_object(_NUMBERED | {"first_seen": TIME, "last_seen": TIME, "count": POSITIVE})
        ),
    },
)
_USAGE = an_object(
    {
        "usage": LEVEL,
        "kind": one_of(UsageKind),
        "used": NUMBER,
        "unit": {"enum": ["h", "1"]},
        "limit": NUMBER,
        "warn_at": NUMBER,
        "due": one_of(UsageDue),
        "at": TIME,
        "since": TIME,
        "by": MAYBE_TEXT,
    }
)
STATE_DATA: dict[str, Json] = {
    "status": STATUS,
    "counters": an_object({"counters": a_list(_COUNTER)}),
    "faults": _FAULTS,
    "health": an_object({"links": a_list(HEALTH)}),
    "order": _ORDER_IN_FORCE,
    "usage": an_object({"usage": a_list(_USAGE)}),
}
"""Kind of snapshot -> schema of its ``data``, ``valid_until`` apart."""
