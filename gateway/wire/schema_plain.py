"""What is said and asked without an envelope: births, a gateway of itself, commands, replies."""

from typing import get_args

from gateway.domain import events
from gateway.domain.commands import FaultAction, ScrapKind
from gateway.domain.vocabulary import Json
from gateway.wire.command import MAX_QUANTITY, ReplyError
from gateway.wire.schema_parts import (
    ANY,
    COMMAND_ID,
    EPOCH,
    FLAG,
    GIVEN_REASON,
    LEVEL,
    MAYBE_TEXT,
    MAYBE_TIME,
    NAME,
    POSITIVE,
    TEXT,
    TEXTS,
    TIME,
    WHOLE,
    a_list,
    a_map,
    an_object,
    one_of,
    or_null,
)
from gateway.wire.topics import PLACE_FILTER

_SEQ_RANGE: Json = {"first_seq": or_null(WHOLE), "last_seq": or_null(WHOLE)}
_REPLY = an_object(
    {"command_id": or_null(COMMAND_ID), "accepted": FLAG},
    optional={
        "seq": or_null(POSITIVE),
        "error": or_null({"type": "string", "examples": list(get_args(ReplyError))}),
        "reason": TEXT,
        "count": WHOLE,
        "upto_seq": WHOLE,
        "newest": a_map(POSITIVE),
        "epoch": EPOCH,
    }
    | _SEQ_RANGE,
)
PLAIN_DATA: dict[str, Json] = {
    "birth": an_object({"equipment": LEVEL, "name": TEXTS, "dictionary_rev": NAME}),
    "gateway/online": an_object({"online": FLAG, "session": POSITIVE, "epoch": EPOCH, "at": TIME}),
    "gateway/birth": an_object(
        {"equipment": {"type": "array"}, "epoch": EPOCH, "previous_epochs": a_list(EPOCH)},
        optional={"timezone": NAME, "schemas": a_map(POSITIVE)},
    ),
    "gateway/health": an_object(
        {
            "at": TIME,
            "next_report_at": TIME,
            "epoch": EPOCH,
            "last_seq": a_map(POSITIVE),
            "first_seq": POSITIVE,
            "sent_seq": WHOLE,
            "backlog": WHOLE,
            "protocol": {"enum": ["5", "3.1.1"]},
            "selftest": {"enum": ["passed", None]},
            "published": WHOLE,
            "replayed": WHOLE,
            "refused": WHOLE,
            "reconnects": WHOLE,
            "held": or_null(ANY),
            "not_retained": a_map(TEXT),
        },
        optional={
            "life": NAME,
            "dead_letters": WHOLE,
            "taken_over": WHOLE,
            "commands_kept_out": WHOLE,
            "broker": TEXT,
            "on_standby": FLAG,
            "drops": WHOLE,
            "merged": WHOLE,
            "clock": an_object({"trusted": FLAG}),
            "disk": an_object(
                {
                    "free_bytes": WHOLE,
                    "log_bytes": WHOLE,
                    "alarm": {"enum": ["disk_full", "log_held", "quota", None]},
                }
            ),
        },
    ),
    "cmd/order": an_object(
        {"command_id": COMMAND_ID, "order_no": or_null(NAME)},
        optional=dict.fromkeys(("operation", "product", "batch", "operator", "by"), MAYBE_TEXT)
        | dict.fromkeys(
            ("planned_qty", "ideal_cycle_ms"), or_null({"type": "number", "minimum": 0})
        )
        | dict.fromkeys(("effective_at", "at"), MAYBE_TIME),
    ),
    "cmd/note": an_object(
        {"command_id": COMMAND_ID, "about": NAME, "by": NAME},
        optional={"comment": MAYBE_TEXT, "reason": or_null(GIVEN_REASON), "at": MAYBE_TIME},
    ),
    "cmd/fault": an_object(
        {
            "command_id": COMMAND_ID,
            "fault_id": NAME,
            "action": one_of(FaultAction),
            "by": NAME,
        },
        optional={"comment": MAYBE_TEXT} | dict.fromkeys(("until", "at"), MAYBE_TIME),
    ),
    "cmd/scrap": an_object(
        {
            "command_id": COMMAND_ID,
            "quantity": {**POSITIVE, "maximum": MAX_QUANTITY},
            "by": NAME,
        },
        optional={
            "counter": or_null(LEVEL),
            "kind": or_null(one_of(ScrapKind)),
            "reason": MAYBE_TEXT,
            "at": MAYBE_TIME,
        },
    ),
    "cmd/usage": an_object(
        {"command_id": COMMAND_ID, "usage": LEVEL, "by": NAME},
        optional={
            "used": or_null({"type": "number", "minimum": 0}),
            "comment": MAYBE_TEXT,
            "at": MAYBE_TIME,
        },
    ),
    "cmd/replay": an_object(
        {"command_id": COMMAND_ID},
        optional={
            "from_seq": POSITIVE,
            "to_seq": or_null(POSITIVE),
            "from": TIME,
            "to": TIME,
            "types": or_null(a_list({"enum": list(events.STREAMS)})),
            "equipment": or_null(LEVEL),
            "places": or_null(a_list({"type": "string", "pattern": PLACE_FILTER})),
            "epoch": or_null(EPOCH),
            "at": MAYBE_TIME,
        },
    )
    | {"oneOf": [{"required": ["from_seq"]}, {"required": ["from", "to"]}]},
    "reply": _REPLY,
}
"""Message -> schema of the whole of it: these are no CloudEvents."""
