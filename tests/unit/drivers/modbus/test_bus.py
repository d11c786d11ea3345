"""The promises of `drivers.modbus.bus`."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from drivers.clock import Clock
from drivers.contract import Unreachable
from drivers.modbus.bus import Bus, bus_of
from drivers.modbus.client import TcpWire
from drivers.modbus.errors import NoAnswer
from drivers.modbus.fast import FastWire
from drivers.modbus.frames import Mbap
from drivers.modbus.pipeline import Depth
from drivers.modbus.settings import TcpSettings
from drivers.modbus.wire import Request
from tests.support.modbus_device import HR, Device, device
from tests.support.until import until


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, *range(10))
        yield running


def bus_to(plc: Device) -> Bus:
    return Bus(TcpWire("127.0.0.1", plc.port, mono_s=time.monotonic))


def request(unit: int, *, timeout_s: float = 0.1) -> Request:
    return Request(unit=unit, table="hr", start=0, count=1, timeout_s=timeout_s)


def test_one_bus_for_each_socket() -> None:
    shared: dict[str, Any] = {}
    clock = Clock()
    first = bus_of(shared, TcpSettings(host="10.0.0.1"), clock=clock)
    assert bus_of(shared, TcpSettings(host="10.0.0.1", unit_id=9), clock=clock) is first
    assert bus_of(shared, TcpSettings(host="10.0.0.1", port=503), clock=clock) is not first
    assert bus_of(shared, TcpSettings(host="10.0.0.2"), clock=clock) is not first
    assert bus_of({}, TcpSettings(host="10.0.0.1"), clock=clock) is not first


async def test_the_first_to_enter_opens_and_the_last_to_leave_closes(plc: Device) -> None:
    bus = bus_to(plc)
    async with bus.entered(1.0):
        async with bus.entered(1.0):
            await until(lambda: plc.connections == 1)
            await bus.ask(request(1))
        await bus.ask(request(1))
        assert (plc.connections, plc.accepted) == (1, 1)
    await until(lambda: plc.connections == 0)


async def test_ten_at_once_still_open_one_socket(plc: Device) -> None:
    bus = bus_to(plc)

    async def stay(unit: int) -> None:
        async with bus.entered(1.0):
            for _ in range(5):
                await bus.ask(request(unit))

    await asyncio.gather(*(stay(unit) for unit in range(10)))
    assert plc.accepted == 1
    assert len(plc.asked) == 50


async def test_turns_go_round(plc: Device) -> None:
    bus = bus_to(plc)

    async def stay(unit: int) -> None:
        for _ in range(4):
            await bus.ask(request(unit))

    async with bus.entered(1.0):
        await asyncio.gather(stay(1), stay(2), stay(3))
    assert [asked.unit for asked in plc.asked] == [1, 2, 3] * 4


async def test_a_silent_unit_costs_the_others_one_timeout_and_no_answer(plc: Device) -> None:
    plc.lie = lambda asked, honest: None if asked.unit == 2 else honest
    bus = bus_to(plc)
    async with bus.entered(1.0):
        silent, alive = await asyncio.gather(
            bus.ask(request(2)), bus.ask(request(1)), return_exceptions=True
        )
        assert isinstance(silent, NoAnswer)
        assert not isinstance(alive, BaseException)
        assert alive.answer == b"\x00\x00"
        assert plc.accepted == 2
    await until(lambda: plc.connections == 0)


async def test_a_socket_an_idle_device_closed_is_opened_again(plc: Device) -> None:
    bus = bus_to(plc)
    async with bus.entered(1.0):
        await bus.ask(request(1))
        plc.cut()
        await until(lambda: plc.connections == 0)
        await asyncio.sleep(0)
        assert (await bus.ask(request(1))).answer == b"\x00\x00"


async def test_who_cannot_enter_leaves_nothing_behind(plc: Device) -> None:
    await plc.stop()
    bus = bus_to(plc)
    for _ in range(3):
        with pytest.raises(Unreachable):
            await bus.entered(1.0).__aenter__()
    await plc.start()
    async with bus.entered(1.0):
        await bus.ask(request(1))
    await until(lambda: plc.connections == 0)


async def test_cancelling_one_who_waits_for_a_turn_disturbs_nobody(plc: Device) -> None:
    bus = bus_to(plc)
    async with bus.entered(1.0):
        plc.lie = lambda _asked, _honest: None
        first = asyncio.create_task(bus.ask(request(1, timeout_s=30)))
        await until(lambda: plc.asked)
        waiting = asyncio.create_task(bus.ask(request(2)))
        await asyncio.sleep(0)
        waiting.cancel()
        plc.say(plc.asked[0].words(5))
        assert (await first).answer == b"\x00\x05"
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert plc.accepted == 1


async def scans(bus: Bus, unit: int, count: int) -> None:
    for _ in range(count):
        await bus.ask_all([request(unit), request(unit)])


async def test_who_is_alone_asks_a_scan_in_one_turn(plc: Device) -> None:
    bus = Bus(FastWire("127.0.0.1", plc.port, Mbap(), Depth(2), mono_s=time.monotonic))
    async with bus.entered(1.0):
        found = await bus.ask_all([request(1), request(1)])
        assert found.answers == [b"\x00\x00"] * 2
        assert len(plc.asked) == 2


async def test_scans_of_several_units_go_round_by_request_on_every_wire(plc: Device) -> None:
    for wire in (
        TcpWire("127.0.0.1", plc.port, mono_s=time.monotonic),
        FastWire("127.0.0.1", plc.port, Mbap(), Depth(16), mono_s=time.monotonic),
    ):
        plc.asked.clear()
        bus = Bus(wire)
        async with bus.entered(1.0), bus.entered(1.0):
            await asyncio.gather(scans(bus, 1, 2), scans(bus, 2, 2))
        assert [asked.unit for asked in plc.asked] == [1, 2] * 4


async def test_the_pause_a_unit_wants_is_kept_after_another_units_answer(plc: Device) -> None:
    slept_s: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept_s.append(delay_s)

    bus = Bus(TcpWire("127.0.0.1", plc.port, mono_s=time.monotonic), clock=Clock(sleep=sleep))
    slow = Request(unit=2, table="hr", start=0, count=1, timeout_s=0.1, pause_s=60)
    async with bus.entered(1.0):
        await bus.ask(slow)
        assert slept_s == []
        await bus.ask(request(1))
        await bus.ask(slow)
    assert len(slept_s) == 1
    assert 59 < slept_s[0] <= 60


async def test_a_bus_at_rest_opens_again_and_nobody_is_cut_off(plc: Device) -> None:
    bus = bus_to(plc)
    async with bus.entered(1.0):
        bus.rest()
        await until(lambda: plc.connections == 0)
        plc.lie = lambda _asked, _honest: None
        asking = asyncio.create_task(bus.ask(request(1, timeout_s=30)))
        await until(lambda: plc.asked)
        bus.rest()
        plc.say(plc.asked[0].words(5))
        assert (await asking).answer == b"\x00\x05"
