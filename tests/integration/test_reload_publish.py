"""What those who listen see of a configuration that changes: at a real broker."""

from pathlib import Path
from typing import Any

import orjson

from gateway.control import client
from gateway.ops.mqtt_terms import BrokerSettings
from tests.support.broker import Broker, broker
from tests.support.publishing import settings_for
from tests.support.reload_site import devices, equipment, machine, running
from tests.support.until import until, until_told
from tests.unit.publish.test_moves import retained, until_retained

__all__ = ["broker"]

LINE = "mg/v1/suzhou/stamping"
GATEWAY = "mg/v1/suzhou/_gateways/gw-01"


async def said(settings: BrokerSettings, topic: str) -> Any:
    found = await retained(settings, topic)
    return orjson.loads(found[topic]) if topic in found else None


async def until_said(settings: BrokerSettings, topic: str, key: str, value: object) -> None:
    await until_told(
        lambda: said(settings, topic),
        lambda message: message is not None and message.get("data", message).get(key) == value,
    )


async def test_births_and_states_follow_within_the_session(broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(broker)
    async with (
        devices("press-1", "press-2") as plant,
        running(tmp_path, plant, broker_port=broker.port) as at,
    ):
        port = plant["press-1"].port
        publisher = at.collector.publisher
        await until(lambda: publisher.stats().online, timeout_s=90)
        await until_said(settings, f"{LINE}/line-1/press-1/state/status", "state", "running")
        await until_said(settings, f"{GATEWAY}/online", "online", value=True)
        online = await said(settings, f"{GATEWAY}/online")
        # It moves to another line: the topics follow, and nothing stays behind.
        moved = machine("press-1", port, ("line: line-1", "line: line-2"))
        assert (await at.apply({equipment("press-1"): moved})).accepted
        await until_said(settings, f"{LINE}/line-2/press-1/state/status", "state", "running")
        await until_retained(settings, f"{LINE}/line-1/press-1/#", 0)
        # It gets a name: the dictionary says so.
        named = machine("press-1", port, ("line: line-1", "line: line-2\nname: {en: Big one}"))
        assert (await at.apply({equipment("press-1"): named})).accepted
        name = {"zh": "Big one", "en": "Big one"}
        await until_said(settings, f"{LINE}/line-2/press-1/birth", "name", name)
        # One goes: its last word is offline, and stands until it is retired.
        assert (await at.apply({equipment("press-2"): None})).accepted
        await until_said(settings, f"{LINE}/line-1/press-2/state/status", "state", "offline")
        birth = await said(settings, f"{GATEWAY}/birth")
        assert [one["equipment"] for one in birth["equipment"]] == ["press-1"]
        await at.collector.configuration.forget("press-9")  # never there: nothing happens
        assert (await client.retire(tmp_path / "data/control.sock", "press-2")).accepted
        await until_retained(settings, f"{LINE}/line-1/press-2/#", 0)
        # All of that was one session.
        assert await said(settings, f"{GATEWAY}/online") == online
        assert publisher.stats().reconnects == 0
