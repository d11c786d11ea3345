"""The whole contract as one AsyncAPI 3.0 document: every topic, who sends, what it carries.

- Each message is the schema of `gateway.wire.schema`, unchanged.
- ``action`` is the gateway's: it sends facts and answers, it receives commands.
"""

from collections.abc import Mapping

from gateway.domain.vocabulary import Json
from gateway.wire.cloudevent import CONTENT_TYPE
from gateway.wire.schema import schemas
from gateway.wire.topics import GATEWAYS, SEGMENT

VERSION = "1.0.0"
"""Of the contract: a field added is a minor step, anything else is a new type."""

DEFAULT_ROOT = "mg/v1"
_JSON = "application/json"
_EQUIPMENT = f"{DEFAULT_ROOT}/{{site}}/{{area}}/{{line}}/{{equipment}}"
_GATEWAY = f"{DEFAULT_ROOT}/{{site}}/{GATEWAYS}/{{gateway}}"
_SEGMENT = f"One topic segment: {SEGMENT.pattern}"
_PARAMETERS: Mapping[str, str] = {
    "site": _SEGMENT,
    "area": f"{_SEGMENT}; _ where there is none",
    "line": f"{_SEGMENT}; _ where there is none",
    "equipment": "The code the MES knows the equipment by",
    "gateway": "The code of the gateway within the site",
    "group": "The tag group of the values",
    "command_id": "The id of the command that is answered",
}
_RETAINED = frozenset({"birth", "gateway/online", "gateway/birth", "gateway/health"})


def document() -> Json:
    """Return the AsyncAPI document."""
    messages = schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "millgate",
            "version": VERSION,
            "description": "Facts of machines over MQTT: status, counts, faults, readings, link "
            f"health, and the commands a gateway obeys. Topics begin with {DEFAULT_ROOT} unless "
            "a site says otherwise.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "channels": {_key(name): _channel(name) for name in messages},
        "operations": {_key(name): _operation(name) for name in messages},
        "components": {
            "messages": {_key(name): _message(name, schema) for name, schema in messages.items()}
        },
    }


def _key(name: str) -> str:
    return name.replace("/", "-")


def _address(name: str) -> str:
    """Return the topic of a message, as the schemas call it."""
    if name == "evt/reading":
        return f"{_EQUIPMENT}/{name}/{{group}}"
    if name == "reply":
        return f"{_GATEWAY}/reply/{{command_id}}"
    if name.startswith("gateway/"):
        return f"{_GATEWAY}/{name.removeprefix('gateway/')}"
    return f"{_GATEWAY if name == 'cmd/replay' else _EQUIPMENT}/{name}"


def _channel(name: str) -> Json:
    address = _address(name)
    return {
        "address": address,
        "messages": {_key(name): {"$ref": f"#/components/messages/{_key(name)}"}},
        "parameters": {
            key: {"description": text}
            for key, text in _PARAMETERS.items()
            if f"{{{key}}}" in address
        },
    }


def _operation(name: str) -> Json:
    key = _key(name)
    found: Json = {
        "action": "receive" if name.startswith("cmd/") else "send",
        "channel": {"$ref": f"#/channels/{key}"},
        "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
        "bindings": {"mqtt": {"qos": 1, "retain": _is_retained(name), "bindingVersion": "0.2.0"}},
    }
    if name.startswith("cmd/"):
        found["reply"] = {"channel": {"$ref": "#/channels/reply"}}
    return found


def _is_retained(name: str) -> bool:
    return name.startswith("state/") or name in _RETAINED


def _message(name: str, schema: Json) -> Json:
    is_event = name.startswith(("evt/", "state/"))
    return {
        "name": name,
        "contentType": CONTENT_TYPE if is_event else _JSON,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": schema,
        },
    }
