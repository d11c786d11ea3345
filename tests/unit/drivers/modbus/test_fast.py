"""The promises of `drivers.modbus.fast` beside those of every wire (test_wire, wires)."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from drivers.contract import BadReply, DriverError, Unreachable
from drivers.modbus.errors import NoAnswer
from drivers.modbus.fast import FastWire
from drivers.modbus.frames import Mbap
from drivers.modbus.pipeline import CLEAN_SCANS, Depth
from drivers.modbus.settings import Pipeline
from drivers.modbus.wire import Answers, Request
from tests.support.modbus_device import BUSY, HR, Asked, Device, Lie, device
from tests.support.until import until

TIMEOUT_S = 0.1


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, *range(10))
        yield running


def wire_to(plc: Device, pipeline: Pipeline) -> FastWire:
    return FastWire("127.0.0.1", plc.port, Mbap(), Depth(pipeline), mono_s=time.monotonic)


@asynccontextmanager
async def opened(plc: Device, pipeline: Pipeline) -> AsyncIterator[FastWire]:
    wire = wire_to(plc, pipeline)
    await wire.open(1.0)
    yield wire
    wire.close()
    await until(lambda: plc.connections == 0)


def requests(
    *starts: int, timeout_s: float = TIMEOUT_S, accept_transaction_zero: bool = False
) -> list[Request]:
    return [
        Request(
            unit=9,
            table="hr",
            start=start,
            count=1,
            timeout_s=timeout_s,
            accept_transaction_zero=accept_transaction_zero,
        )
        for start in starts
    ]


def words(found: Answers) -> list[int]:
    return [int.from_bytes(answer, "big") for answer in found.answers if type(answer) is bytes]


def withhold(_asked: Asked, _honest: bytes) -> None:
    return None


class Withheld:
    """Keeps what it was asked; so that one sees how many are under way."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def __call__(self, _asked: Asked, honest: bytes) -> None:
        self.answers.append(honest)


async def most_under_way(plc: Device, wire: FastWire, *starts: int) -> int:
    """Ask a scan of a device that answers only when no more requests come; return the most."""
    withheld = Withheld()
    plc.lie = withheld
    scan = asyncio.create_task(wire.ask_all(requests(*starts, timeout_s=5)))
    most = answered = 0
    while answered < len(starts):
        await until(lambda: withheld.answers)
        await asyncio.sleep(0.01)
        most = max(most, len(withheld.answers))
        answered += len(withheld.answers)
        batch, withheld.answers = b"".join(withheld.answers), []
        plc.say(batch)
    assert words(await scan) == [*starts]
    plc.lie = None
    return most


async def test_one_request_at_a_time_unless_asked_for(plc: Device) -> None:
    async with opened(plc, "off") as wire:
        for _ in range(2 * CLEAN_SCANS):
            await wire.ask_all(requests(1, 2, 3))
        assert await most_under_way(plc, wire, 3, 1, 2) == 1


async def test_a_number_is_sent_in_one_write(plc: Device) -> None:
    async with opened(plc, 2) as wire:
        assert await most_under_way(plc, wire, 3, 1, 2) == 2


async def test_auto_finds_out_how_many_the_device_takes(plc: Device) -> None:
    async with opened(plc, "auto") as wire:
        assert await most_under_way(plc, wire, 3, 1, 2) == 1
        for _ in range(2 * CLEAN_SCANS):
            await wire.ask_all(requests(1, 2, 3))
        assert await most_under_way(plc, wire, 3, 1, 2) == 3


async def test_transaction_zero_tells_no_answers_apart(plc: Device) -> None:
    async with opened(plc, 16) as wire:
        plc.lie = lambda _, honest: None if len(plc.asked) > 1 else b"\0\0" + honest[2:]
        with pytest.raises(NoAnswer):
            await wire.ask_all(requests(1, 2, 3, accept_transaction_zero=True))
        assert [asked.start for asked in plc.asked] == [1, 2]


