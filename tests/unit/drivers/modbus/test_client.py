"""What is particular to `drivers.modbus.client`; see test_wire for what every wire promises."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from drivers.contract import BadReply
from drivers.modbus.client import TcpWire
from drivers.modbus.errors import Silence
from drivers.modbus.wire import Request
from tests.support.modbus_device import HR, Device, device
from tests.support.until import until


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, 1, 2, 3, 4)
        yield running


@pytest.fixture
async def wire(plc: Device) -> AsyncIterator[TcpWire]:
    opened = TcpWire("127.0.0.1", plc.port, mono_s=time.monotonic)
    await opened.open(1.0)
    yield opened
    opened.close()
    await until(lambda: plc.connections == 0)


def request(*, timeout_s: float = 0.1) -> Request:
    return Request(unit=9, table="hr", start=0, count=2, timeout_s=timeout_s)


async def test_bytes_nobody_asked_for_spoil_the_socket(plc: Device, wire: TcpWire) -> None:
    await wire.ask(request())
    plc.say(plc.asked[0].words(66, 66))
    await until(lambda: wire._exchange.is_spoilt)  # noqa: SLF001 -- nothing else shows it
    with pytest.raises(BadReply, match="nobody asked for"):
        await wire.ask(request())
    assert not wire.is_open


async def test_a_timeout_between_an_answer_and_its_reader_spoils_nothing(
    plc: Device, wire: TcpWire
) -> None:
    """On a busy loop the timer may come between the two."""
    plc.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=30)))
    await until(lambda: plc.asked)
    wire._exchange.handleFrame(plc.asked[0].words(1, 2), 0, 0)  # noqa: SLF001 -- this instant
    wire._exchange.give_up(Silence("no answer"))  # noqa: SLF001
    assert (await asking).answer == bytes.fromhex("0001 0002")
    plc.lie = None
    assert (await wire.ask(request())).answer == bytes.fromhex("0001 0002")


async def test_cancelling_wins_over_an_answer_just_there(plc: Device, wire: TcpWire) -> None:
    plc.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request(timeout_s=30)))
    await until(lambda: plc.asked)
    wire._exchange.handleFrame(plc.asked[0].words(1, 2), 0, 0)  # noqa: SLF001 -- this instant
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not wire.is_open


async def test_a_peer_that_reads_no_more_cannot_hold_the_socket(plc: Device, wire: TcpWire) -> None:
    await until(lambda: plc.connections == 1)
    plc.go_deaf()
    assert wire._client is not None  # noqa: SLF001 -- a request alone never fills the buffers
    transport = wire._client.ctx.transport  # noqa: SLF001
    assert isinstance(transport, asyncio.Transport)
    transport.write(bytes(20_000_000))
    wire.close()
    await until(lambda: transport.get_extra_info("socket").fileno() == -1)
    plc.cut()
