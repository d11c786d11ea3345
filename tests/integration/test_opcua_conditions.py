"""Alarms that a real server keeps, as values of a tag that lists what is active."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from asyncua import ua

from drivers.contract import Batch, Session, TagRequest, Value, conditions_of
from drivers.opcua import SPEC
from drivers.opcua.driver import OpcUaDriver
from tests.support.opcua_rig import URI, OpcUaServer

ALARMS = "m/alarms"


@pytest.fixture
async def server() -> AsyncIterator[OpcUaServer]:
    running = OpcUaServer({"run": True})
    await running.start()
    yield running
    await running.stop()
    await asyncio.get_running_loop().shutdown_default_executor()


@asynccontextmanager
async def connected(server: OpcUaServer, **settings: object) -> AsyncIterator[Session]:
    link = {
        "endpoint": server.endpoint,
        "publishing_interval_ms": 50,
        "keepalive_s": 0.4,
        "timeout_s": 1.0,
    }
    tags = {"m/run": {"node": f"nsu={URI};s=run"}, ALARMS: {"conditions": "server"}}
    requests = [TagRequest(k, "plc", None, SPEC.tag_settings(**tag)) for k, tag in tags.items()]
    async with OpcUaDriver(SPEC.link_settings(**link | settings), requests).open() as session:
        yield session


def active(value: Value) -> list[tuple[str, str, int]]:
    found = conditions_of(value)
    assert found is not None
    return [(one.code, one.text, one.severity) for one in found]


async def until(session: Session, wanted: Callable[[Batch], object]) -> list[Batch]:
    batches: list[Batch] = []
    async with asyncio.timeout(60):
        while not batches or not wanted(batches[-1]):
            batches.append(await session.read(()))
            batches[-1].committed()
    return batches


async def test_what_is_active_at_connect_is_in_the_first_batch(server: OpcUaServer) -> None:
    door, oil, over = [await server.alarm(name) for name in ("Door", "Oil", "Over")]
    await door.say("Door is open", active=True)
    await over.say("Was here", active=True)
    await over.say("Is over", active=False)
    await oil.say("Waits for an acknowledgement", active=False, retain=True)
    async with connected(server) as session:
        first = await session.read(())
        assert first.changed["m/run"] is True
        assert active(first.changed[ALARMS]) == [("Door", "Door is open", 800)]
        assert not first.uncertain


async def test_alarms_come_and_go_and_none_is_hidden_by_the_next(server: OpcUaServer) -> None:
    door, oil = await server.alarm("Door", 900), await server.alarm("Oil", 300)
    async with connected(server, publishing_interval_ms=200, keepalive_s=1) as session:
        first = await session.read(())
        assert active(first.changed[ALARMS]) == []
        await door.say("open", active=True)
        await oil.say("low", active=True)
        await door.say("closed", active=False)
        await door.say("open again", active=True)
        await oil.say("filled", active=False)
        batches = await until(
            session, lambda b: active(b.changed.get(ALARMS, "[]")) == [("Door", "open again", 900)]
        )
    lists = [active(b.changed[ALARMS]) for b in batches if ALARMS in b.changed]
    assert lists == [
        [("Door", "open", 900)],
        [("Door", "open", 900), ("Oil", "low", 300)],
        [("Oil", "low", 300)],
        [("Door", "open again", 900), ("Oil", "low", 300)],
        [("Door", "open again", 900)],
    ]


async def test_an_event_that_is_no_condition_changes_nothing(server: OpcUaServer) -> None:
    async with connected(server) as session:
        await session.read(())
        plain = await server.library.get_event_generator(ua.ObjectIds.SystemEventType)
        await plain.trigger(message="CPU not in RUN")
        door = await server.alarm("Door")
        await door.say("open", active=True)
        batches = await until(session, lambda b: ALARMS in b.changed)
    assert active(batches[-1].changed[ALARMS]) == [("Door", "open", 800)]


async def test_a_server_that_asks_for_it_is_asked_for_all_again(server: OpcUaServer) -> None:
    door, oil = await server.alarm("Door"), await server.alarm("Oil")
    async with connected(server) as session:
        await door.say("open", active=True)
        await until(session, lambda b: active(b.changed.get(ALARMS, "[]")))
        known = server.library.iserver.subscription_service._conditions  # noqa: SLF001
        known.clear()
        known[oil.event.NodeId] = oil.event
        oil.event.Retain, oil.event.Message = True, ua.LocalizedText("low")
        required = await server.library.get_event_generator(ua.ObjectIds.RefreshRequiredEventType)
        await required.trigger()
        batches = await until(session, lambda b: ALARMS in b.changed)
    assert [code for code, _, _ in active(batches[-1].changed[ALARMS])] == ["Oil"]


async def test_a_server_that_cannot_refresh_is_uncertain_about_what_was(
    server: OpcUaServer,
) -> None:
    await server.stop()
    server.refreshes = False
    await server.start()
    door = await server.alarm("Door")
    await door.say("open", active=True)
    async with connected(server) as session:
        first = await session.read(())
        assert active(first.changed[ALARMS]) == []
        assert first.uncertain == {ALARMS}
        await door.say("open still", active=True)
        batches = await until(session, lambda b: ALARMS in b.changed)
    assert active(batches[-1].changed[ALARMS]) == [("Door", "open still", 800)]


async def test_an_event_item_that_died_without_a_word_is_made_anew(server: OpcUaServer) -> None:
    door = await server.alarm("Door")
    async with connected(server, supervise_s=0.1) as session:
        first = await session.read(())
        assert active(first.changed[ALARMS]) == []
        [subscription] = server.subscriptions
        service = subscription.monitored_item_srv
        service.delete_monitored_items([min(server.items)])
        assert service._monitored_events == {}  # noqa: SLF001
        await door.say("open", active=True)
        batches = await until(session, lambda b: ALARMS in b.changed)
    assert active(batches[-1].changed[ALARMS]) == [("Door", "open", 800)]


async def test_a_node_that_tells_no_events_is_bad_and_the_others_live_on(
    server: OpcUaServer,
) -> None:
    link = SPEC.link_settings(endpoint=server.endpoint, publishing_interval_ms=50, keepalive_s=0.4)
    tags = {"m/run": {"node": f"nsu={URI};s=run"}, ALARMS: {"conditions": f"nsu={URI};s=run"}}
    requests = [TagRequest(k, "plc", None, SPEC.tag_settings(**tag)) for k, tag in tags.items()]
    async with OpcUaDriver(link, requests).open() as session:
        first = await session.read(())
        assert first.changed == {"m/run": True}
        assert first.bad == {ALARMS: "device_refused"}
