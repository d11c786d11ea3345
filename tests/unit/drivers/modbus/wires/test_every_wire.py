"""The promises of `drivers.modbus.wire.Wire`, held by the wire of every transport."""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

from drivers.contract import BadReply, Unreachable
from drivers.modbus import SPECS
from drivers.modbus.errors import NoAnswer
from drivers.modbus.wire import Request, Wire
from tests.support.modbus_device import COIL, HR, Asked, Lie
from tests.support.modbus_lines import LINES, Line
from tests.support.until import until

TIMEOUT_S = 0.1
CONNECTIONLESS = {"modbus-udp", "modbus-rtu", "modbus-ascii"}


@pytest.fixture(params=LINES)
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    async with LINES[request.param]() as running:
        running.device.put(HR, 0, 1, 2, 3, 4)
        running.device.put(COIL, 0, 1, 0, 1)
        yield running


@pytest.fixture
async def wire(line: Line) -> AsyncIterator[Wire]:
    opened = line.wire()
    await opened.open(5.0)
    yield opened
    opened.close()


def request(start: int = 0, count: int = 2, *, timeout_s: float = TIMEOUT_S) -> Request:
    return Request(unit=9, table="hr", start=start, count=count, timeout_s=timeout_s)


async def reopened(wire: Wire) -> Wire:
    if not wire.is_open:
        await wire.open(5.0)
    return wire


def test_every_transport_is_here() -> None:
    assert {name.partition(",")[0] for name in LINES} == set(SPECS)


async def test_a_read_returns_the_bytes_of_the_registers(line: Line, wire: Wire) -> None:
    reply = await wire.ask(request(1, 3))
    assert reply.answer == bytes.fromhex("0002 0003 0004")
    assert line.device.asked[0].count == 3
    assert reply.rtt_s >= 0


async def test_bits_come_packed(wire: Wire) -> None:
    reply = await wire.ask(Request(unit=9, table="coil", start=0, count=3, timeout_s=TIMEOUT_S))
    assert reply.answer == b"\x05"


async def test_a_refusal_is_an_answer(wire: Wire) -> None:
    assert (await wire.ask(request(100))).answer == 2
    assert wire.is_open
    assert (await wire.ask(request(0))).answer == bytes.fromhex("0001 0002")


@pytest.mark.fault(
    32,
    injection="an answer comes in pieces, on every transport",
    expectation="read as one answer",
)
async def test_an_answer_in_slices_is_put_together(line: Line, wire: Wire) -> None:
    if line.protocol == "modbus-udp":
        pytest.skip("a datagram is whole or lost")
    line.device.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=5)))
    await until(lambda: line.device.asked)
    answer = line.device.asked[0].words(1, 2)
    for byte in answer:
        line.device.say(bytes([byte]))
        await asyncio.sleep(0.001)
    assert (await asking).answer == bytes.fromhex("0001 0002")


