"""What the schemas of the contract are built of: kinds of values, and what many messages carry."""

from typing import get_args

from gateway.domain import vocabulary
from gateway.domain.vocabulary import Json
from gateway.wire.topics import SEGMENT

TEXT: Json = {"type": "string"}
NAME: Json = {"type": "string", "minLength": 1}
FLAG: Json = {"type": "boolean"}
NUMBER: Json = {"type": "number"}
WHOLE: Json = {"type": "integer", "minimum": 0}
POSITIVE: Json = {"type": "integer", "minimum": 1}
TIME: Json = {"type": "string", "format": "date-time"}
VALUE: Json = {"type": ["boolean", "number", "string"]}
ANY: Json = {"type": "object"}
TEXTS: Json = {"type": "object", "additionalProperties": TEXT}
EPOCH: Json = {"type": "string", "pattern": "^[0-9a-z]+-[0-9a-z]+$"}
COMMAND_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"}
LEVEL: Json = {"type": "string", "pattern": f"^{SEGMENT.pattern}$"}


def or_null(schema: Json) -> Json:
    """Return what also takes null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(literal: object) -> Json:
    """Return what takes the values of a Literal or an enumeration's alias."""
    return {"enum": list(get_args(literal))}


def a_list(items: Json) -> Json:
    """Return a list of these."""
    return {"type": "array", "items": items}


def a_map(values: Json) -> Json:
    """Return an object whose keys are names and whose values are these."""
    return {"type": "object", "additionalProperties": values}


def an_object(properties: Json, *, optional: Json | None = None) -> Json:
    """Return an object that has all of ``properties`` and may have the others."""
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties | (optional or {}),
    }


STATE: Json = {"enum": [state.value for state in vocabulary.State]}
TIME_QUALITY: Json = {"timequality": {"enum": ["gateway", "device", "unsynced"]}}
QUALITY = one_of(vocabulary.Quality)
MAYBE_TEXT = or_null(TEXT)
MAYBE_TIME = or_null(TIME)
ORDER = an_object(
    {
        "order_no": NAME,
        "operation": MAYBE_TEXT,
        "product": MAYBE_TEXT,
        "batch": MAYBE_TEXT,
        "operator": MAYBE_TEXT,
    },
    optional={"ideal_cycle_ms": or_null(NUMBER)},
)
SHIFT = an_object({"code": NAME, "production_date": {"type": "string", "format": "date"}})
CONTEXT: Json = {"order": or_null(ORDER), "shift": or_null(SHIFT)} | TIME_QUALITY
REASON = an_object(
    {
        "code": NAME,
        "text": TEXTS,
        "category": one_of(vocabulary.ReasonCategory),
        "planned": FLAG,
    }
)
GIVEN_REASON = an_object(
    {"code": NAME},
    optional={"text": TEXTS, "category": one_of(vocabulary.ReasonCategory), "planned": FLAG},
)
