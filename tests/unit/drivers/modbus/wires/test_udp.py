"""The promises of `drivers.modbus.wires.udp`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.contract import BadReply, Unreachable
from drivers.modbus.wire import Request, Wire
from tests.support import modbus_lines
from tests.support.modbus_device import HR, Asked
from tests.support.modbus_lines import Line
from tests.support.until import until


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with modbus_lines.udp() as running:
        running.device.put(HR, 0, 1, 2, 3, 4)
        yield running


@pytest.fixture
async def wire(line: Line) -> AsyncIterator[Wire]:
    opened = line.wire()
    await opened.open(1.0)
    yield opened
    opened.close()


def request(start: int = 0) -> Request:
    return Request(unit=9, table="hr", start=start, count=1, timeout_s=5)


async def test_a_copy_of_the_answer_before_is_dropped(line: Line, wire: Wire) -> None:
    before: list[bytes] = []

    def twice(_asked: Asked, honest: bytes) -> bytes:
        for late in before:
            line.device.say(late)
        before.append(honest)
        return honest

    line.device.lie = twice
    answers = [(await wire.ask(request(start))).answer for start in range(4)]
    assert answers == [b"\x00\x01", b"\x00\x02", b"\x00\x03", b"\x00\x04"]
    assert wire.is_open


async def test_a_datagram_nobody_asked_for_changes_nothing(line: Line, wire: Wire) -> None:
    await wire.ask(request())
    line.device.say(line.device.asked[0].words(66))
    line.device.say(b"SSH-2.0")
    assert (await wire.ask(request(1))).answer == b"\x00\x02"


async def test_half_an_answer_is_none(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, honest: honest[:9]
    with pytest.raises(BadReply, match="part of an answer"):
        await wire.ask(request())


async def test_transactions_go_on_over_a_new_socket(line: Line, wire: Wire) -> None:
    await wire.ask(request())
    await wire.open(1.0)
    await wire.ask(request())
    assert [asked.transaction for asked in line.device.asked] == [1, 2]


async def test_that_nobody_listens_is_known_at_once(line: Line, wire: Wire) -> None:
    await line.device.stop()
    with pytest.raises(Unreachable) as caught:
        async with asyncio.timeout(3):
            await wire.ask(request())
    assert "nothing listens" in caught.value.hint
    assert not wire.is_open


async def test_only_the_host_that_was_asked_is_heard(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request()))
    await until(lambda: line.device.asked)
    async with modbus_lines.udp() as other:
        forged = line.device.asked[0].words(66)
        line.device.lie = None
        assert isinstance(other.device.port, int)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        ours = line.device._open[-1]._to  # type: ignore[attr-defined]  # noqa: SLF001
        transport.sendto(forged, ours)
        line.device.say(line.device.asked[0].words(7))
        assert (await asking).answer == b"\x00\x07"
        transport.close()
