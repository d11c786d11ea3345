"""The plant on its real servers, read by plain clients: what they saw is what it knows."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusTcpClient

from simulators.link import Link
from simulators.nodes import NAMESPACE
from simulators.plant import Plant, running
from simulators.scenario import SCENARIOS, Pace
from tests.support.plant import long_enough, plant_process
from tests.support.until import until

PACE = Pace(interval_s=0.04, hold_s=0.1)
WATCH_S = 1.2
PRESS_BITS = {0: "stopped", 1: "running", 2: "idle", 4: "setup", 8: "maintenance"}
BIT_STATES = ("running", "idle", "fault", "setup")
MODES = ("stopped", "running", "idle", "setup", "fault", "maintenance")


@dataclass
class Notes:
    """What a client read of one machine, in order."""

    states: list[str] = field(default_factory=list)
    raws: list[int] = field(default_factory=list)

    def add(self, state: str, raw: int) -> None:
        if self.states[-1:] != [state]:
            self.states.append(state)
        self.raws.append(raw)

    def parts(self, modulus: int) -> int:
        pairs = zip(self.raws, self.raws[1:], strict=False)
        # A fall far from the modulus is a reset: what is shown was made since.
        return sum(
            two if two < one < modulus - 10_000 else (two - one) % modulus for one, two in pairs
        )


@asynccontextmanager
async def client_of(plant: Plant, link: str) -> AsyncIterator[AsyncModbusTcpClient]:
    port = plant.links[link]["port"]
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=30, retries=0, reconnect_delay=0)
    try:
        assert await client.connect()
        yield client
    finally:
        client.close()


def state_of(bits: Sequence[bool]) -> str:
    on = [state for state, bit in zip(BIT_STATES, bits, strict=False) if bit]
    return on[0] if on else "stopped"


async def read_line1(client: AsyncModbusTcpClient, notes: dict[str, Notes]) -> None:
    press = (await client.read_holding_registers(0, count=6, device_id=1)).registers
    state = "fault" if press[1] & 0x0FFF else PRESS_BITS[press[0]]
    notes["press-01"].add(state, press[3] << 16 | press[2])
    bits = (await client.read_discrete_inputs(0, count=4, device_id=1)).bits
    parts = (await client.read_input_registers(0, count=7, device_id=1)).registers
    notes["press-02"].add(state_of(bits), parts[1] << 16 | parts[2])
    coils = (await client.read_coils(0, count=4, device_id=1)).bits
    packages = (await client.read_holding_registers(100, count=3, device_id=1)).registers
    notes["conveyor-01"].add(state_of(coils), packages[0])
    meter = (await client.read_input_registers(0, count=8, device_id=2)).registers
    (power,) = struct.unpack(">f", struct.pack(">HH", *meter[6:8]))
    load = "running" if power > 5 else "idle" if power > 0.5 else "stopped"
    notes["meter-01"].add(load, meter[0] << 16 | meter[1])


COUNTERS = {
    "press-01": ("good", 2**32),
    "press-02": ("good", 2**32),
    "conveyor-01": ("packages", 2**16),
    "meter-01": ("energy", 2**32),
}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
async def test_what_a_modbus_client_saw_is_what_the_plant_knows(scenario: str) -> None:
    notes = {name: Notes() for name in COUNTERS}
    loop = asyncio.get_running_loop()
    async with running(scenario, seed=5, pace=PACE, opcua=False, monotonic=loop.time) as plant:
        async with client_of(plant, "line1-plc") as client:
            ends_s = loop.time() + WATCH_S
            while loop.time() < ends_s:
                await read_line1(client, notes)
                await asyncio.sleep(PACE.interval_s)
        truth = await plant.truth()
    for name, seen in notes.items():
        observable = truth["machines"][name]["observable"]
        counter, modulus = COUNTERS[name]
        known = observable["counters"][counter]
        assert (known["baseline_raw"], known["last_raw"]) == (seen.raws[0], seen.raws[-1])
        factor = truth["machines"][name]["counters"][counter]["factor"]
        assert known["total"] == seen.parts(modulus) * factor
        certain = [one["state"] for one in long_enough(observable["states"], PACE.hold_s)]
        assert is_subsequence(certain, seen.states)


def is_subsequence(few: list[str], many: list[str]) -> bool:
    left: Iterator[str] = iter(many)
    return all(state in left for state in few)


async def test_power_off_closes_everything_and_comes_back_on_the_same_port() -> None:
    async with running("power-off", seed=2, pace=PACE, opcua=False) as plant:
        mould = plant.controllers["mould"]
        async with client_of(plant, "mould-01") as client:
            words = (await client.read_holding_registers(0, count=11, device_id=1)).registers
            assert MODES[words[0]] in {"running", "stopped", "idle"}
            await until(lambda: not client.connected)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", mould.port)
        back = asyncio.create_task(reachable(mould.port))
        await until(back.done)
        async with client_of(plant, "mould-01") as client:
            await client.read_holding_registers(0, count=11, device_id=1)
        await until(lambda: plant.records["mould-01"].state.is_cut)
        truth = await plant.truth()
    machine = truth["machines"]["mould-01"]
    assert [blind["why"] for blind in machine["observable"]["blind"]] == [
        "not_started",
        "power_off",
        "ended",
    ]
    assert machine["actual"]["power_off"][0]["until"] is not None


async def reachable(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def test_writing_and_unknown_addresses_are_refused() -> None:
    async with (
        running("run", pace=PACE, opcua=False) as plant,
        client_of(plant, "line1-plc") as client,
    ):
        assert (await client.write_register(0, 1, device_id=1)).isError()
        assert (await client.read_holding_registers(198, count=3, device_id=1)).isError()
        answer = await client.read_holding_registers(190, count=10, device_id=1)
        assert answer.registers == [0] * 10


class Changes:
    """Collects what a subscription is told."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}

    def datachange_notification(self, node: Any, value: Any, _data: Any) -> None:
        self.values.setdefault(node.nodeid.Identifier, []).append(value)


