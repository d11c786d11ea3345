"""JSON Schema (2020-12) of every message of the contract.

- Each example of `gateway.domain.events` and each message this gateway builds validates.
- Fields may be added, so unknown ones are allowed everywhere; none is ever taken away.
"""

from gateway.domain.vocabulary import Json
from gateway.wire.schema_events import EVENT_DATA
from gateway.wire.schema_parts import EPOCH, FLAG, POSITIVE, TIME, an_object
from gateway.wire.schema_plain import PLAIN_DATA
from gateway.wire.schema_states import STATE_DATA

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _envelope(type_: str, id_: str, own: Json) -> Json:
    fixed: Json = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "pattern": id_},
        "source": {"type": "string", "pattern": "^/[^/]+/gateways/[^/]+$"},
        "type": {"const": f"millgate.{type_}.v1"},
        "subject": {"type": "string", "pattern": "^[^/]+/[^/]+/[^/]+/[^/]+$"},
        "time": TIME,
        "recordedtime": TIME,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": f"urn:millgate:{type_}:1"},
        "epoch": EPOCH,
        "replay": FLAG,
    }
    return an_object(fixed | own)


def schemas() -> dict[str, Json]:
    """Return every message's schema by name: evt/*, state/*, birth, gateway/*, cmd/*, reply."""
    found: dict[str, Json] = {}
    for type_, data in EVENT_DATA.items():
        own = {"streamseq": {**POSITIVE, "maximum": 2**31 - 1}, "data": data}
        found[f"evt/{type_}"] = _envelope(type_, "^[0-9a-z]+-[0-9a-z]+-[0-9]+$", own)
    for kind, data in STATE_DATA.items():
        valid = {"allOf": [data, an_object({"valid_until": TIME})]}
        type_ = f"state.{kind}"
        id_ = r"^[0-9a-z]+-[0-9a-z]+-[0-9]+\.state$"
        found[f"state/{kind}"] = _envelope(type_, id_, {"data": valid})
    found |= PLAIN_DATA
    return {name: {"$schema": DIALECT, "title": name} | schema for name, schema in found.items()}
