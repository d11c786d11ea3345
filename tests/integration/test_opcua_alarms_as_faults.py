"""From an alarm of a real server to fault events, with four lines of configuration."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Session
from gateway.domain.equipment import step
from gateway.domain.events import Event, Fault
from gateway.domain.facts import Observation, Started
from gateway.domain.state import EquipmentState
from gateway.settings.load import load
from tests.support.config_site import GATEWAY, write_site
from tests.support.opcua_rig import OpcUaServer

EQUIPMENT = """
equipment: press-07
links:
  plc: {{protocol: opcua, endpoint: "{endpoint}", publishing_interval_ms: 50, keepalive_s: 1}}
link: plc
tags:
  run: {{node: "nsu=urn:millgate:test;s=run"}}
  alarms: {{conditions: server}}
faults:
  - {{tag: alarms, conditions: true, stops_from: 700}}
status:
  - {{state: fault, when: stopping_fault}}
  - {{state: running, when: run}}
"""


@pytest.fixture
async def server() -> AsyncIterator[OpcUaServer]:
    running = OpcUaServer({"run": True})
    await running.start()
    yield running
    await running.stop()
    await asyncio.get_running_loop().shutdown_default_executor()


class Machine:
    """One equipment of a loaded site, fed by a session."""

    def __init__(self, rules: Any) -> None:
        self.rules = rules
        self.state = EquipmentState.new("press-07")
        self.events: list[Event] = []
        self._take(Started(datetime.now(UTC), 0.0, "boot", None))

    def _take(self, fact: Any) -> None:
        self.state, events = step(self.state, fact, self.rules)
        self.events += events

    async def until(self, session: Session, faults: int) -> list[tuple[str, str]]:
        """Read until there were so many fault events; return what they say."""
        async with asyncio.timeout(60):
            while len(self.told()) < faults:
                batch = await session.read(())
                changed = {key.partition("/")[2]: v for key, v in batch.changed.items()}
                covers = frozenset(key.partition("/")[2] for key in batch.covers)
                seen = Observation("press-07.plc", batch.read_at, batch.mono_s, covers, changed)
                self._take(seen)
                batch.committed()
        return self.told()

    def told(self) -> list[tuple[str, str]]:
        return [(e.fault.code, e.transition) for e in self.events if isinstance(e, Fault)]


async def test_alarms_become_faults_without_mapping_each(
    server: OpcUaServer, tmp_path: Path
) -> None:
    text = EQUIPMENT.format(endpoint=server.endpoint)
    site = load(write_site(tmp_path, {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": text}))
    machine = Machine(site.equipment["press-07"].rules)
    driver = site.links["press-07.plc"].driver({})
    door, oil = await server.alarm("Door", 800), await server.alarm("Oil", 300)
    await door.say("门已打开", active=True)
    async with driver.open() as session:
        assert await machine.until(session, 1) == [("Door", "raised")]
        await oil.say("Oil level low", active=True)
        await machine.until(session, 2)
        await door.say("门已打开", active=False)
        told = await machine.until(session, 3)
    assert told == [("Door", "raised"), ("Oil", "raised"), ("Door", "cleared")]
    first = next(event for event in machine.events if isinstance(event, Fault))
    assert first.fault.text == {"zh": "门已打开"}
    assert (first.fault.severity, first.fault.stops_machine) == (800, True)
    async with driver.open() as session:  # over a new session nothing is raised again
        await oil.say("filled", active=False)
        told = await machine.until(session, 4)
    assert told[3:] == [("Oil", "cleared")]
