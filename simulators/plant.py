"""The plant: machines, their controllers and the clock they all live by.

One task moves the plant: it switches controllers off and on, and lets pushed values out.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulators.clock import PlantClock
from simulators.kinds import SERVERS
from simulators.machine import Machine, MachineSpec
from simulators.modbus_server import HOST, ModbusController
from simulators.scenario import SCENARIOS, Pace, PowerCut, Scenario
from simulators.served import Record
from simulators.truth import About, truth

TICK_S = 0.02
METER_UNIT = 2


class Controller(Protocol):
    """What the plant asks of a server."""

    port: int

    async def start(self) -> None:
        """Listen; on the port it had before, if it had one."""

    async def stop(self, why: str = "power_off") -> None:
        """Close the listening socket and every connection."""

    async def tick(self) -> None:
        """Do what is due."""

    async def close(self) -> None:
        """Release everything; there is no start after it."""


@dataclass(slots=True)
class Plant:
    """A running plant; made by `running`."""

    about: About
    clock: PlantClock
    records: Mapping[str, Record]
    controllers: Mapping[str, Controller]
    _cuts: Iterator[PowerCut]
    _next: PowerCut | None = None
    _dark: PowerCut | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    late_s: float = 0.0
    """The longest that the machine it runs on kept it waiting."""

    @property
    def links(self) -> dict[str, dict[str, Any]]:
        """Return how to reach each controller, by the name of its link."""
        line1, mould = self.controllers["line1"].port, self.controllers["mould"].port
        links = {
            "line1-plc": _modbus(line1, 1),
            "line1-meter": _modbus(line1, METER_UNIT),
            "mould-01": _modbus(mould, 1),
        }
        if "cnc" in self.controllers:
            port = self.controllers["cnc"].port
            links["cnc"] = {"protocol": "opcua", "endpoint": f"opc.tcp://{HOST}:{port}/"}
        return links

    async def live(self) -> None:
        """Move the plant until cancelled."""
        self._next = next(self._cuts, None)
        while True:
            await self.tick()
            due_s = self.clock.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self.late_s = max(self.late_s, self.clock.monotonic() - due_s)

    async def tick(self) -> None:
        """Do what is due now."""
        async with self._busy:
            await self._switch()
            for controller in self.controllers.values():
                await controller.tick()

    async def freeze(self) -> float:
        """Stop all machines for good; return the wall time. The servers go on."""
        async with self._busy:
            self.clock.freeze()
            for record in self.records.values():
                record.machine.advance(self.clock.virtual_s())
        await self.tick()
        return self.clock.wall()

    async def truth(self) -> dict[str, Any]:
        """Return the truth as of now."""
        async with self._busy:
            for record in self.records.values():
                record.machine.advance(self.clock.virtual_s())
            for controller in self.controllers.values():
                await controller.tick()
            return truth(self.about, self.records.values(), self.clock, self.late_s)

    async def _switch(self) -> None:
        now_s = self.clock.virtual_s()
        if self._dark is not None and now_s >= self._dark.on_s:
            await self._start(self._dark.server)
            self._dark = None
        if self._dark is None and self._next is not None and now_s >= self._next.off_s:
            self._dark, self._next = self._next, next(self._cuts, None)
            if self._dark.server in self.controllers:
                await self.controllers[self._dark.server].stop()

    async def _start(self, server: str) -> None:
        if server in self.controllers:
            await self.controllers[server].start()


def _modbus(port: int, unit: int) -> dict[str, Any]:
    return {"protocol": "modbus-tcp", "host": HOST, "port": port, "unit_id": unit}


@contextlib.asynccontextmanager
async def running(
    scenario: str,
    *,
    seed: int = 1,
    pace: Pace | None = None,
    ports: Mapping[str, int] | None = None,
    opcua: bool = True,
    secured: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Plant]:
    """Run a plant: real servers on loopback, on the given ports or on free ones.

    ``ports`` names servers ("line1", "mould", "cnc"). Without ``opcua`` the CNCs are left
    out; with ``secured`` their server also offers encrypted endpoints. A plant lives from
    the moment its servers listen.
    """
    pace = pace or Pace()
    chosen = SCENARIOS[scenario]
    clock = PlantClock(pace.speed, time.time(), monotonic)
    records = _records(chosen, seed, pace, opcua=opcua)
    controllers = _controllers(records, clock, ports or {}, opcua=opcua, secured=secured)
    plant = Plant(
        About(scenario, seed, pace.speed),
        clock,
        records,
        controllers,
        chosen.power_cuts(seed, pace),
    )
    async with contextlib.AsyncExitStack() as cleanup:
        for controller in controllers.values():
            await controller.start()
            cleanup.push_async_callback(controller.close)
        clock.restart(time.time())
        task = asyncio.create_task(plant.live(), name="plant")
        cleanup.push_async_callback(_end, task)
        yield plant


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _records(chosen: Scenario, seed: int, pace: Pace, *, opcua: bool) -> dict[str, Record]:
    def cuts(server: str) -> Iterator[PowerCut]:
        return (cut for cut in chosen.power_cuts(seed, pace) if cut.server == server)

    def record(spec: MachineSpec) -> Record:
        server = next(name for name, machines in SERVERS.items() if spec.name in machines)
        own_cuts = cuts(server) if server in chosen.power else iter(())
        script = chosen.script(spec, seed, pace, own_cuts)
        machine = Machine(spec, script, f"{seed}/{chosen.name}")
        return Record(machine, pace.hold_s, pace.interval_s, pushed=server == "cnc")

    return {spec.name: record(spec) for spec in chosen.specs() if opcua or spec.kind != "cnc"}


def _controllers(
    records: Mapping[str, Record],
    clock: PlantClock,
    ports: Mapping[str, int],
    *,
    opcua: bool,
    secured: bool,
) -> dict[str, Controller]:
    def of(server: str) -> Sequence[Record]:
        return [records[machine] for machine in SERVERS[server]]

    plc = [record for record in of("line1") if record.machine.spec.kind != "meter"]
    controllers: dict[str, Controller] = {
        "line1": ModbusController(
            "line1", {1: plc, METER_UNIT: [records["meter-01"]]}, clock, ports.get("line1", 0)
        ),
        "mould": ModbusController("mould", {1: of("mould")}, clock, ports.get("mould", 0)),
    }
    if opcua:
        from simulators.opcua_server import OpcUaController  # noqa: PLC0415 - asyncua is slow

        controllers["cnc"] = OpcUaController("cnc", of("cnc"), clock, ports.get("cnc", 0), secured)
    return controllers
