"""Retained messages follow their equipment, at a real broker."""

from dataclasses import replace

import orjson
import pytest

from gateway.domain.snapshot import KINDS
from gateway.journal.identity import IdentityChange
from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import BrokerSettings, Session
from gateway.publish.moves import clear, vacant
from gateway.publish.publisher import Publisher
from gateway.wire.topics import birth_topic, state_topic
from tests.support.broker import Broker, broker, mosquitto
from tests.support.fake_journal import FakeJournal
from tests.support.publishing import (
    OVEN,
    PLACES,
    PRESS,
    TOPICS,
    Rest,
    listening,
    publishing,
    settings_for,
)
from tests.support.until import until, until_told

__all__ = ["broker"]

MOVED = replace(PRESS, area="welding")
AFTER = replace(PLACES, equipment={"press-03": MOVED, "oven-01": OVEN})
STATES = Rest(states={"press-03": {"order": {"order": None}}, "oven-01": {"order": {}}})


async def retained(settings: BrokerSettings, topic: str) -> dict[str, bytes]:
    """Return what a newcomer is given, however long it takes to be told nothing more."""
    async with listening(settings, topic, "mark", client_id="newcomer") as ear:
        await ear.link.publish("mark", b"end")
        await until(lambda: any(one.topic == "mark" for one in ear.messages))
        return {one.topic: one.payload for one in ear.messages if one.retain}


async def online(publisher: Publisher) -> None:
    await until(lambda: publisher.stats().online)


async def until_retained(settings: BrokerSettings, topic: str, expected: int) -> dict[str, bytes]:
    return await until_told(lambda: retained(settings, topic), lambda found: len(found) == expected)


async def test_a_move_leaves_nothing_at_the_old_place(broker: Broker) -> None:
    settings, journal = settings_for(broker), FakeJournal()
    async with publishing(settings, journal, STATES) as publisher:
        await online(publisher)
        await until_retained(settings, f"{PRESS.topic}/#", 2)
    assert journal.places() == {PRESS.topic: "press-03", OVEN.topic: "oven-01"}
    async with publishing(settings, journal, STATES, places=AFTER) as publisher:
        await online(publisher)
        await until_retained(settings, f"{MOVED.topic}/#", 2)
        assert await retained(settings, f"{PRESS.topic}/#") == {}
        assert len(await retained(settings, f"{OVEN.topic}/#")) == 1
    assert journal.places() == {MOVED.topic: "press-03", OVEN.topic: "oven-01"}


async def test_equipment_in_commissioning_leaves_nothing(broker: Broker) -> None:
    settings, journal = settings_for(broker), FakeJournal()
    async with publishing(settings, journal, STATES) as publisher:
        await online(publisher)
        await until_retained(settings, f"{PRESS.topic}/#", 2)
    back = replace(PLACES, local=frozenset({"press-03"}))
    async with publishing(settings, journal, STATES, places=back) as publisher:
        await online(publisher)
        assert await retained(settings, f"{PRESS.topic}/#") == {}
    assert journal.places() == {OVEN.topic: "oven-01"}


async def test_what_another_gateway_says_there_stays(broker: Broker) -> None:
    settings = settings_for(broker)
    theirs = orjson.dumps({"source": "/suzhou/gateways/gw-02"})
    topics = [state_topic(PRESS, "status"), birth_topic(PRESS)]
    async with connect(settings, Session(client_id="gw-02")) as link:
        for topic in topics:
            await link.publish(topic, theirs, retain=True)
    assert await clear(settings, TOPICS, [PRESS.topic], wait_s=0.5) == {PRESS.topic}
    assert set(await retained(settings, f"{PRESS.topic}/#")) == set(topics)


async def test_garbage_there_is_not_ours(broker: Broker) -> None:
    settings = settings_for(broker)
    async with connect(settings, Session(client_id="x")) as link:
        await link.publish(state_topic(PRESS, "status"), b"[]", retain=True)
        await link.publish(state_topic(PRESS, "order"), b"\xff", retain=True)
    await clear(settings, TOPICS, [PRESS.topic], wait_s=0.5)
    assert len(await retained(settings, f"{PRESS.topic}/#")) == 2


async def test_all_kinds_and_the_birth_are_cleared(broker: Broker) -> None:
    settings = settings_for(broker)
    ours = orjson.dumps({"source": TOPICS.source})
    async with connect(settings, Session(client_id="x")) as link:
        for kind in KINDS:
            await link.publish(state_topic(PRESS, kind), ours, retain=True)
        await link.publish(birth_topic(PRESS), b"{}", retain=True)
    assert await clear(settings, TOPICS, [PRESS.topic], wait_s=5) == {PRESS.topic}
    assert await retained(settings, f"{PRESS.topic}/#") == {}


async def test_a_place_we_may_not_write_to_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    acl = f"topic read mg/v1/#\ntopic readwrite {OVEN.topic}/#\n"
    with mosquitto(acl=acl) as guarded:
        settings = settings_for(guarded)
        left = await clear(settings, TOPICS, [PRESS.topic, OVEN.topic], wait_s=0.1)
    assert left == {OVEN.topic}
    assert PRESS.topic in caplog.text


async def test_an_equipment_that_is_not_configured_keeps_its_place_until_it_is_retired() -> None:
    journal = FakeJournal()
    gone = replace(PLACES, equipment={"oven-01": OVEN})
    await journal.identify(IdentityChange(occupied={PRESS.topic: "press-03"}))
    assert vacant(journal.places(), gone) == set()
    await journal.identify(IdentityChange(retired="press-03"))
    assert vacant(journal.places(), gone) == {PRESS.topic}
    assert vacant(journal.places(), PLACES) == set()
