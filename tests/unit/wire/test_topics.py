import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.error import WireError
from gateway.wire.topics import (
    SEGMENT,
    EquipmentTopic,
    GatewayTopic,
    GatewayTopics,
    Place,
    PlaceFilter,
    birth_topic,
    command_topic,
    event_topic,
    is_meant,
    parse_place,
    parse_topic,
    state_topic,
)

PRESS = Place("mg/v1", "suzhou", "stamping", "line-2", "press-03")
GATEWAY = GatewayTopics("mg/v1", "suzhou", "gw-01")
HERE = "mg/v1/suzhou/stamping/line-2/press-03"
GATEWAY_HERE = "mg/v1/suzhou/_gateways/gw-01"

segments = st.from_regex(SEGMENT, fullmatch=True)
maybe = st.one_of(st.just("_"), segments)
roots = st.lists(segments, min_size=1, max_size=3).map("/".join)
places = st.builds(Place, roots, segments, maybe, maybe, segments)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (event_topic(PRESS, "status"), f"{HERE}/evt/status"),
        (event_topic(PRESS, "reading", "slow"), f"{HERE}/evt/reading/slow"),
        (state_topic(PRESS, "counters"), f"{HERE}/state/counters"),
        (birth_topic(PRESS), f"{HERE}/birth"),
        (command_topic(PRESS), f"{HERE}/cmd/order"),
        (GATEWAY.online, f"{GATEWAY_HERE}/online"),
        (GATEWAY.birth, f"{GATEWAY_HERE}/birth"),
        (GATEWAY.health, f"{GATEWAY_HERE}/health"),
        (GATEWAY.cmd_replay, f"{GATEWAY_HERE}/cmd/replay"),
        (GATEWAY.selftest, f"{GATEWAY_HERE}/selftest"),
        (GATEWAY.reply("c-1"), f"{GATEWAY_HERE}/reply/c-1"),
        (GATEWAY.source, "/suzhou/gateways/gw-01"),
        (PRESS.subject, "suzhou/stamping/line-2/press-03"),
    ],
)
def test_topics_are_those_of_the_contract(topic: str, expected: str) -> None:
    assert topic == expected


@given(places, segments)
def test_every_topic_of_an_equipment_can_be_read(place: Place, part: str) -> None:
    for topic, expected in [
        (event_topic(place, "count"), EquipmentTopic(place, "evt", "count")),
        (event_topic(place, "reading", part), EquipmentTopic(place, "evt", "reading", part)),
        (state_topic(place, "order"), EquipmentTopic(place, "state", "order")),
        (birth_topic(place), EquipmentTopic(place, "birth")),
        (command_topic(place), EquipmentTopic(place, "cmd", "order")),
    ]:
        assert parse_topic(place.root, topic) == expected


@given(roots, segments, segments)
def test_every_topic_of_a_gateway_can_be_read(root: str, site: str, name: str) -> None:
    gateway = GatewayTopics(root, site, name)
    for topic, expected in [
        (gateway.online, GatewayTopic(gateway, "online")),
        (gateway.birth, GatewayTopic(gateway, "birth")),
        (gateway.health, GatewayTopic(gateway, "health")),
        (gateway.selftest, GatewayTopic(gateway, "selftest")),
        (gateway.cmd_replay, GatewayTopic(gateway, "cmd", "replay")),
        (gateway.reply("Ab.1"), GatewayTopic(gateway, "reply", "Ab.1")),
    ]:
        assert parse_topic(root, topic) == expected


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "mg/v2/suzhou/a/b/c/birth",
        "mg/v1/suzhou/a/b/c",
        "mg/v1/suzhou/a/b/c/evt",
        "mg/v1/suzhou/a/b/c/evt/count/more",
        "mg/v1/suzhou/a/b/c/evt/reading/x/y",
        "mg/v1/suzhou/a/b/_/birth",
        "mg/v1/suzhou/A/b/c/birth",
        "mg/v1/suzhou/_gateways/gw-01/secret",
        "mg/v1/suzhou/_gateways/gw-01/reply/a/b",
        "mg/v1/suzhou/_gateways",
        "mg/v1//a/b/c/birth",
    ],
)
def test_what_is_not_of_the_contract_is_refused(topic: str) -> None:
    with pytest.raises(WireError):
        parse_topic("mg/v1", topic)


@given(st.text())
def test_nothing_but_wire_errors(topic: str) -> None:
    for candidate in (topic, f"mg/v1/{topic}", f"{HERE}/{topic}", f"{GATEWAY_HERE}/{topic}"):
        try:
            parse_topic("mg/v1", candidate)
        except WireError:
            continue


@pytest.mark.parametrize(
    "bad", ["", "_", "_gateways", "A", "a/b", "a+", "#", "中", "a" * 41, "a\n"]
)
def test_an_equipment_needs_a_segment(bad: str) -> None:
    with pytest.raises(WireError):
        Place("mg/v1", "suzhou", "stamping", "line-2", bad)
    with pytest.raises(WireError):
        GatewayTopics("mg/v1", "suzhou", bad)


def test_only_area_and_line_may_be_missing() -> None:
    assert Place("mg", "suzhou", "_", "_", "oven").subject == "suzhou/_/_/oven"
    with pytest.raises(WireError):
        Place("mg", "_", "a", "b", "oven")
    with pytest.raises(WireError):
        Place("mg/", "suzhou", "a", "b", "oven")


@given(places)
def test_a_place_is_read_back_from_its_topic(place: Place) -> None:
    assert parse_place(place.topic) == place


@pytest.mark.parametrize("topic", ["", "mg/v1", "suzhou/stamping/line-2/press-03", "a/b/c/d/E"])
def test_what_is_no_place_is_refused(topic: str) -> None:
    with pytest.raises(WireError):
        parse_place(topic)


@pytest.mark.parametrize(
    ("text", "levels", "is_meant_here"),
    [
        ("stamping/#", "stamping/+/+", True),
        ("stamping/line-2/#", "stamping/line-2/+", True),
        ("+/+/press-03", "+/+/press-03", True),
        ("stamping/line-1/#", "stamping/line-1/+", False),
        ("_/#", "_/+/+", False),
    ],
)
def test_a_filter_of_places(text: str, levels: str, is_meant_here: bool) -> None:
    place = Place("mg/v1", "suzhou", "stamping", "line-2", "press-03")
    found = PlaceFilter.read(text)
    assert str(found) == levels
    assert is_meant(place, [found]) is is_meant_here
    assert is_meant(place, [])


@pytest.mark.parametrize("text", ["", "#", "a", "a/b/c/d", "a/#/b", "A/#", "a/b/c/#", "a/+"])
def test_what_is_no_filter_of_places_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        PlaceFilter.read(text)