LIES: dict[str, Lie] = {
    "too short": lambda asked, _: asked.words(1),
    "too long": lambda asked, _: asked.words(1, 2, 3),
    "byte count lies": lambda asked, _: asked.frame(bytes([3, 2, 0, 1, 0, 2])),
    "foreign function": lambda asked, _: asked.frame(bytes([4, 4, 0, 1, 0, 2])),
    "foreign refusal": lambda asked, _: asked.frame(bytes([0x84, 2])),
    "foreign unit": lambda asked, _: asked.frame(bytes([3, 4, 0, 1, 0, 2]), unit=8),
    "twice": lambda _, honest: honest + honest,
    "damaged": lambda _, honest: honest[:-3] + bytes([honest[-3] ^ 1]) + honest[-2:],
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.fault(
    33,
    injection="short, long, foreign and wrong answers, on every transport",
    expectation="refused, no value",
)
async def test_no_lie_becomes_a_value(line: Line, wire: Wire, lie: str) -> None:
    if lie == "damaged" and line.device.framing == "mbap":
        pytest.skip("MBAP has no checksum")
    line.device.lie = LIES[lie]
    with pytest.raises(BadReply) as caught:
        await wire.ask(request(timeout_s=0.3))
    assert caught.value.endpoint == f"{line.link().bus}#9"
    assert caught.value.hint
    line.device.lie = None
    assert (await (await reopened(wire)).ask(request(1, 1))).answer == b"\x00\x02"


async def test_silence_is_unreachable_in_time(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, _honest: None
    started_s = time.monotonic()
    async with asyncio.timeout(TIMEOUT_S + 5):
        with pytest.raises(NoAnswer, match=r"no answer within 0\.1 s") as caught:
            await wire.ask(request())
    assert time.monotonic() - started_s >= TIMEOUT_S
    assert "unit" in caught.value.hint
    assert len(line.device.asked) == 1


@pytest.mark.fault(
    28,
    injection="an answer comes after its timeout, on every transport",
    expectation="0 wrong values",
)
async def test_a_late_answer_never_answers_the_next_request(line: Line, wire: Wire) -> None:
    """The late one would fit: the same unit, function and length."""
    late: list[Asked] = []
    line.device.lie = lambda asked, _: late.append(asked)
    with pytest.raises(NoAnswer):
        await wire.ask(request(0, 1))
    line.device.say_later(late[0].words(66), TIMEOUT_S / 2)
    line.device.lie = lambda _, honest: line.device.say_later(honest, TIMEOUT_S)
    assert (await (await reopened(wire)).ask(request(1, 1, timeout_s=5))).answer == b"\x00\x02"


async def test_after_a_cancelled_wait_nothing_late_is_taken(line: Line, wire: Wire) -> None:
    late: list[Asked] = []
    line.device.lie = lambda asked, _: late.append(asked)
    asking = asyncio.create_task(wire.ask(request(0, 1, timeout_s=TIMEOUT_S)))
    await until(lambda: late)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    line.device.say_later(late[0].words(66), TIMEOUT_S / 2)
    line.device.lie = lambda _, honest: line.device.say_later(honest, TIMEOUT_S)
    assert (await (await reopened(wire)).ask(request(1, 1, timeout_s=5))).answer == b"\x00\x02"


async def test_a_device_that_goes_fails_the_request_at_once(line: Line, wire: Wire) -> None:
    if line.protocol in CONNECTIONLESS - {"modbus-rtu", "modbus-ascii"}:
        pytest.skip("there is no connection that could be lost")
    line.device.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=30)))
    await until(lambda: line.device.asked)
    await line.device.stop()
    with pytest.raises(Unreachable):
        async with asyncio.timeout(5):
            await asking
    assert not wire.is_open


async def test_it_opens_again_after_the_device_was_away(line: Line, wire: Wire) -> None:
    await wire.ask(request())
    await line.device.stop()
    wire.close()
    await line.device.start()
    await wire.open(5.0)
    assert (await wire.ask(request(3, 1))).answer == b"\x00\x04"


async def test_only_function_codes_that_read_go_out(line: Line, wire: Wire) -> None:
    for table in ("coil", "di", "hr", "ir"):
        await wire.ask(Request(unit=9, table=table, start=0, count=1, timeout_s=5))
    assert [asked.function for asked in line.device.asked] == [1, 2, 3, 4]


RECONNECTIONS = {"modbus-tls": 100, "modbus-listen": 100}
"""A handshake takes its time, and a DTU redials only so fast."""


@pytest.mark.fault(
    36,
    injection="1,000 connections one after the other",
    expectation="no socket left open",
)
async def test_a_thousand_reconnections_leave_nothing_open(line: Line) -> None:
    wire = line.wire()
    await wire.open(5.0)
    wire.close()
    await until(lambda: line.device.connections <= 1)
    before = _open_files()
    for _ in range(RECONNECTIONS.get(line.protocol, 1000)):
        await wire.open(5.0)
        wire.close()
    await until(lambda: _open_files() <= before + 2)  # a DTU may just be dialling in again


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
