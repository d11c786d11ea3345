"""What the contract does not ask of each Modbus device, asked of those of other hands."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from drivers.contract import Driver, TagRequest, Unreachable
from drivers.modbus import SPECS
from drivers.modbus.settings import MAX_BITS_PER_READ, MAX_REGISTERS_PER_READ
from tests.support import foreign_modbus
from tests.support.foreign_modbus import UNIT
from tests.support.modbus_device import COIL, HR
from tests.support.modbus_lines import Line

SIZE = 2100
LINES: Mapping[str, Callable[[str], AbstractAsyncContextManager[Line]]] = {
    "tcp": lambda maker: foreign_modbus.tcp_line(maker, SIZE),
    "tcp, pymodbus": lambda maker: foreign_modbus.tcp_line(maker, SIZE, client="pymodbus"),
    "rtu": lambda maker: foreign_modbus.serial_line(maker, SIZE),
    "rtu-tcp": lambda maker: foreign_modbus.serial_server_line(maker, SIZE),
}
MAKERS = ("libmodbus", "modbus-serial")


@pytest.fixture(params=LINES)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def line(transport: str, maker: str) -> AsyncIterator[Line]:
    async with LINES[transport](maker) as running:
        yield running


def driver_to(line: Line, tags: Mapping[str, Mapping[str, Any]], **link: Any) -> Driver:
    spec = SPECS[line.protocol]
    requests = [TagRequest(key, "plc", 1.0, spec.tag_settings(**tag)) for key, tag in tags.items()]
    return spec.create(line.link(**{"unit_id": UNIT, "timeout_ms": 30_000, **link}), requests, {})


async def test_the_largest_requests_come_through(line: Line) -> None:
    last_word, last_bit = MAX_REGISTERS_PER_READ - 1, MAX_BITS_PER_READ - 1
    line.device.put(HR, 0, 0x1234)
    line.device.put(HR, last_word, 0xFFFE)
    line.device.put(COIL, 0, 1)
    line.device.put(COIL, last_bit, 1)
    tags = {
        "first": {"address": "hr:0"},
        "last": {"address": f"hr:{last_word}"},
        "first bit": {"address": "coil:0"},
        "last bit": {"address": f"coil:{last_bit}"},
        "bit beside": {"address": f"coil:{last_bit - 1}"},
    }
    driver = driver_to(line, tags, max_gap_registers=MAX_REGISTERS_PER_READ)
    async with driver.open() as session:
        batch = await session.read(driver.groups)
    assert batch.bad == {}
    assert batch.changed == {
        "first": 0x1234,
        "last": 0xFFFE,
        "first bit": True,
        "last bit": True,
        "bit beside": False,
    }


async def test_a_unit_nobody_is_is_silence_or_the_only_device(
    line: Line, transport: str, maker: str
) -> None:
    """libmodbus answers for every unit over TCP, as many devices with one unit do."""
    line.device.put(HR, 0, 7)
    answers = maker == "libmodbus" and transport.startswith("tcp")
    patience = {} if answers else {"timeout_ms": 150}
    tags = {"word": {"address": "hr:0"}}
    driver = driver_to(line, tags, unit_id=UNIT + 1, **patience)
    async with driver.open() as session:
        if answers:
            assert (await session.read(driver.groups)).changed == {"word": 7}
        else:
            with pytest.raises(Unreachable):
                await session.read(driver.groups)


async def test_every_scan_of_many_is_right(line: Line) -> None:
    """Both words change together: a torn or a late answer would show."""
    tags = {"count": {"address": "hr:10", "type": "uint32"}, "far": {"address": "hr:1000"}}
    line.device.put(HR, 1000, 0)
    driver = driver_to(line, tags)
    async with driver.open() as session:
        for scan in range(1, 51):
            line.device.put(HR, 10, scan, 0x10000 - scan)
            line.device.put(HR, 1000, scan)
            batch = await session.read(driver.groups)
            assert batch.changed == {"count": scan << 16 | 0x10000 - scan, "far": scan}
