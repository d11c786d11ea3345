"""What CloudEvents 1.0 asks of a message of ours, asked by others' code.

The schema is ours, checked by the `jsonschema` package; the envelope is read by the
CloudEvents SDK; the rules on attributes that neither of them knows stand here.
"""

import re
from datetime import datetime
from typing import Any

import orjson
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator

from gateway.wire.schema import schemas
from gateway.wire.topics import EquipmentTopic, GatewayTopic, parse_topic

NAME = re.compile(r"[a-z0-9]{1,20}")
INT_32 = range(-(2**31), 2**31)
URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
CORE = frozenset(
    ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"]
)
OFFICIAL = frozenset(
    [
        "authid",
        "authtype",
        "causationid",
        "correlationid",
        "dataref",
        "deprecated",
        "deprecationfrom",
        "expirytime",
        "partitionkey",
        "recordedtime",
        "sampledrate",
        "sequence",
        "sequencetype",
        "severitynumber",
        "severitytext",
        "traceparent",
        "tracestate",
    ]
)
"""Extensions with a meaning of their own: to be used in that one or not at all."""

VALIDATORS = {
    name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in schemas().items()
}


def schema_name(root: str, topic: str) -> str:
    """Return how the schemas call what travels on ``topic``; WireError if nothing does."""
    found = parse_topic(root, topic)
    if isinstance(found, GatewayTopic):
        return {"cmd": f"cmd/{found.name}", "reply": "reply"}.get(
            found.kind, f"gateway/{found.kind}"
        )
    assert isinstance(found, EquipmentTopic)
    return found.kind if found.kind == "birth" else f"{found.kind}/{found.name}"


def check(name: str, payload: bytes) -> None:
    """Fail unless the message is what the contract and CloudEvents say."""
    VALIDATORS[name].validate(orjson.loads(payload))
    if name.startswith(("evt/", "state/")):
        check_envelope(payload)


def check_envelope(payload: bytes) -> None:
    read = JSONFormat().read(CloudEvent, payload)
    attributes: dict[str, Any] = orjson.loads(payload)
    data = attributes.pop("data")
    assert read.get_data() == data
    assert read.get_id() == attributes["id"]
    assert read.get_source() == attributes["source"]
    for key, value in attributes.items():
        assert NAME.fullmatch(key), key
        assert type(value) in {str, int, bool}, f"{key}: no CloudEvents type"
        assert type(value) is not int or value in INT_32, f"{key}: beyond 32 bits"
        assert value != "", f"{key} is empty"
    assert attributes.keys() & OFFICIAL <= {"recordedtime"}
    for key in ("time", "recordedtime"):
        assert datetime.fromisoformat(attributes[key]).utcoffset() is not None
        assert attributes[key].endswith("Z")
    assert URI.fullmatch(attributes["dataschema"])
    assert attributes["datacontenttype"] == "application/json"
    assert attributes.keys() >= CORE
