"""The promises of `drivers.modbus.wire.Wire`, held by every wire to a Modbus TCP device."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from drivers.contract import BadReply, Unreachable
from drivers.modbus.client import TcpWire
from drivers.modbus.errors import NoAnswer
from drivers.modbus.fast import FastWire
from drivers.modbus.frames import Mbap
from drivers.modbus.pipeline import Depth
from drivers.modbus.wire import Request, Wire
from tests.support.modbus_device import COIL, HR, Asked, Device, device
from tests.support.until import until

TIMEOUT_S = 0.1
Clock = Callable[[], float]
WireTo = Callable[[str, int, Clock], Wire]


def pymodbus(host: str, port: int, mono_s: Clock) -> Wire:
    return TcpWire(host, port, mono_s=mono_s)


def fast(host: str, port: int, mono_s: Clock) -> Wire:
    return FastWire(host, port, Mbap(), Depth("off"), mono_s=mono_s)


def overlapping(host: str, port: int, mono_s: Clock) -> Wire:
    return FastWire(host, port, Mbap(), Depth(16), mono_s=mono_s)


@pytest.fixture(params=[pymodbus, fast, overlapping])
def wire_to(request: pytest.FixtureRequest) -> WireTo:
    make: WireTo = request.param
    return make


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, 1, 2, 3, 4)
        running.put(COIL, 0, 1, 0, 1)
        yield running


@pytest.fixture
async def wire(plc: Device, wire_to: WireTo) -> AsyncIterator[Wire]:
    opened = wire_to("127.0.0.1", plc.port, time.monotonic)
    await opened.open(1.0)
    yield opened
    opened.close()
    await until(lambda: plc.connections == 0)


def request(start: int = 0, count: int = 2, *, timeout_s: float = TIMEOUT_S) -> Request:
    return Request(unit=9, table="hr", start=start, count=count, timeout_s=timeout_s)


async def test_a_read_returns_the_bytes_of_the_registers(plc: Device, wire: Wire) -> None:
    reply = await wire.ask(request(1, 3))
    assert reply.answer == bytes.fromhex("0002 0003 0004")
    assert reply.rtt_s >= 0
    assert plc.asked == [Asked(1, 9, 3, 1, 3)]


async def test_bits_come_packed(wire: Wire) -> None:
    reply = await wire.ask(Request(unit=9, table="coil", start=0, count=3, timeout_s=TIMEOUT_S))
    assert reply.answer == b"\x05"


async def test_a_refusal_is_an_answer_and_keeps_the_socket(plc: Device, wire: Wire) -> None:
    assert (await wire.ask(request(100))).answer == 2
    assert wire.is_open
    assert (await wire.ask(request(0))).answer == bytes.fromhex("0001 0002")
    assert plc.accepted == 1


async def test_the_reply_is_stamped_when_it_arrives(plc: Device, wire_to: WireTo) -> None:
    ticks = iter(range(100))
    wire = wire_to("127.0.0.1", plc.port, lambda: float(next(ticks)))
    await wire.open(1.0)
    reply = await wire.ask(request())
    wire.close()
    assert (reply.mono_s, reply.rtt_s) == (1.0, 1.0)


async def test_each_request_has_its_own_transaction(plc: Device, wire: Wire) -> None:
    for _ in range(3):
        await wire.ask(request())
    assert [asked.transaction for asked in plc.asked] == [1, 2, 3]


async def test_an_answer_in_slices_is_put_together(plc: Device, wire: Wire) -> None:
    plc.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=2)))
    await until(lambda: plc.asked)
    for byte in plc.asked[0].words(1, 2):
        plc.say(bytes([byte]))
        await asyncio.sleep(0)
    assert (await asking).answer == bytes.fromhex("0001 0002")


LIES: dict[str, Callable[[Asked, bytes], bytes]] = {
    "too short": lambda asked, _: asked.words(1),
    "too long": lambda asked, _: asked.words(1, 2, 3),
    "odd": lambda asked, _: asked.frame(bytes([3, 3, 0, 1, 0])),
    "byte count lies": lambda asked, _: asked.frame(bytes([3, 2, 0, 1, 0, 2])),
    "foreign function": lambda asked, _: asked.frame(bytes([4, 4, 0, 1, 0, 2])),
    "foreign refusal": lambda asked, _: asked.frame(bytes([0x84, 2])),
    "unknown function": lambda asked, _: asked.frame(bytes([99, 4, 0, 1, 0, 2])),
    "foreign unit": lambda asked, _: asked.frame(bytes([3, 4, 0, 1, 0, 2]), unit=8),
    "foreign transaction": lambda asked, _: asked.frame(
        bytes([3, 4, 0, 1, 0, 2]), transaction=asked.transaction - 1 or 9
    ),
    "transaction zero": lambda asked, _: asked.frame(bytes([3, 4, 0, 1, 0, 2]), transaction=0),
    "twice": lambda _, honest: honest + honest,
    "no Modbus": lambda _asked, _honest: b"SSH-2.0-OpenSSH_9.2\r\n",
    "a flood": lambda _asked, honest: honest + bytes(60_000),
}


@pytest.mark.parametrize("lie", LIES)
async def test_no_lie_becomes_a_value(plc: Device, wire: Wire, lie: str) -> None:
    plc.lie = LIES[lie]
    with pytest.raises(BadReply) as caught:
        await wire.ask(request(timeout_s=2))
    assert caught.value.endpoint == f"127.0.0.1:{plc.port}#9"
    assert not wire.is_open
    await until(lambda: plc.connections == 0)


async def test_transaction_zero_may_be_allowed(plc: Device, wire: Wire) -> None:
    plc.lie = lambda asked, _: asked.frame(bytes([3, 2, 0, 7]), transaction=0)
    lenient = Request(
        unit=9, table="hr", start=0, count=1, timeout_s=TIMEOUT_S, accept_transaction_zero=True
    )
    assert (await wire.ask(lenient)).answer == b"\x00\x07"


async def test_silence_is_unreachable_and_closes_the_socket(plc: Device, wire: Wire) -> None:
    plc.lie = lambda _asked, _honest: None
    started_s = time.monotonic()
    async with asyncio.timeout(TIMEOUT_S + 5):
        with pytest.raises(NoAnswer, match=r"no answer within 0\.1 s"):
            await wire.ask(request())
    assert time.monotonic() - started_s >= TIMEOUT_S
    assert not wire.is_open
    await until(lambda: plc.connections == 0)


async def test_a_late_answer_never_answers_the_next_request(plc: Device, wire: Wire) -> None:
    """Also where the device gives every answer transaction 0, so that nothing tells them apart."""
    plc.lie = lambda _asked, _honest: None
    lenient = Request(
        unit=9, table="hr", start=0, count=1, timeout_s=TIMEOUT_S, accept_transaction_zero=True
    )
    with pytest.raises(NoAnswer):
        await wire.ask(lenient)
    late = plc.asked[0].frame(bytes([3, 2, 0, 66]), transaction=0)
    plc.lie = lambda _asked, honest: late if honest else None
    await until(lambda: plc.connections == 0)
    plc.lie = lambda asked, _: asked.frame(bytes([3, 2, 0, 1]), transaction=0)
    await wire.open(1.0)
    assert (await wire.ask(lenient)).answer == b"\x00\x01"


async def test_cancelling_a_read_closes_the_socket(plc: Device, wire: Wire) -> None:
    plc.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=30)))
    await until(lambda: plc.asked)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not wire.is_open
    await until(lambda: plc.connections == 0)


async def test_a_connection_that_dies_fails_the_request_at_once(plc: Device, wire: Wire) -> None:
    plc.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=30)))
    await until(lambda: plc.asked)
    plc.cut()
    with pytest.raises(Unreachable, match="closed while waiting"):
        async with asyncio.timeout(5):
            await asking


async def test_a_connection_closed_while_idle_is_seen(plc: Device, wire: Wire) -> None:
    plc.cut()
    await until(lambda: not wire.is_open)
    with pytest.raises(Unreachable, match="is closed"):
        await wire.ask(request())
    assert plc.accepted == 1


async def test_nothing_is_asked_twice(plc: Device, wire: Wire) -> None:
    plc.lie = lambda _asked, _honest: None
    with pytest.raises(NoAnswer):
        await wire.ask(request())
    await until(lambda: plc.connections == 0)
    assert len(plc.asked) == 1
    assert plc.accepted == 1


async def test_opening_again_closes_the_socket_before(plc: Device, wire: Wire) -> None:
    await wire.open(1.0)
    await until(lambda: plc.accepted == 2 and plc.connections == 1)


async def test_a_refused_connection_says_what_to_look_at(plc: Device, wire_to: WireTo) -> None:
    await plc.stop()
    wire = wire_to("127.0.0.1", plc.port, time.monotonic)
    with pytest.raises(Unreachable) as caught:
        await wire.open(1.0)
    assert "port" in caught.value.hint


async def test_a_name_nobody_knows_is_unreachable(wire_to: WireTo) -> None:
    wire = wire_to("no-such-host.invalid", 502, time.monotonic)
    with pytest.raises(Unreachable):
        await wire.open(5.0)


async def test_a_thousand_reconnections_leave_no_socket(plc: Device, wire_to: WireTo) -> None:
    wire = wire_to("127.0.0.1", plc.port, time.monotonic)
    for _ in range(1000):
        await wire.open(5.0)
        wire.close()
    await until(lambda: plc.connections == 0 and plc.accepted == 1000)