async def subscribe(client: Client, changes: Changes) -> None:
    index = await client.get_namespace_index(NAMESPACE)
    names = ("Execution", "AlarmCode", "PartsGood", "PartsReject")
    nodes = [client.get_node(f"ns={index};s=CNC01.{name}") for name in names]
    subscription = await client.create_subscription(50, changes)
    await subscription.subscribe_data_change(nodes, queuesize=100)


async def test_what_an_opcua_client_was_told_is_what_the_plant_knows() -> None:
    changes = Changes()
    async with running("demo", seed=4, pace=Pace(0.05, 0.1, speed=8)) as plant:
        async with Client(plant.links["cnc"]["endpoint"]) as client:
            await subscribe(client, changes)
            told = changes.values
            await until(lambda: len(told.get("CNC01.Execution", ())) >= 4)
            await plant.freeze()
            known = (await plant.truth())["machines"]["cnc-01"]["observable"]
            last_raw = known["counters"]["good"]["last_raw"]
            await until(lambda: told["CNC01.PartsGood"][-1] == last_raw)
        await until(lambda: plant.records["cnc-01"].state.is_cut)
    assert told["CNC01.PartsGood"][0] == known["counters"]["good"]["baseline_raw"]
    seen = plant.records["cnc-01"].state.runs
    numbers = {"stopped": 2, "idle": 4, "running": 6, "fault": 9, "setup": 10, "maintenance": 11}
    assert [numbers[run.state] for run in seen] == told["CNC01.Execution"]


@pytest.mark.parametrize(("secured", "endpoints"), [(False, 1), (True, 7)])
async def test_the_opcua_server_is_encrypted_for_those_who_ask(
    secured: bool, endpoints: int
) -> None:
    async with running("run", pace=PACE, secured=secured) as plant:
        client = Client(plant.links["cnc"]["endpoint"])
        offered = await client.connect_and_get_server_endpoints()
    assert len(offered) == endpoints
    assert all(bool(endpoint.ServerCertificate) == secured for endpoint in offered)


async def test_the_opcua_server_loses_its_power_and_comes_back() -> None:
    async with running("run", pace=PACE) as plant:
        server = plant.controllers["cnc"]
        async with asyncio.timeout(60), Client(plant.links["cnc"]["endpoint"]) as client:
            changes = Changes()
            await subscribe(client, changes)
            await until(lambda: "CNC01.Execution" in changes.values)
            await server.stop()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", server.port)
            await server.start()
        async with Client(plant.links["cnc"]["endpoint"]) as client:
            changes = Changes()
            await subscribe(client, changes)
            await until(lambda: "CNC01.Execution" in changes.values)
        blind = plant.records["cnc-01"].state.blind
    assert [window.why for window in blind] == ["power_off"]


async def test_nobody_is_served_by_a_session_whose_client_died() -> None:
    async with running("run", pace=PACE) as plant:
        record = plant.records["cnc-01"]
        async with (
            Link("127.0.0.1", plant.controllers["cnc"].port) as link,
            asyncio.timeout(60),
            Client(f"opc.tcp://127.0.0.1:{link.listening}/") as client,
        ):
            await subscribe(client, Changes())
            await until(lambda: record.counters["good"].baseline_raw is not None)
            await link.cut()
            await until(lambda: record.state.is_cut)
            last_raw = record.counters["good"].last_raw
            made = record.machine.actual.produced["good"]
            await until(lambda: record.machine.actual.produced["good"] > made)
            assert record.counters["good"].last_raw == last_raw


async def test_ports_may_be_given() -> None:
    async with running("run", pace=PACE, opcua=False) as plant:
        ports = {name: server.port for name, server in plant.controllers.items()}
        links = plant.links
    async with running("run", pace=PACE, ports=ports, opcua=False) as plant:
        assert plant.links == links


async def test_a_plant_as_a_process_freezes_and_writes_its_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    async with plant_process("kill", path, "--speed", "5", seed=9) as plant:
        assert set(plant.links) == {"line1-plc", "line1-meter", "mould-01", "cnc"}
        await plant.freeze()
        one = await plant.truth()
        other = await plant.truth()
        assert "error" in await plant.ask("nonsense")
    assert one["scenario"], one["seed"] == ("kill", 9)
    for name, machine in one["machines"].items():
        assert other["machines"][name]["actual"] == machine["actual"]
    last = json.loads(path.read_text(encoding="utf-8"))
    assert last["ended_at"] > other["ended_at"]