async def test_each_answer_has_its_whole_timeout(plc: Device) -> None:
    """Three answers that take longer than one timeout together."""
    loop = asyncio.get_running_loop()

    def slowly(_asked: Asked, honest: bytes) -> None:
        loop.call_later(0.08 * (1 + (len(plc.asked) - 1) % 3 * overlaps), plc.say, honest)

    plc.lie = slowly
    for overlaps in (0, 1):
        async with opened(plc, 16 if overlaps else "off") as wire:
            assert words(await wire.ask_all(requests(1, 2, 3, timeout_s=0.15))) == [1, 2, 3]


async def test_a_refusal_in_a_scan_is_an_answer(plc: Device) -> None:
    pipelines: list[Pipeline] = ["off", 3]
    for pipeline in pipelines:
        async with opened(plc, pipeline) as wire:
            found = await wire.ask_all(requests(1, 999, 3))
            assert found.answers == [b"\0\1", 2, b"\0\3"]
            assert wire.is_open


def swapped(held: list[bytes]) -> Lie:
    def lie(_asked: Asked, honest: bytes) -> bytes | None:
        held.append(honest)
        return b"".join(reversed(held)) if len(held) == 2 else None

    return lie


def only_the_first(answers: list[bytes]) -> Lie:
    def lie(_asked: Asked, honest: bytes) -> bytes | None:
        answers.append(honest)
        return honest if len(answers) == 1 else None

    return lie


def nothing(_: list[bytes]) -> Lie:
    return withhold


def the_first_twice(answers: list[bytes]) -> Lie:
    def lie(_asked: Asked, honest: bytes) -> bytes | None:
        answers.append(honest)
        return 2 * honest if len(answers) == 1 else None

    return lie


DISORDER: dict[str, tuple[Callable[[list[bytes]], Lie], type[DriverError]]] = {
    "answers swapped": (swapped, BadReply),
    "one answer for two": (only_the_first, NoAnswer),
    "no answer": (nothing, NoAnswer),
    "the first twice": (the_first_twice, BadReply),
}


