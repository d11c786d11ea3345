"""What pymodbus does wrong under stress, by number, and that our driver does not.

The numbers are those of the notes each test begins with. Where TCP is meant, both clients
must hold.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from drivers.contract import BadReply, Driver, DriverError, Rejected, TagRequest, Unreachable, Value
from drivers.modbus import SPECS
from drivers.modbus.wire import FUNCTIONS
from tests.support import modbus_lines
from tests.support.modbus_device import BUSY, HR, Asked, Device, Lie
from tests.support.modbus_lines import LINES, Line
from tests.support.until import until

TIMEOUT_MS = 100
TAGS = {"a": "hr:100", "b": "hr:200", "c": "coil:7", "d": "ir:3", "e": "di:3"}
RIGHT: dict[str, Value] = {"a": 100, "b": 200, "c": True, "d": 3, "e": False}


@pytest.fixture(params=["pymodbus", "fast"])
async def tcp(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    async with modbus_lines.tcp() as line:
        line.where = {**line.where, "client": request.param}
        filled(line.device)
        yield line


@pytest.fixture(params=["modbus-rtu-tcp", "modbus-ascii-tcp", "modbus-rtu", "modbus-ascii"])
async def without_transactions(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """Transports on which one answer looks like another."""
    async with LINES[request.param]() as line:
        filled(line.device)
        yield line


def filled(device: Device) -> None:
    for table, start, value in ((HR, 100, 100), (HR, 200, 200), (1, 7, 1), (4, 3, 3), (2, 3, 0)):
        device.put(table, start, value)


def driver_to(line: Line, **link: Any) -> Driver:
    spec = SPECS[line.protocol]
    settings = line.link(**{"timeout_ms": TIMEOUT_MS, "max_gap_registers": 0} | link)
    tags = [TagRequest(key, "all", 0.1, spec.tag_settings(address=at)) for key, at in TAGS.items()]
    return spec.create(settings, tags, line.shared)


async def values(driver: Driver) -> dict[str, Value]:
    """Return what a new session reads first."""
    async with driver.open() as session:
        return dict((await session.read(driver.groups)).changed)


async def failed(driver: Driver) -> DriverError:
    with pytest.raises(DriverError) as caught:
        await values(driver)
    return caught.value


def late_once(line: Line, rewrite: Callable[[Asked, bytes], bytes] = lambda _, it: it) -> Lie:
    """Answer the first read of hr:100 too late, and all others slowly.

    The late answer comes while another request waits for its own.
    """
    withheld: list[Asked] = []

    def lie(asked: Asked, honest: bytes) -> None:
        is_late = asked.start == 100 and not withheld
        if is_late:
            withheld.append(asked)
        delay = 1.4 if is_late else 0.25
        line.device.say_later(rewrite(asked, honest), delay * TIMEOUT_MS / 1000)

    return lie


def with_transaction_zero(_: Asked, honest: bytes) -> bytes:
    return b"\x00\x00" + honest[2:]


@pytest.mark.fault(
    28,
    injection="RTU and ASCII, over TCP and serial: an answer comes after its timeout, while "
    "the next request waits",
    expectation="0 wrong values",
)
async def test_m1_a_late_answer_is_not_taken_for_the_next(without_transactions: Line) -> None:
    line = without_transactions
    driver = driver_to(line)
    async with driver.open() as session:
        assert (await session.read(driver.groups)).changed == RIGHT
        line.device.lie = late_once(line)
        for _ in range(2):
            again = await session.read(driver.groups)
            assert (again.changed, again.bad) == ({}, {})


async def test_m2_transaction_zero_is_refused_unless_it_was_allowed(tcp: Line) -> None:
    tcp.device.lie = lambda asked, honest: with_transaction_zero(asked, honest)
    err = await failed(driver_to(tcp))
    assert isinstance(err, BadReply)
    assert "transaction 0" in err.reason


@pytest.mark.fault(
    28,
    injection="Modbus TCP that answers with transaction 0, late",
    expectation="0 wrong values",
)
async def test_m2_allowed_transaction_zero_takes_no_late_answer(tcp: Line) -> None:
    driver = driver_to(tcp, accept_transaction_zero=True)
    async with driver.open() as session:
        assert (await session.read(driver.groups)).changed == RIGHT
        tcp.device.lie = late_once(tcp, with_transaction_zero)
        for _ in range(2):
            assert (await session.read(driver.groups)).changed == {}


NO_ANSWERS: dict[str, Lie] = {
    "too few registers": lambda asked, _: asked.frame(bytes([asked.function, 0])),
    "too many registers": lambda asked, _: asked.words(1, 2),
    "another function": lambda asked, _: asked.frame(bytes([asked.function % 4 + 1, 2, 0, 1])),
    "odd byte count": lambda asked, _: asked.frame(bytes([asked.function, 3, 0, 1, 0])),
    "another unit": lambda asked, _: asked.frame(bytes([asked.function, 2, 0, 1]), unit=77),
}


@pytest.mark.parametrize("lie", NO_ANSWERS)
@pytest.mark.parametrize("protocol", LINES)
@pytest.mark.fault(
    33,
    injection="too few registers, too many, another function, an odd byte count, another "
    "unit, on every transport",
    expectation="refused, no value",
)
async def test_m3_what_is_no_answer_becomes_no_value(protocol: str, lie: str) -> None:
    async with LINES[protocol]() as line:
        filled(line.device)
        line.device.lie = NO_ANSWERS[lie]
        assert isinstance(await failed(driver_to(line, timeout_ms=30_000)), BadReply)


@pytest.mark.fault(
    34,
    injection="exception 06 to every request",
    expectation="a refusal, not an outage; the connection stays",
)
async def test_m4_busy_is_a_refusal_and_no_outage(tcp: Line) -> None:
    driver = driver_to(tcp)
    async with driver.open() as session:
        tcp.device.lie = lambda asked, _: asked.refusal(BUSY)
        with pytest.raises(Rejected, match="busy"):
            await session.read(driver.groups)
        tcp.device.lie = None
        assert (await session.read(driver.groups)).changed == RIGHT
    assert tcp.device.accepted == 1


@pytest.mark.fault(
    29,
    injection="requests arrive, no answer comes",
    expectation="each request is sent once",
)
async def test_m5_nothing_is_repeated_behind_the_callers_back(tcp: Line) -> None:
    tcp.device.lie = lambda _asked, _honest: None
    assert isinstance(await failed(driver_to(tcp)), Unreachable)
    assert len(tcp.device.asked) == 1


@pytest.mark.parametrize("protocol", LINES)
@pytest.mark.fault(
    29,
    injection="every request of every transport is looked at",
    expectation="nothing that writes is ever sent, so nothing can be written twice",
)
async def test_m5_nothing_that_writes_is_ever_sent(protocol: str) -> None:
    async with LINES[protocol]() as line:
        filled(line.device)
        assert await values(driver_to(line, timeout_ms=30_000)) == RIGHT
        assert {asked.function for asked in line.device.asked} <= set(FUNCTIONS.values())


async def test_m6_a_connection_cut_in_a_request_fails_it_at_once(tcp: Line) -> None:
    tcp.device.lie = lambda _asked, _honest: tcp.device.cut()
    async with asyncio.timeout(5):
        assert isinstance(await failed(driver_to(tcp, timeout_ms=20_000)), Unreachable)


async def test_m7_many_who_connect_at_once_open_one_socket(tcp: Line) -> None:
    drivers = [driver_to(tcp, unit_id=unit) for unit in range(1, 11)]
    assert await asyncio.gather(*(values(driver) for driver in drivers)) == [RIGHT] * 10
    assert tcp.device.accepted <= 10  # one at a time, opened again when the last one had left
    await until(lambda: tcp.device.connections == 0)
    peak = 0

    def note(_asked: Asked, honest: bytes) -> bytes:
        nonlocal peak
        peak = max(peak, tcp.device.connections)
        return honest

    tcp.device.lie = note
    await asyncio.gather(*(values(driver) for driver in drivers))
    assert peak == 1


@pytest.mark.fault(
    29,
    injection="requests arrive, answers are lost from one moment on",
    expectation="offline after two silent polls, the socket is closed",
)
async def test_m8_a_silent_device_is_given_up_after_two_timeouts(tcp: Line) -> None:
    driver = driver_to(tcp)
    async with driver.open() as session:
        await session.read(driver.groups)
        tcp.device.lie = lambda _asked, _honest: None
        asked = len(tcp.device.asked)
        async with asyncio.timeout(2 * TIMEOUT_MS / 1000 + 5):
            with pytest.raises(Unreachable):
                await session.read(driver.groups)
        assert len(tcp.device.asked) == asked + 2
    await until(lambda: tcp.device.connections == 0)


async def test_m9_a_slow_device_holds_up_no_other(tcp: Line) -> None:
    async with modbus_lines.tcp() as other:
        filled(other.device)
        tcp.device.lie = lambda _asked, _honest: None
        slow = asyncio.create_task(values(driver_to(tcp, timeout_ms=20_000)))
        await until(lambda: tcp.device.asked)
        assert await values(driver_to(other, timeout_ms=30_000)) == RIGHT
        assert len(tcp.device.asked) == 1
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow


UNDECODABLE: dict[str, Lie] = {
    "unknown function": lambda asked, _: asked.frame(bytes([99, 2, 0, 1])),
    "byte count lies": lambda asked, _: asked.frame(bytes([asked.function, 200, 0, 1])),
}


@pytest.mark.parametrize("lie", UNDECODABLE)
@pytest.mark.fault(
    33,
    injection="an unknown function code; a byte count that lies",
    expectation="refused, a new connection, right values again",
)
async def test_m11_an_undecodable_frame_costs_one_connection(tcp: Line, lie: str) -> None:
    driver = driver_to(tcp)
    tcp.device.lie = UNDECODABLE[lie]
    assert isinstance(await failed(driver), BadReply)
    await until(lambda: tcp.device.connections == 0)
    tcp.device.lie = None
    assert await values(driver) == RIGHT
    assert tcp.device.accepted == 2


@pytest.mark.parametrize("protocol", LINES)
async def test_m13_a_reader_cancelled_again_and_again_never_reads_another_tag(
    protocol: str,
) -> None:
    async with LINES[protocol]() as line:
        filled(line.device)
        driver = driver_to(line, timeout_ms=200)

        def late(_asked: Asked, honest: bytes) -> None:
            line.device.say_later(honest, 0.02)

        for _ in range(6):
            line.device.lie = late
            asked = len(line.device.asked)
            reading = asyncio.create_task(values(driver))
            await until(lambda asked=asked: len(line.device.asked) > asked)  # type: ignore[misc]
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        line.device.lie = None
        await asyncio.sleep(0.1)  # on a new connection what is late would be refused, not read
        assert await values(driver) == RIGHT
