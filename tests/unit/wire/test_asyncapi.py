"""The document says of every message where it travels, and nothing of what does not exist."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.domain.vocabulary import Json
from gateway.wire.asyncapi import DEFAULT_ROOT, document
from gateway.wire.schema import schemas
from gateway.wire.topics import (
    EquipmentTopic,
    GatewayTopics,
    Place,
    birth_topic,
    event_topic,
    parse_topic,
    state_topic,
)

DOCUMENT = document()
VALUES = {
    "site": "suzhou",
    "area": "stamping",
    "line": "_",
    "equipment": "press-03",
    "gateway": "gw-01",
    "group": "plc",
    "command_id": "c-1",
}
PRESS = Place(DEFAULT_ROOT, "suzhou", "stamping", "_", "press-03")
GATEWAY = GatewayTopics(DEFAULT_ROOT, "suzhou", "gw-01")


def address(name: str) -> str:
    found: str = DOCUMENT["channels"][name.replace("/", "-")]["address"]
    return found.format(**VALUES)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            elif key != "schema":
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_message_is_there_with_its_schema() -> None:
    messages = DOCUMENT["components"]["messages"].values()
    assert {message["name"]: message["payload"]["schema"] for message in messages} == schemas()


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 2 * len(schemas())
    for reference in found:
        target: Json = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_address_is_a_topic_of_the_contract(name: str) -> None:
    topic = parse_topic(DEFAULT_ROOT, address(name))
    said = topic.kind, topic.name
    if isinstance(topic, EquipmentTopic):
        assert "/".join(part for part in said if part) == name
    channel = DOCUMENT["channels"][name.replace("/", "-")]
    assert set(channel["parameters"]) == set(re.findall(r"{(\w+)}", channel["address"]))


def test_the_addresses_are_those_that_are_published() -> None:
    assert address("evt/status") == event_topic(PRESS, "status")
    assert address("evt/reading") == event_topic(PRESS, "reading", "plc")
    assert address("state/faults") == state_topic(PRESS, "faults")
    assert address("birth") == birth_topic(PRESS)
    assert address("gateway/online") == GATEWAY.online
    assert address("gateway/birth") == GATEWAY.birth
    assert address("gateway/health") == GATEWAY.health
    assert address("cmd/replay") == GATEWAY.cmd_replay
    assert address("reply") == GATEWAY.reply("c-1")


def test_commands_come_in_and_are_answered_all_else_goes_out() -> None:
    for name in schemas():
        operation = DOCUMENT["operations"][name.replace("/", "-")]
        is_command = name.startswith("cmd/")
        assert operation["action"] == ("receive" if is_command else "send")
        assert ("reply" in operation) == is_command


def test_what_is_retained_is_said() -> None:
    retained = {
        key
        for key, operation in DOCUMENT["operations"].items()
        if operation["bindings"]["mqtt"]["retain"]
    }
    about_gateway = {"gateway-online", "gateway-birth", "gateway-health"}
    states = {name.replace("/", "-") for name in schemas() if name.startswith("state/")}
    assert retained == {"birth"} | about_gateway | states
