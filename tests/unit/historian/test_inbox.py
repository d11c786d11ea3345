from gateway.historian.inbox import Origins, Word, equipment_in, filters, sort
from gateway.historian.store import Birth
from gateway.ops.mqtt_terms import Message
from tests.support.scripted_gateway import ROOT, TOPICS, message
from tests.support.stores import START, count_data, envelope

PLACE = f"{ROOT}/plant/stamping/line-2/press-03"


def arrived(topic: str, payload: bytes) -> Message:
    return Message(topic=topic, payload=payload, qos=1, retain=False, mid=1)


def test_each_message_becomes_one_thing() -> None:
    event = envelope("count", 1, 1, count_data(1, 1))
    found = sort(
        [
            arrived(f"{PLACE}/evt/count", message(event)),
            arrived(f"{PLACE}/evt/reading/plc", message(event)),
            arrived(f"{PLACE}/birth", b'{"name": {}}'),
            arrived(f"{PLACE}/birth", b""),
            arrived(TOPICS.health, b'{"epoch": "e"}'),
            arrived(TOPICS.online, b'{"online": true}'),
            arrived(TOPICS.online, b""),
            arrived(f"{PLACE}/evt/count", b"\xff"),
            arrived(f"{PLACE}/evt/count", b"{}"),
            arrived("elsewhere", b"{}"),
        ],
        root=ROOT,
        now=START,
    )
    assert found.events == [event, event]
    assert found.births == [Birth("", "press-03", "plant/stamping/line-2/press-03", {"name": {}})]
    assert found.words == [
        Word(TOPICS.source, "health", {"epoch": "e"}),
        Word(TOPICS.source, "online", {"online": True}),
    ]
    assert [dead.payload for dead in found.dead] == [b"\xff", b"{}", b"{}"]


def test_a_snapshot_under_evt_is_a_dead_letter() -> None:
    event = envelope("count", 1, 1, count_data(1, 1))
    snapshot = message(event).replace(b"millgate.count", b"millgate.state.count")
    snapshot = snapshot.replace(event.id.encode() + b'"', event.id.encode() + b'.state"')
    found = sort([arrived(f"{PLACE}/evt/count", snapshot)], root=ROOT, now=START)
    assert (found.events, len(found.dead)) == ([], 1)


def test_it_subscribes_to_what_the_contract_names() -> None:
    assert filters("mg/v1", "plant") == [
        "mg/v1/plant/+/+/+/evt/#",
        "mg/v1/plant/+/+/+/birth",
        "mg/v1/plant/_gateways/+/health",
        "mg/v1/plant/_gateways/+/birth",
        "mg/v1/plant/_gateways/+/online",
        "mg/v1/plant/_gateways/+/reply/+",
    ]


def test_a_birth_waits_until_its_gateway_is_known() -> None:
    origins = Origins()
    birth = Birth("", "press-03", "s", {"n": 1})
    newer = Birth("", "press-03", "s", {"n": 2})
    assert origins.claim([birth]) == []
    assert origins.claim([newer]) == []
    origins.learn("/plant/gateways/gw-01", ["press-03"])
    assert origins.claim([]) == [Birth("/plant/gateways/gw-01", "press-03", "s", {"n": 2})]
    assert origins.claim([]) == []


def test_the_equipment_of_a_gateway_is_read_in_each_form() -> None:
    assert equipment_in({"equipment": ["a", {"equipment": "b"}, 5]}) == ["a", "b"]
    assert equipment_in({"equipment": {"a": {}}}) == ["a"]
    assert equipment_in({}) == []