@pytest.mark.parametrize("how", DISORDER)
async def test_a_device_that_gets_confused_is_asked_one_by_one_from_then_on(
    plc: Device, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also on the next socket; and the log says so once."""
    lie, error = DISORDER[how]
    async with opened(plc, 16) as wire:
        for expected in (error, DriverError):
            plc.lie = lie([])
            with pytest.raises(expected):
                await wire.ask_all(requests(1, 2))
            assert not wire.is_open
            plc.lie = None
            await wire.open(1.0)
        assert await most_under_way(plc, wire, 1, 2) == 1
        assert words(await wire.ask_all(requests(1, 2))) == [1, 2]
    told = [one for one in caplog.records if one.name == "drivers.modbus.fast"]
    assert [one.levelno for one in told] == [logging.WARNING]
    assert "one request at a time" in told[0].getMessage()


async def test_a_device_that_hangs_up_on_several_is_asked_one_by_one(plc: Device) -> None:
    async with opened(plc, 16) as wire:
        asking = asyncio.create_task(wire.ask_all(requests(1, 2, timeout_s=5)))
        plc.lie = withhold
        await until(lambda: len(plc.asked) == 2)
        plc.cut()
        with pytest.raises(Unreachable, match="closed while waiting"):
            await asking
        await wire.open(1.0)
        assert await most_under_way(plc, wire, 1, 2) == 1


async def test_a_device_that_is_busy_with_several_is_asked_one_by_one(plc: Device) -> None:
    plc.lie = lambda asked, honest: asked.refusal(BUSY) if asked.start == 2 else honest
    async with opened(plc, 16) as wire:
        assert (await wire.ask_all(requests(1, 2))).answers == [b"\0\1", BUSY]
        assert wire.is_open
        assert await most_under_way(plc, wire, 1, 2) == 1


@pytest.mark.parametrize("lie", [withhold, lambda asked, _: asked.words(1, 2)])
async def test_one_request_alone_disproves_nothing(plc: Device, lie: Lie) -> None:
    async with opened(plc, 16) as wire:
        plc.lie = lie
        with pytest.raises(DriverError):
            await wire.ask_all(requests(1))
        await wire.open(1.0)
        assert await most_under_way(plc, wire, 1, 2) == 2


async def test_a_cancelled_scan_disproves_nothing_and_delivers_nothing(plc: Device) -> None:
    async with opened(plc, 16) as wire:
        plc.lie = withhold
        asking = asyncio.create_task(wire.ask_all(requests(1, 2, timeout_s=30)))
        await until(lambda: len(plc.asked) == 2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not wire.is_open
        await until(lambda: plc.connections == 0)
        await wire.open(1.0)
        assert await most_under_way(plc, wire, 1, 2) == 2


async def test_a_transaction_is_not_used_again_on_the_next_socket(plc: Device) -> None:
    """A gateway to a serial line may pass a late answer on to whoever is connected."""
    async with opened(plc, "off") as wire:
        plc.lie = withhold
        with pytest.raises(NoAnswer):
            await wire.ask_all(requests(1, 2))
        late = plc.asked[0].words(66)
        await wire.open(1.0)
        plc.lie = lambda _asked, _honest: late
        with pytest.raises(BadReply, match="transaction 1 answered, asked was 3"):
            await wire.ask_all(requests(1))


async def test_bytes_nobody_asked_for_spoil_the_socket(plc: Device) -> None:
    async with opened(plc, "off") as wire:
        await wire.ask_all(requests(1))
        plc.say(plc.asked[0].words(66))
        assert wire._line is not None  # noqa: SLF001 -- nothing else shows it
        line = wire._line  # noqa: SLF001
        await until(lambda: line.is_spoilt)
        with pytest.raises(BadReply, match="nobody asked for"):
            await wire.ask_all(requests(1))
        assert not wire.is_open


async def test_cancelling_wins_over_an_answer_just_there(plc: Device) -> None:
    async with opened(plc, "off") as wire:
        plc.lie = withhold
        asking = asyncio.create_task(wire.ask_all(requests(1, timeout_s=30)))
        await until(lambda: plc.asked)
        assert wire._line is not None  # noqa: SLF001 -- this instant
        wire._line.data_received(plc.asked[0].words(1))  # noqa: SLF001
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not wire.is_open


async def test_a_peer_that_reads_no_more_cannot_hold_the_socket(plc: Device) -> None:
    async with opened(plc, "off") as wire:
        await until(lambda: plc.connections == 1)
        plc.go_deaf()
        assert wire._line is not None  # noqa: SLF001 -- a request alone never fills the buffers
        transport = wire._line.transport  # noqa: SLF001
        transport.write(bytes(20_000_000))
        wire.close()
        await until(lambda: transport.get_extra_info("socket").fileno() == -1)
        plc.cut()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_loop_that_was_held_up_is_no_silence_of_the_device(
    run: Callable[..., bytes | int],
) -> None:
    """uvloop looks at its timers before it looks again at its sockets."""

    async def ask_while_held_up(peer: socket.socket) -> bytes | int:
        port = peer.getsockname()[1]
        wire = FastWire("127.0.0.1", port, Mbap(), Depth("off"), mono_s=time.monotonic)
        await wire.open(1.0)
        connection, _ = peer.accept()
        loop = asyncio.get_running_loop()

        def answer_and_hold_up() -> None:
            asked = connection.recv(100)
            connection.sendall(asked[:2] + bytes([0, 0, 0, 5, 9, 3, 2, 0, 7]))
            time.sleep(0.1)

        with connection:
            loop.add_reader(connection, answer_and_hold_up)
            reply = await wire.ask(requests(1, timeout_s=0.05)[0])
            loop.remove_reader(connection)
            wire.close()
            await asyncio.sleep(0)
        return reply.answer

    with socket.create_server(("127.0.0.1", 0)) as peer:
        assert run(ask_while_held_up(peer)) == b"\0\7"
