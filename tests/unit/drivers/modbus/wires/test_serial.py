"""The promises of `drivers.modbus.wires.serial`, on a pseudo-terminal."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.contract import BadReply, Misconfigured, Unreachable
from drivers.modbus.errors import NoAnswer, PortForbidden
from drivers.modbus.settings_serial import AsciiSettings, RtuSettings, SerialSettings
from drivers.modbus.wire import Request, Wire
from drivers.modbus.wires.ports import Port
from drivers.modbus.wires.serial import SerialWire
from tests.support import modbus_lines
from tests.support.modbus_device import HR, Asked
from tests.support.modbus_frames import wrapped
from tests.support.modbus_lines import Line
from tests.support.until import until

TIMEOUT_S = 0.1


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with modbus_lines.rtu() as running:
        running.device.put(HR, 0, 1, 2, 3, 4)
        yield running


@pytest.fixture
async def wire(line: Line) -> AsyncIterator[Wire]:
    opened = line.wire()
    await opened.open(1.0)
    yield opened
    opened.close()


def request(start: int = 0, count: int = 1, *, timeout_s: float = TIMEOUT_S) -> Request:
    return Request(unit=9, table="hr", start=start, count=count, timeout_s=timeout_s)


def looks(*seen: Port | Exception) -> Callable[[str], Port]:
    rest = iter(seen)

    def look(_path: str) -> Port:
        found = next(rest)
        if isinstance(found, Exception):
            raise found
        return found

    return look


def serial(line: Line) -> SerialSettings:
    link = line.link()
    assert isinstance(link, SerialSettings)
    return link


async def test_after_a_silence_the_line_is_left_alone_for_a_timeout(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, _honest: None
    with pytest.raises(NoAnswer):
        await wire.ask(request())
    assert wire.is_open
    line.device.lie = None
    silent_s = time.monotonic()
    reply = await wire.ask(request(2))
    assert time.monotonic() - silent_s >= TIMEOUT_S
    assert reply.answer == b"\x00\x03"
    assert line.device.accepted == 1


async def test_what_trickles_in_prolongs_the_silence(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, _honest: None
    with pytest.raises(NoAnswer):
        await wire.ask(request())
    line.device.lie = None
    late_s: list[float] = []

    def trickle() -> None:
        line.device.say(line.device.asked[0].words(66)[:5])
        late_s.append(time.monotonic())

    asyncio.get_running_loop().call_later(0.8 * TIMEOUT_S, trickle)
    assert (await wire.ask(request(2))).answer == b"\x00\x03"
    assert time.monotonic() - late_s[0] >= TIMEOUT_S


@pytest.mark.alone
async def test_a_line_that_is_never_silent_is_an_error(line: Line, wire: Wire) -> None:
    line.device.lie = lambda _asked, _honest: None
    with pytest.raises(NoAnswer):
        await wire.ask(request(timeout_s=0.02))

    async def babble() -> None:
        while True:
            line.device.say(b"\x55")
            await asyncio.sleep(0.002)

    babbling = asyncio.create_task(babble())
    with pytest.raises(BadReply, match="does not fall silent") as caught:
        await wire.ask(request())
    babbling.cancel()
    assert "another master" in caught.value.hint


async def test_between_frames_the_line_is_silent_for_three_characters_and_a_half(
    line: Line,
) -> None:
    wire = line.wire(baudrate=1200)
    await wire.open(1.0)
    asked_s: list[float] = []

    def note(_asked: Asked, honest: bytes) -> bytes:
        asked_s.append(time.monotonic())
        return honest

    line.device.lie = note
    for _ in range(3):
        await wire.ask(request())
    wire.close()
    gap_s = 3.5 * 10 / 1200
    assert all(b - a >= gap_s for a, b in pairwise(asked_s))


@pytest.mark.parametrize(
    ("link", "character_us", "gap_us"),
    [
        (RtuSettings(port="/dev/a"), 1041, 3645),
        (RtuSettings(port="/dev/a", parity="even", baudrate=19200), 572, 2005),
        (RtuSettings(port="/dev/a", parity="even", stop_bits=2, baudrate=38400), 312, 1750),
        (AsciiSettings(port="/dev/a", parity="even"), 1041, 3645),
    ],
)
def test_a_character_takes_its_bits(link: SerialSettings, character_us: int, gap_us: int) -> None:
    assert int(link.character_s * 1_000_000) == character_us
    assert int(link.gap_s * 1_000_000) == gap_us


async def test_the_time_on_the_line_is_not_the_devices(line: Line) -> None:
    """At 300 baud 8 characters there and 7 back take half a second."""
    wire = line.wire(baudrate=300)
    await wire.open(1.0)
    asking = asyncio.create_task(wire.ask(request()))
    line.device.lie = lambda _asked, _honest: None
    await until(lambda: line.device.asked)
    asyncio.get_running_loop().call_later(
        3 * TIMEOUT_S, lambda: line.device.say(line.device.asked[0].words(5))
    )
    assert (await asking).answer == b"\x00\x05"
    wire.close()


async def test_an_adapter_that_hands_back_what_it_sends(line: Line) -> None:
    line.device.lie = lambda asked, honest: wrapped("rtu", 0, request(asked.start).body) + honest
    deaf = line.wire()
    await deaf.open(1.0)
    with pytest.raises(BadReply, match="set local_echo"):
        await deaf.ask(request())
    deaf.close()
    wire = line.wire(local_echo=True)
    await wire.open(1.0)
    assert (await wire.ask(request(1))).answer == b"\x00\x02"
    line.device.lie = None
    assert (await wire.ask(request(1))).answer == b"\x00\x02"
    wire.close()


async def test_a_port_somebody_else_has_names_who(line: Line, wire: Wire) -> None:
    assert wire.is_open
    second = line.wire()
    with pytest.raises(Unreachable, match=r"in use by .*process") as caught:
        await second.open(1.0)
    assert "other program" in caught.value.hint
    assert not second.is_open


async def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    wire = SerialWire(RtuSettings(port=str(tmp_path / "ttyUSB0")), mono_s=time.monotonic)
    with pytest.raises(Unreachable, match="No such file") as caught:
        await wire.open(1.0)
    assert "plugged in" in caught.value.hint


async def test_a_port_this_user_may_not_open_names_the_group(line: Line) -> None:
    forbidden = PortForbidden("no permission: the port belongs to group dialout")
    wire = SerialWire(serial(line), mono_s=time.monotonic, look=looks(forbidden))
    with pytest.raises(Misconfigured, match="dialout"):
        await wire.open(1.0)


async def test_a_port_that_moved_is_told_to_the_log(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    look = looks(Port("/dev/ttyUSB0", ()), Port("/dev/ttyUSB0", ()), Port("/dev/ttyUSB1", ()))
    wire = SerialWire(serial(line), mono_s=time.monotonic, look=look)
    for _ in range(3):
        await wire.open(1.0)
    wire.close()
    (told,) = caplog.messages
    assert told.endswith("is /dev/ttyUSB1 now and was /dev/ttyUSB0")


async def test_a_baud_rate_the_adapter_cannot_do(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("Failed to set custom baud rate (123456): [Errno 22]")

    monkeypatch.setattr("drivers.modbus.wires.serial.SerialTransport", refuse)
    with pytest.raises(Misconfigured, match="baud rate"):
        await line.wire(baudrate=123_456).open(1.0)


async def test_a_file_that_is_no_port(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.touch()
    with pytest.raises(Unreachable):
        await SerialWire(RtuSettings(port=str(path)), mono_s=time.monotonic).open(1.0)
