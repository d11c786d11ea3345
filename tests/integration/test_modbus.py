"""The Modbus driver over a link that misbehaves: never a wrong value, and back by itself."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from drivers.contract import Driver, DriverError, TagRequest, Unreachable
from drivers.modbus import SPEC
from simulators.link import Link
from tests.support.modbus_device import HR, Asked, Device, device
from tests.support.until import until

TIMEOUT_S = 0.05
LOW, HIGH = 0, 200
"""Two blocks of equal length, so that only care keeps their answers apart."""
HIGH_MARK = 30_000


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        yield running


def driver_to(port: int, **link: Any) -> Driver:
    settings = SPEC.link_settings(
        host="127.0.0.1", port=port, timeout_ms=int(TIMEOUT_S * 1000), **link
    )
    tags = [
        TagRequest(f"{name}{i}", "plc", 0.01, SPEC.tag_settings(address=f"hr:{start + i}"))
        for name, start in (("low", LOW), ("high", HIGH))
        for i in range(4)
    ]
    return SPEC.create(settings, tags, {})


class Witness:
    """Collects as the gateway would, and knows what a value may be."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._newest = {"low": 0, "high": 0}
        self.good = 0
        self.failed = 0

    async def watch(self) -> None:
        while True:
            with suppress(DriverError):
                await self._session()
            self.failed += 1
            await asyncio.sleep(0.001)

    async def _session(self) -> None:
        async with self._driver.open() as session:
            seen: dict[str, Any] = {}
            while True:
                batch = await session.read(self._driver.groups)
                assert not batch.bad
                seen.update(batch.changed)
                self._check(seen)
                self.good += 1

    def _check(self, seen: dict[str, Any]) -> None:
        for block, marked in (("low", False), ("high", True)):
            shown = {seen[f"{block}{i}"] for i in range(4)}
            assert len(shown) == 1, f"a torn block: {seen}"
            (number,) = shown
            assert (number >= HIGH_MARK) == marked, f"an answer to another question: {seen}"
            assert number >= self._newest[block], f"a late answer: {seen}"
            self._newest[block] = number


@pytest.mark.parametrize("transaction_zero", [False, True])
@pytest.mark.fault(
    28,
    injection="a link that delays answers around the timeout, swallows them, cuts and "
    "slices, seeded; transaction ids honest or 0",
    expectation="0 wrong values: no late, torn or foreign answer is taken",
)
@pytest.mark.fault(
    32,
    injection="bytes arrive one by one",
    expectation="read as one answer",
)
async def test_no_wrong_value_whatever_the_link_does(plc: Device, transaction_zero: bool) -> None:
    def numbered(asked: Asked, _honest: bytes) -> bytes:
        mark = HIGH_MARK if asked.start == HIGH else 0
        answer = asked.words(*[mark + len(plc.asked)] * asked.count)
        return b"\0\0" + answer[2:] if transaction_zero else answer

    plc.lie = numbered
    dice = random.Random(7)
    async with Link("127.0.0.1", plc.port) as link, asyncio.TaskGroup() as tasks:
        witness = Witness(driver_to(link.listening, accept_transaction_zero=transaction_zero))
        watching = tasks.create_task(witness.watch())
        for _ in range(25):
            fault = dice.choice(["delay", "slices", "swallow", "hole", "cut"])
            link.faults.delay_s = dice.uniform(0.5, 1.5) * TIMEOUT_S if fault == "delay" else 0
            link.faults.slices = fault == "slices"
            link.faults.swallow_answers = fault == "swallow"
            link.faults.black_hole = fault == "hole"
            if fault == "cut":
                await link.cut()
            reads, failures = witness.good, witness.failed
            await until(lambda r=reads, f=failures: witness.good > r or witness.failed > f)  # type: ignore[misc]
            link.faults.delay_s = 0
            link.faults.slices = link.faults.swallow_answers = link.faults.black_hole = False
            reads = witness.good
            await until(lambda r=reads: witness.good > r + 1)  # type: ignore[misc]
        watching.cancel()
    assert witness.failed > 5


@pytest.mark.fault(
    32,
    injection="a random bit of the first 9 bytes of each answer is flipped, 40 times",
    expectation="refused each time, no value, no crash",
)
async def test_corrupted_headers_are_refused(plc: Device) -> None:
    plc.put(HR, LOW, *[1] * 4)
    plc.put(HR, HIGH, *[HIGH_MARK] * 4)
    dice = random.Random(11)

    def flip_a_header_bit(chunk: bytes) -> bytes:
        spoilt = bytearray(chunk)
        spoilt[dice.randrange(9)] ^= 1 << dice.randrange(8)
        return bytes(spoilt)

    async with Link("127.0.0.1", plc.port) as link:
        link.faults.corrupt = flip_a_header_bit
        for _ in range(40):
            driver = driver_to(link.listening)
            async with driver.open() as session:
                with pytest.raises(DriverError):
                    await session.read(driver.groups)


async def test_a_dead_device_delays_no_other(plc: Device) -> None:
    plc.put(HR, LOW, *[1] * 4)
    plc.put(HR, HIGH, *[2] * 4)
    async with device() as dead:
        dead.lie = lambda _asked, _honest: None
        living, silent = driver_to(plc.port), driver_to(dead.port)
        async with living.open() as alive, silent.open() as mute:
            waiting = asyncio.create_task(mute.read(silent.groups))
            await until(lambda: dead.asked)
            for _ in range(20):
                await alive.read(living.groups)
            with pytest.raises(Unreachable):
                await waiting


async def test_a_device_that_closes_idle_connections_is_not_an_outage(plc: Device) -> None:
    plc.put(HR, LOW, *[1] * 4)
    plc.put(HR, HIGH, *[2] * 4)
    driver = driver_to(plc.port)
    async with driver.open() as session:
        for _ in range(5):
            await session.read(driver.groups)
            plc.cut()
            await until(lambda: plc.connections == 0)
    assert plc.accepted == 5


@pytest.mark.fault(
    31,
    injection="the connection is reset in the middle of 100 requests",
    expectation="at most one socket open, none left",
)
async def test_a_storm_of_resets_leaves_one_socket_at_most(plc: Device) -> None:
    plc.put(HR, LOW, *[1] * 4)
    plc.put(HR, HIGH, *[2] * 4)
    driver = driver_to(plc.port)
    for _ in range(100):
        async with driver.open() as session:
            await session.read(driver.groups)
            reading = asyncio.create_task(session.read(driver.groups))
            await asyncio.sleep(0)
            plc.cut()
            with suppress(DriverError):
                await reading
            assert plc.connections <= 1
    await until(lambda: plc.connections == 0)
