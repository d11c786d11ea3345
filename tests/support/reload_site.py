"""A running collector over real Modbus devices, whose configuration changes under it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from gateway.app.collector import Collector, collector
from gateway.app.reconfigure import Reconfiguration
from gateway.control.configuring import Reload
from gateway.journal.row import Row
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.settings.diff import COLLECTOR_KEYS
from gateway.settings.load import load
from gateway.settings.outcome import Outcome
from gateway.settings.revision import Draft
from gateway.settings.revisions import Revisions, revisions_of
from tests.support.config_site import write_site
from tests.support.modbus_device import COIL, HR, Device, device
from tests.support.until import until

GATEWAY = """\
site: suzhou
gateway: gw-01
timezone: Asia/Shanghai
mqtt: {{port: {broker}}}
historian: {{enabled: false}}
web: {{enabled: false}}
"""
MACHINE = """\
equipment: {name}
area: stamping
line: line-1
min_hold_ms: 0
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port},
         poll_interval_ms: 50, timeout_ms: 300}}
tags:
  run: {{address: "coil:0"}}
  parts: {{address: "hr:0"}}
status:
  - {{state: running, when: run}}
counters:
  good: {{tag: parts, kind: good, modulus: 65536, max_rate_per_s: 1000}}
"""
WITHIN_S = 20.0
FIRST_READ_S = 1.5
NOBODY = 9


def machine(name: str, port: int, *changes: tuple[str, str]) -> str:
    text = MACHINE.format(name=name, port=port)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def equipment(name: str) -> str:
    return f"equipment/{name}.yaml"


@dataclass
class Running:
    directory: Path
    collector: Collector
    devices: Mapping[str, Device]

    @property
    def kept(self) -> Revisions:
        return revisions_of(self.directory)

    @property
    def revision(self) -> int:
        head = self.kept.current()
        assert head is not None
        return head.number

    async def apply(self, files: Mapping[str, str | None], **more: Any) -> Outcome:
        changes = {n: None if text is None else text.encode() for n, text in files.items()}
        draft = replace(Draft(self.revision, changes, "li", "test"), **more)
        return await self.collector.configuration.change(draft)

    async def reload(self) -> Outcome:
        return await self.collector.configuration.change(Reload("li"))

    async def rows(self, kind: str, name: str) -> list[Row]:
        """Return what is committed when everything is that was handed in so far."""
        await self.collector.journal.append([])
        rows = await self.collector.journal.rows(0, 100_000)
        return [row for row in rows if (row.type, row.equipment) == (kind, name)]

    async def events(self, kind: str, name: str) -> list[dict[str, Any]]:
        return [orjson.loads(row.data) for row in await self.rows(kind, name)]

    async def all_running(self) -> None:
        """Wait until every equipment that is configured shows that it runs."""
        await until(lambda: all(map(self.is_running, self.collector.site.equipment)), timeout_s=90)

    def is_running(self, name: str) -> bool:
        held = self.collector.deriver.state(name).durable.status
        return held is not None and held.state == "running"

    def total(self, name: str) -> int:
        return self.collector.deriver.state(name).durable.counters["good"].total

    def raw(self, name: str) -> int:
        return self.collector.deriver.state(name).durable.counters["good"].raw


@asynccontextmanager
async def devices(*names: str) -> AsyncIterator[dict[str, Device]]:
    async with AsyncExitStack() as stack:
        found = {name: await stack.enter_async_context(device()) for name in names}
        for one in found.values():
            one.put(COIL, 0, 1)
            one.put(HR, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        yield found


@asynccontextmanager
async def running(
    directory: Path, plant: Mapping[str, Device], *, broker_port: int = NOBODY
) -> AsyncIterator[Running]:
    """Run the collector over these devices; each is one equipment of its name."""
    if not (directory / "gateway.yaml").exists():
        files: dict[str, str | bytes] = {"gateway.yaml": GATEWAY.format(broker=broker_port)}
        files |= {equipment(name): machine(name, one.port) for name, one in plant.items()}
        write_site(directory, files)
    async with collector(load(directory)) as one, asyncio.TaskGroup() as tasks:
        one.configuration = Reconfiguration(
            one.live,
            revisions_of(directory),
            fixed=COLLECTOR_KEYS,
            now=SYSTEM_CLOCK.now,
            first_read_s=FIRST_READ_S,
        )
        one.start(tasks)
        at = Running(directory, one, plant)
        try:
            await at.all_running()
            yield at
        finally:
            await one.stop()
