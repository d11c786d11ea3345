"""Modbus devices and lines that misbehave, seen through to what the journal says."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import DriverError, TagRequest
from drivers.modbus import SPECS
from simulators.link import Link
from tests.support.collecting import LONG_S, Collecting, collecting
from tests.support.modbus_device import COIL, HR, Asked, Device, device
from tests.support.ports import HOST
from tests.support.until import until

pytestmark = pytest.mark.timeout(400)

Record = Callable[[str, object], None]
POLL_MS, TIMEOUT_MS = 50, 200
START = 1000
MACHINE = """\
equipment: {code}
area: stamping
line: line-1
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, poll_interval_ms: {poll},
        timeout_ms: {timeout}}}
tags:
  run: {{address: "coil:0"}}
  parts: {{address: "hr:0", type: {type}, order: ABCD}}
status:
  - {{state: running, when: run}}
counters:
  good: {{tag: parts, kind: good, modulus: {modulus}, max_rate_per_s: {rate}}}
"""
RAMP = {"type": "uint32", "modulus": 2**32, "rate": 10}


def machine(port: int, code: str = "press-07", **changed: Any) -> str:
    return MACHINE.format(
        **RAMP | {"port": port, "code": code, "poll": POLL_MS, "timeout": TIMEOUT_MS} | changed
    )


def show(plc: Device, number: int) -> None:
    """Let the counter show this."""
    plc.put(HR, 0, *divmod(number % 2**32, 2**16))


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(COIL, 0, 1)
        show(running, START)
        yield running


@asynccontextmanager
async def counting(directory: Path, text: str) -> AsyncIterator[Collecting]:
    """Collect from one machine that has its baseline."""
    async with collecting(directory, {"press-07": text}) as gateway:
        await gateway.fact("count", anomaly="baseline")
        yield gateway


async def counted(gateway: Collecting) -> list[tuple[str, int]]:
    return [(fact["anomaly"], fact["delta"]) for fact in await gateway.facts("count")]


FALLS: Mapping[str, tuple[list[int], list[tuple[str, int]]]] = {
    "reset to 0": ([0, 3], [("reset", 0), ("none", 3)]),
    "preset to 500": ([500, 503], [("preset", 0), ("none", 3)]),
    "jump by 1,000,000": ([1_001_000, 1_001_003], [("jump", 0), ("none", 3)]),
    "negative": ([-5, START, START + 3], [("none", 3)]),
}


@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.fault(
    38,
    injection="a device's counter goes to 0, to 500, up by 1,000,000, below 0",
    expectation="reset, preset, jump by name, nothing invented, parts made afterwards exact",
)
async def test_a_counter_that_leaps_is_named_and_counting_goes_on(
    fall: str, plc: Device, tmp_path: Path
) -> None:
    shown, expected = FALLS[fall]
    text = machine(plc.port)
    if fall == "negative":  # with a modulus it would be the upper half of an unsigned register
        text = machine(plc.port, type="int32").replace(f"modulus: {2**32}, ", "")
    async with counting(tmp_path, text) as gateway:
        for number in shown:
            show(plc, number)
            await gateway.reads(4)
        assert await counted(gateway) == [("baseline", 0), *expected]


@pytest.mark.parametrize("torn", ["torn", "swapped"])
@pytest.mark.fault(
    39,
    injection="while the counter passes 65,536, one answer has its high word from before, or"
    " the words swapped",
    expectation="one part is counted, no jump, nothing refused",
)
async def test_a_torn_double_word_counts_nothing(torn: str, plc: Device, tmp_path: Path) -> None:
    show(plc, 65_535)
    async with counting(tmp_path, machine(plc.port)) as gateway:
        spoilt: list[Asked] = []

        def lie(asked: Asked, honest: bytes) -> bytes:
            if asked.function != HR or spoilt:
                return honest
            spoilt.append(asked)
            return asked.words(0, 0) if torn == "torn" else asked.words(0, 1)

        plc.lie = lie
        show(plc, 65_536)
        await gateway.fact("count", anomaly="none")
        await gateway.reads(4)
        facts = await gateway.facts("count")
    assert spoilt
    assert [(fact["anomaly"], fact["delta"]) for fact in facts] == [("baseline", 0), ("none", 1)]
    assert not any(fact["refused"] for fact in facts)


@pytest.mark.fault(
    37,
    injection="the 16-bit counter of a device goes round five times",
    expectation="the sum is exact, five rollovers are named",
)
async def test_five_rounds_of_a_short_counter_add_up(
    plc: Device, tmp_path: Path, record_property: Record
) -> None:
    made, stroke, modulus = 0, 1000, 65_536
    plc.put(HR, 0, 0)
    text = machine(plc.port, type="uint16", modulus=modulus, rate=stroke, poll=20)
    async with counting(tmp_path, text) as gateway:
        while made < 5 * modulus:
            made += stroke
            plc.put(HR, 0, made % modulus)
            await gateway.reads(0)
        await gateway.fact("count", total=made)
        facts = await gateway.facts("count")
    booked, rounds = sum(fact["delta"] for fact in facts), [fact["anomaly"] for fact in facts]
    record_property("made", made)
    record_property("booked", booked)
    assert booked == made
    assert rounds.count("rollover") == 5


@pytest.mark.fault(
    40,
    injection="the device is away for 1.5 s, in which a 16-bit counter may go round and does",
    expectation="rollover_ambiguous, no guess: what is not certain stands in refused",
)
async def test_a_gap_longer_than_a_lap_is_called_ambiguous(plc: Device, tmp_path: Path) -> None:
    plc.put(HR, 0, 60_000)
    files = {"press-07": machine(plc.port, type="uint16", modulus=65_536, rate=60_000)}
    async with collecting(tmp_path, files) as gateway:
        await gateway.fact("count", anomaly="baseline")
        await plc.stop()
        await until(lambda: not gateway.poller().stats.online, timeout_s=LONG_S)
        await asyncio.sleep(1.5)
        plc.put(HR, 0, 61_000)
        await plc.start()
        fact = await gateway.fact("count", anomaly="rollover_ambiguous")
    assert fact["delta"] <= 1000
    assert fact["delta"] + fact["refused"] >= 1000


@pytest.mark.fault(
    34,
    injection="each of the exceptions 01 to 0B to the reads of one table",
    expectation="the tag is bad by name, the other table lives, the link stays; asked again at"
    " once, only an illegal address waits for its retry",
)
@pytest.mark.parametrize("code", range(1, 12))
async def test_an_exception_is_of_its_tag(code: int, plc: Device) -> None:
    spec = SPECS["modbus-tcp"]
    link = spec.link_settings(host=HOST, port=plc.port, timeout_ms=5000, illegal_retry_ms=60_000)
    addresses = {"press-07/parts": "hr:0", "press-07/run": "coil:0"}
    tags = [
        TagRequest(key, "plc", 0.1, spec.tag_settings(address=at)) for key, at in addresses.items()
    ]
    driver = spec.create(link, tags, {})
    plc.lie = lambda asked, honest: asked.refusal(code) if asked.function == HR else honest
    async with driver.open() as session:
        first = await session.read(driver.groups)
        plc.lie = None
        second = await session.read(driver.groups)
    assert first.changed == {"press-07/run": True}
    causes = {2: "illegal_address", 3: "illegal_address", 5: "device_busy", 6: "device_busy"}
    causes |= {10: "not_connected", 11: "not_connected"}
    assert first.bad == {"press-07/parts": causes.get(code, "device_refused")}
    waits = causes.get(code) == "illegal_address"
    assert second.bad == (first.bad if waits else {})
    assert second.changed == ({} if waits else {"press-07/parts": 0})
    assert plc.accepted == 1


@pytest.mark.fault(
    33,
    injection="answers that are short, of another function, with an odd byte count, too long",
    expectation="no value, the link goes offline, each is counted as a bad reply",
)
async def test_what_is_no_answer_is_counted(plc: Device, tmp_path: Path) -> None:
    lies: list[Callable[[Asked], bytes]] = [
        lambda asked: asked.frame(bytes([asked.function, 0])),
        lambda asked: asked.frame(bytes([7, 2, 0, 1])),
        lambda asked: asked.frame(bytes([asked.function, 3, 0, 1, 0])),
        lambda asked: asked.words(*range(20)),
    ]
    told: list[int] = []

    def lie(asked: Asked, _honest: bytes) -> bytes:
        told.append(asked.start)
        return lies[len(told) % len(lies)](asked)

    async with collecting(tmp_path, {"press-07": machine(plc.port)}) as gateway:
        await gateway.fact("status", state="running")
        plc.lie = lie
        stats = gateway.poller().stats
        await until(lambda: stats.failed["BadReply"] >= len(lies), timeout_s=LONG_S)
        await gateway.fact("status", state="offline", cause="sample")
        plc.lie = None
        await gateway.fact("status", state="running")
        assert await counted(gateway) == [("baseline", 0)]


@pytest.mark.fault(
    32,
    injection="random bytes, frames doubled, frames cut short, in 50 sessions, seeded",
    expectation="the right value or an error of the driver; never another value, never a crash",
)
async def test_garbage_on_the_line_is_never_a_value(plc: Device, record_property: Record) -> None:
    dice = random.Random(23)
    right = wrong = refused = 0

    def garble(chunk: bytes) -> bytes:
        kind = dice.randrange(4)
        if kind == 0:
            return dice.randbytes(dice.randint(1, 40))
        if kind == 1:
            return chunk + chunk
        if kind == 2:
            return chunk[: dice.randint(1, len(chunk) - 1)]
        return chunk

    spec = SPECS["modbus-tcp"]
    async with Link(HOST, plc.port) as link:
        settings = spec.link_settings(host=HOST, port=link.listening, timeout_ms=100)
        tag = spec.tag_settings(address="hr:0", type="uint32", order="ABCD")
        driver = spec.create(settings, [TagRequest("press-07/parts", "plc", 0.1, tag)], {})
        link.faults.corrupt = garble
        for number in range(START, START + 50):
            show(plc, number)
            try:
                async with driver.open() as session:
                    for _ in range(2):
                        changed = dict((await session.read(driver.groups)).changed)
                        is_right = changed in ({"press-07/parts": number}, {})
                        right, wrong = right + is_right, wrong + (not is_right)
            except DriverError:
                refused += 1
    record_property("right", right)
    record_property("refused", refused)
    assert wrong == 0
    assert right > 3
    assert refused > 3


@pytest.mark.parametrize("loss", ["answers are lost", "everything is lost"])
@pytest.mark.fault(
    29,
    injection="a link on which requests arrive and answers vanish, or both vanish, connections"
    " staying open",
    expectation="offline since the last good reply; after it the parts made meanwhile",
)
@pytest.mark.fault(
    30,
    injection="one of two machines on a link into which everything vanishes",
    expectation="it is offline since its last good reply, the other is read as before",
)
async def test_a_line_that_swallows_is_offline_and_holds_up_no_other(
    loss: str, plc: Device, tmp_path: Path, record_property: Record
) -> None:
    async with device() as other, Link(HOST, plc.port) as link:
        other.put(COIL, 0, 1)
        show(other, START)
        files = {
            "press-07": machine(link.listening),
            "press-08": machine(other.port, code="press-08"),
        }
        async with collecting(tmp_path, files) as gateway:
            for code in files:
                await gateway.fact("status", code, state="running")
            link.faults.swallow_answers = loss == "answers are lost"
            link.faults.black_hole = loss == "everything is lost"
            asked, began_s = len(other.asked), time.monotonic()
            offline = await gateway.fact("status", state="offline", cause="sample")
            await gateway.reads(5, "press-08.plc")
            took_s = time.monotonic() - began_s
            rate = (len(other.asked) - asked) / 2 / took_s
            record_property("the other's period ms", round(1000 / rate))
            show(plc, START + 5)
            link.faults.swallow_answers = link.faults.black_hole = False
            await gateway.fact("count", total=5)
            other_states = [fact["state"] for fact in await gateway.facts("status", "press-08")]
        assert offline["reason"]["category"] == "comms"
        assert other_states == ["offline", "running"]  # it began before its first reading


@pytest.mark.fault(
    31,
    injection="the connection is reset every 200 ms for 3 s",
    expectation="never more than one socket, read again after it, a small share of the CPU",
)
async def test_a_storm_of_resets_is_weathered_on_one_socket(
    plc: Device, tmp_path: Path, record_property: Record
) -> None:
    link = await Link(HOST, plc.port).open()
    async with collecting(tmp_path, {"press-07": machine(link.listening)}) as gateway:
        await gateway.fact("status", state="running")
        peak, began_s, cpu_s = 0, time.monotonic(), time.process_time()
        while time.monotonic() - began_s < 3.0:
            await link.cut()
            for _ in range(10):
                await asyncio.sleep(0.02)
                peak = max(peak, plc.connections)
        share = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
        record_property("most sockets", peak)
        record_property("CPU %, device and link included", round(100 * share))
        await gateway.reads(3)
        assert peak <= 1
        assert gateway.poller().stats.online
    await link.close()


@pytest.mark.fault(
    36,
    injection="a device that takes one connection and resets every further one; the connection is"
    " cut 30 times (1,000 reconnections: test_every_wire.py)",
    expectation="a second connection is never tried, and read again after each cut",
)
async def test_a_device_for_one_client_is_never_called_twice(plc: Device, tmp_path: Path) -> None:
    refused = 0
    opened = plc.opened

    def one_only(carrier: Any) -> None:
        nonlocal refused
        opened(carrier)
        if plc.connections > 1:
            refused += 1
            carrier.abort()

    plc.opened = one_only  # type: ignore[method-assign]
    async with collecting(tmp_path, {"press-07": machine(plc.port)}) as gateway:
        await gateway.reads(1)
        for _ in range(30):
            plc.cut()
            await until(lambda: plc.connections == 0, timeout_s=LONG_S)
            await gateway.reads(0)
        assert plc.connections == 1
    assert refused == 0
    assert plc.accepted > 30
