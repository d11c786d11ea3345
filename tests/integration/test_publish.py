"""The publisher against a real broker."""

import asyncio
import logging
import sys

import pytest

from gateway.domain.vocabulary import Json, State
from gateway.publish.presence import online_payload
from gateway.publish.pump import CURSOR
from gateway.publish.timing import Timing
from gateway.wire import cloudevent
from gateway.wire.topics import birth_topic, event_topic, state_topic
from tests.support.broker import Broker, broker, mosquitto
from tests.support.clock import MORNING
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.publishing import (
    EVENTS,
    OVEN,
    PRESS,
    TOPICS,
    Gate,
    Rest,
    count,
    first_of_each,
    listening,
    publishing,
    settings_for,
    status,
)
from tests.support.until import until

__all__ = ["broker"]

STATUS: Json = {"state": "running"}


async def test_events_arrive_in_the_order_of_the_journal(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    journal.commit("press-03", *(count(n) for n in range(200)))
    async with listening(settings, EVENTS) as ear, publishing(settings, journal) as publisher:
        await until(lambda: publisher.stats().online)
        journal.commit("press-03", *(count(n) for n in range(200, 300)))
        assert await publisher.drain(5)
        await until(lambda: len(ear.messages) == 300)
    assert ear.totals() == list(range(300))
    assert [event["replay"] for event in ear.events()] == [True] * 200 + [False] * 100
    assert {one.content_type for one in ear.messages} == {cloudevent.CONTENT_TYPE}
    envelope = cloudevent.decode(ear.messages[7].payload)
    assert (envelope.id, envelope.seq, envelope.streamseq) == (f"{EPOCH}-8", 8, 8)
    assert publisher.stats().published == 300


async def test_the_cursor_waits_for_the_puback(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    async with publishing(settings, journal) as publisher:
        await until(lambda: publisher.stats().online)
        await until(lambda: publisher.stats().held is None)
        journal.commit("press-03", count(1))
        assert await publisher.drain(5)
        broker.suspend()
        journal.commit("press-03", *(count(n) for n in range(2, 10)))
        assert not await publisher.drain(0.3)
        assert journal.cursor(CURSOR) == 1
        broker.resume()
        assert await publisher.drain(5)
        assert journal.cursor(CURSOR) == 9


DENIED = "topic deny mg/v1/suzhou/stamping/line-2/press-03/evt/status\ntopic readwrite #\n"


async def test_a_denied_message_is_held_and_arrives_when_it_may() -> None:
    journal = FakeJournal()
    denied_topic = event_topic(PRESS, "status")
    with mosquitto(acl=DENIED) as guarded:
        settings = settings_for(guarded)
        async with listening(settings, EVENTS) as ear, publishing(settings, journal) as publisher:
            journal.commit("press-03", count(1), status(), count(2))
            await until(lambda: publisher.stats().held is not None)
            held = publisher.stats().held
            assert held is not None
            assert (held.seq, held.topic, held.reason_code) == (2, denied_topic, 0x87)
            assert journal.cursor(CURSOR) == 1
            await asyncio.to_thread(guarded.set_acl, "topic readwrite #\n")
            assert await publisher.drain(5)
            await until(lambda: publisher.stats().held is None)
            await until(lambda: len(ear.on(denied_topic)) == 1)
    assert first_of_each(ear.totals()) == [1, 2]


async def test_a_session_begins_with_who_we_are_and_how_everything_stands(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    rest = Rest(states={"press-03": {"status": STATUS}})
    journal.commit("press-03", count(1))
    async with listening(settings) as ear, publishing(settings, journal, rest) as publisher:
        await until(lambda: ear.on(TOPICS.health))
        assert await publisher.drain(5)
        await until(ear.totals)
    assert [one.topic for one in ear.messages[:4]] == [
        birth_topic(PRESS),
        TOPICS.birth,
        state_topic(PRESS, "status"),
        TOPICS.online,
    ]
    (health,) = ear.on(TOPICS.health)
    assert health["last_seq"] == {"count": 1}
    assert (health["drops"], health["protocol"], health["selftest"]) == (0, "5", None)


async def test_a_session_is_newer_than_the_last_one_under_a_clock_that_was_set_back(
    broker: Broker,
) -> None:
    settings, later = settings_for(broker), 9_999_999_999
    async with listening(settings, TOPICS.online) as ear:
        before = online_payload(online=False, session=later, epoch=EPOCH, at=MORNING)
        await ear.link.publish(TOPICS.online, before, retain=True)
        async with publishing(settings, FakeJournal()) as publisher:
            await until(lambda: publisher.stats().online)
            await until(lambda: len(ear.on(TOPICS.online)) == 2)
    assert ear.on(TOPICS.online)[1] == ear.on(TOPICS.online)[1] | {
        "online": True,
        "session": later + 1,
    }


async def test_an_outage_is_logged_when_it_begins_and_when_it_ends(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tries = 0

    def uniform(_low: float, _high: float) -> float:
        nonlocal tries
        tries += 1
        return 0.02

    timing = Timing(uniform=uniform)
    async with publishing(settings_for(broker), FakeJournal(), timing=timing) as publisher:
        await until(lambda: publisher.stats().online)
        await asyncio.to_thread(broker.kill)
        await until(lambda: tries > 4)
        await asyncio.to_thread(broker.start)
        await until(lambda: publisher.stats().online)
    messages = [record.message.split(":")[0] for record in caplog.records]
    assert messages == ["broker offline", "broker online again"]
    assert publisher.stats().reconnects == 1


async def test_after_a_power_cut_of_the_broker_the_rest_comes_in_order(broker: Broker) -> None:
    journal, settings, gate = FakeJournal(), settings_for(broker), Gate()
    async with publishing(settings, journal, timing=gate.timing, window=20) as publisher:
        await until(lambda: publisher.stats().online)
        async with listening(settings, EVENTS) as ear:
            journal.commit("press-03", *(count(n) for n in range(1000)))
            await until(lambda: len(ear.messages) > 50)
            await asyncio.to_thread(broker.kill)
            await until(lambda: not publisher.stats().online)
            heard = ear.totals()
        confirmed = journal.cursor(CURSOR)
        journal.commit("press-03", *(count(n) for n in range(1000, 1020)))
        await asyncio.to_thread(broker.start)
        async with listening(settings, EVENTS) as ear:
            gate.open.set()
            assert await publisher.drain(10)
            await until(lambda: ear.totals()[-1:] == [1019])
            heard_again = ear.totals()
    assert heard == list(range(len(heard)))
    assert heard_again == list(range(confirmed, 1020))
    assert {event["replay"] for event in ear.events()} == {True}
    assert publisher.stats().reconnects == 1


async def test_a_broker_that_does_not_confirm_is_left_and_gets_it_again(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker, ack_timeout_s=0.5)
    async with (
        listening(settings_for(broker), EVENTS) as ear,
        publishing(settings, journal) as publisher,
    ):
        await until(lambda: publisher.stats().online)
        broker.suspend()
        journal.commit("press-03", *(count(n) for n in range(5)))
        await until(lambda: not publisher.stats().online)
        assert journal.cursor(CURSOR) == 0
        broker.resume()
        assert await publisher.drain(10)
        await until(lambda: ear.totals()[-1:] == [4])
    # What lay in the old connection, and then everything from the first unconfirmed row on.
    assert ear.totals() == [*range(len(ear.totals()) - 5), *range(5)]


async def test_a_late_subscriber_gets_the_state_of_all(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    rest = Rest(states={"press-03": {"status": STATUS}, "oven-01": {"status": STATUS}})
    journal.commit("press-03", status())
    async with publishing(settings, journal, rest) as publisher:
        await until(lambda: publisher.stats().online)
        assert await publisher.drain(5)
        async with listening(settings, "mg/v1/#") as ear:
            await until(lambda: ear.on(TOPICS.health))
            await until(lambda: ear.on(state_topic(OVEN, "status")))
    assert all(one.retain for one in ear.messages if "/evt/" not in one.topic)
    snapshot = ear.on(state_topic(PRESS, "status"))[0]
    assert snapshot["id"] == f"{EPOCH}-1.state"
    assert snapshot["data"]["state"] == "running"
    assert snapshot["data"]["valid_until"] > snapshot["time"]
    assert ear.on(birth_topic(PRESS))[0]["name"]["zh"] == "3号冲床"
    assert ear.on(TOPICS.birth)[0]["epoch"] == EPOCH
    assert ear.on(TOPICS.online)[0]["online"] is True


async def test_states_go_out_beside_a_draining_backlog(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    rest = Rest(states={"press-03": {"status": STATUS}})
    journal.commit("press-03", *(count(n) for n in range(400)))
    async with (
        listening(settings) as ear,
        publishing(settings, journal, rest, max_rate_per_s=200.0) as publisher,
    ):
        await until(lambda: publisher.stats().published > 5)
        rest.states["press-03"] = {"status": {"state": "fault"}}
        journal.commit("press-03", status(State.FAULT))
        topic = state_topic(PRESS, "status")
        await until(lambda: [one["data"]["state"] for one in ear.on(topic)] == ["running", "fault"])
        assert publisher.stats().published < 400


async def test_the_will_speaks_when_the_gateway_cannot(broker: Broker) -> None:
    child = [sys.executable, "-m", "tests.support.lone_publisher", str(broker.port)]
    async with listening(settings_for(broker), TOPICS.online) as ear:
        process = await asyncio.create_subprocess_exec(*child)
        await until(lambda: ear.on(TOPICS.online), timeout_s=90)
        process.kill()
        await process.wait()
        await until(lambda: len(ear.on(TOPICS.online)) == 2)
    online, will = ear.on(TOPICS.online)
    assert (online["online"], will["online"]) == (True, False)
    assert online | {"online": False} == will


async def test_a_clean_stop_says_offline_itself(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker)
    async with listening(settings) as ear:
        async with publishing(settings, journal) as publisher:
            await until(lambda: publisher.stats().online)
            await until(lambda: ear.on(TOPICS.online))
        await until(lambda: len(ear.on(TOPICS.online)) == 2)
        assert ear.messages[-1].topic == TOPICS.online
    first, last = ear.on(TOPICS.online)
    assert (first["online"], last["online"]) == (True, False)
    assert first["session"] == last["session"]


async def test_a_stop_the_broker_does_not_hear_is_left_to_the_will(broker: Broker) -> None:
    settings = settings_for(broker)
    async with listening(settings, TOPICS.online) as ear:
        async with publishing(settings, FakeJournal(), farewell_s=0.1):
            await until(lambda: ear.on(TOPICS.online))
            broker.suspend()
        broker.resume()
        # What lay unread in the connection, and then the will.
        await until(lambda: len(ear.on(TOPICS.online)) == 3)
    assert [one["online"] for one in ear.on(TOPICS.online)] == [True, False, False]
