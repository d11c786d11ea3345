"""The promises of `drivers.modbus.session`, each against a device that can lie."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from drivers.clock import Clock
from drivers.contract import BadReply, Batch, Rejected, TagRequest, Unreachable
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.session import MAX_EXTRA_REQUESTS, ModbusSession
from drivers.modbus.settings import TcpSettings
from drivers.modbus.tag import TagSettings
from tests.support.modbus_carriers import running
from tests.support.modbus_device import (
    BUSY,
    COIL,
    DI,
    HR,
    IR,
    NO_TARGET,
    Asked,
    Device,
    Lie,
)
from tests.support.modbus_words import words
from tests.support.until import until

MIDNIGHT = datetime(2026, 3, 20, tzinfo=UTC)


class Steps:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.clock = Clock(
            now=lambda: MIDNIGHT + timedelta(seconds=self.ahead_s),
            mono_s=lambda: time.monotonic() + self.ahead_s,
        )


@dataclass
class Plc(Device):
    """A device, and what its link says about the client."""

    link: Mapping[str, object] = field(default_factory=dict)


CLIENTS: dict[str, dict[str, object]] = {
    "pymodbus": {"client": "pymodbus"},
    "fast": {"client": "fast"},
    "pipelined": {"client": "fast", "pipeline": 16},
}


@pytest.fixture(params=CLIENTS)
async def plc(request: pytest.FixtureRequest) -> AsyncIterator[Plc]:
    async with running(Plc(link=CLIENTS[request.param])) as started:
        assert isinstance(started, Plc)
        yield started


def driver_to(
    plc: Plc, tags: dict[str, TagSettings], *, clock: Clock | None = None, **link: object
) -> ModbusDriver:
    settings = TcpSettings.model_validate(
        {"host": "127.0.0.1", "port": plc.port, "timeout_ms": 100, **plc.link} | link
    )
    requests = [
        TagRequest(key, key.partition("/")[0], None, settings) for key, settings in tags.items()
    ]
    return ModbusDriver(settings, requests, {}, clock=clock)


Read = Callable[[], "asyncio.Future[Batch]"]


@asynccontextmanager
async def reading(driver: ModbusDriver) -> AsyncIterator[ModbusSession]:
    async with asyncio.timeout(60), driver.open() as session:
        yield session


def registers(count: int, *, group: str = "fast") -> dict[str, TagSettings]:
    return {f"{group}/r{i}": TagSettings(address=f"hr:{i}") for i in range(count)}


async def test_all_four_tables_in_one_batch(plc: Plc) -> None:
    plc.put(HR, 10, *words(70_000, "uint32", "CDAB"))
    plc.put(IR, 3, *words(-1.5, "float32"))
    plc.put(COIL, 5, 1)
    plc.put(DI, 9, 1)
    plc.put(HR, 300, 0b100)
    driver = driver_to(
        plc,
        {
            "a/parts": TagSettings(address="D10", type="uint32", order="CDAB"),
            "a/heat": TagSettings(address="ir:3", type="float32"),
            "a/run": TagSettings(address="M5"),
            "a/door": TagSettings(address="X9"),
            "a/alarm": TagSettings(address="hr:300", bit=2),
        },
    )
    async with reading(driver) as session:
        batch = await session.read(driver.groups)
        calm = await session.read(driver.groups)
    assert batch.changed == {
        "a/parts": 70_000,
        "a/heat": -1.5,
        "a/run": True,
        "a/door": True,
        "a/alarm": True,
    }
    assert batch.covers == batch.changed.keys()
    assert (calm.changed, calm.bad) == ({}, {})
    assert calm.covers is batch.covers
    assert len(plc.asked) == 2 * 5


async def test_only_the_due_groups_are_read(plc: Plc) -> None:
    plc.put(HR, 0, *range(10))
    driver = driver_to(plc, registers(3) | registers(5, group="slow"))
    fast, slow = driver.groups
    async with reading(driver) as session:
        batch = await session.read([fast])
        assert batch.covers == fast.keys == batch.changed.keys()
        both = await session.read([fast, slow])
        again = await session.read([slow, fast])
    assert both.changed.keys() == slow.keys
    assert both.covers == fast.keys | slow.keys
    assert again.covers is both.covers


async def test_a_batch_is_stamped_when_its_last_reply_arrived(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    plc.put(COIL, 0, 1)
    ticks = iter([10.0, 10.5, 11.0, 11.25, 14.0])
    driver = driver_to(
        plc,
        {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="coil:0")},
        clock=Clock(now=lambda: MIDNIGHT, mono_s=lambda: next(ticks)),
        pipeline="off",
    )
    async with reading(driver) as session:
        batch = await session.read(driver.groups)
    assert batch.mono_s == 11.25
    assert batch.read_at == MIDNIGHT - timedelta(seconds=14.0 - 11.25)
    assert batch.rtt_s == 0.5


def silent_for(count: int) -> Lie:
    left = [count]

    def lie(_asked: Asked, honest: bytes) -> bytes | None:
        left[0] -= 1
        return None if left[0] >= 0 else honest

    return lie


async def test_one_silence_is_forgiven_on_a_new_socket(plc: Plc) -> None:
    plc.put(HR, 0, 1, 2, 3)
    driver = driver_to(plc, registers(3))
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = silent_for(1)
        batch = await session.read(driver.groups)
        assert not batch.changed
        assert not batch.bad
        assert plc.accepted == 2


async def test_two_silences_in_a_row_are_unreachable(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    driver = driver_to(plc, registers(1))
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = silent_for(2)
        with pytest.raises(Unreachable):
            await session.read(driver.groups)
        assert len(plc.asked) == 3


async def test_a_device_that_answers_a_part_of_each_scan_is_given_up(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    plc.put(HR, 200, 1)
    driver = driver_to(
        plc, {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="hr:200")}
    )
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = lambda asked, honest: honest if asked.start == 0 else None
        with pytest.raises(Unreachable):
            await session.read(driver.groups)


async def test_a_socket_is_closed_after_a_read_where_the_device_wants_it(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    driver = driver_to(plc, registers(1), close_after_read=True)
    async with reading(driver) as session:
        for count in range(1, 4):
            assert (await session.read(driver.groups)).covers == {"fast/r0"}
            await until(lambda: plc.connections == 0)
            assert plc.accepted == count


async def test_a_pause_is_kept_between_requests(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    plc.put(HR, 200, 1)
    slept_s: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept_s.append(delay_s)

    driver = driver_to(
        plc,
        {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="hr:200")},
        clock=Clock(sleep=sleep),
        pause_ms=50_000,
    )
    async with reading(driver) as session:
        await session.read(driver.groups)
        await session.read(driver.groups)
    assert len(slept_s) == 3
    assert all(49 < delay_s <= 50 for delay_s in slept_s)


async def test_a_device_that_never_answered_costs_one_timeout(plc: Plc) -> None:
    plc.lie = silent_for(99)
    driver = driver_to(plc, registers(1))
    async with reading(driver) as session:
        with pytest.raises(Unreachable):
            await session.read(driver.groups)
    assert len(plc.asked) == 1


async def test_a_batch_never_mixes_before_and_after_a_reconnection(plc: Plc) -> None:
    """And the change seen before the silence is not lost with it."""
    plc.put(HR, 0, 1)
    plc.put(HR, 200, 1)
    driver = driver_to(
        plc, {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="hr:200")}
    )
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.put(HR, 0, 2)
        failed: list[int] = []

        def lie(asked: Asked, honest: bytes) -> bytes | None:
            if asked.start == 200 and not failed:
                failed.append(1)
                plc.put(HR, 200, 2)
                return None
            return honest

        plc.lie = lie
        batch = await session.read(driver.groups)
        assert batch.changed == {"g/a": 2, "g/b": 2}
        assert [asked.start for asked in plc.asked[2:]] == [0, 200, 0, 200]


@pytest.mark.parametrize(
    "lie",
    [
        lambda asked, _: asked.words(1),
        lambda asked, _: asked.frame(bytes([4, 4, 0, 1, 0, 2])),
        lambda asked, _: asked.frame(bytes([3, 4, 0, 1, 0, 2]), transaction=0),
        lambda asked, _: asked.frame(bytes([3, 4, 0, 1, 0, 2]), unit=77),
    ],
)
async def test_a_lie_ends_the_session_without_a_value(plc: Plc, lie: Lie) -> None:
    plc.put(HR, 0, 1, 2)
    driver = driver_to(plc, registers(2))
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = lie
        with pytest.raises(BadReply):
            await session.read(driver.groups)
    await until(lambda: plc.connections == 0)


@pytest.mark.fault(
    34,
    injection="exception 02 for some registers of a block",
    expectation="these tags are bad by name, their neighbours live",
)
async def test_illegal_registers_are_named_and_their_neighbours_live(plc: Plc) -> None:
    plc.put(HR, 0, *range(50))
    del plc.tables[HR][17]
    del plc.tables[HR][33]
    driver = driver_to(plc, registers(50))
    illegal = {"fast/r17": "illegal_address", "fast/r33": "illegal_address"}
    async with reading(driver) as session:
        first = await session.read(driver.groups)
        assert first.bad == illegal
        assert first.changed == {f"fast/r{i}": i for i in range(50) if i not in {17, 33}}
        await session.read(driver.groups)
        asked = len(plc.asked)
        plc.put(HR, 40, 99)
        batch = await session.read(driver.groups)
    assert batch.changed == {"fast/r40": 99}
    assert batch.bad == illegal
    assert len(plc.asked) - asked == 3


async def test_a_register_that_disappears_later_is_isolated_in_the_same_scan(plc: Plc) -> None:
    plc.put(HR, 0, *range(10))
    driver = driver_to(plc, registers(10))
    async with reading(driver) as session:
        await session.read(driver.groups)
        del plc.tables[HR][4]
        batch = await session.read(driver.groups)
        assert batch.bad == {"fast/r4": "illegal_address"}


@pytest.mark.parametrize("silent", range(1, 8))
async def test_a_silence_while_looking_for_an_illegal_register_leaves_the_plan_whole(
    plc: Plc, silent: int
) -> None:
    plc.put(HR, 0, *range(10))
    del plc.tables[HR][4]
    driver = driver_to(plc, registers(10))
    async with reading(driver) as session:
        plc.lie = lambda _, honest: None if len(plc.asked) == 1 + silent else honest
        batch = await session.read(driver.groups)
        assert batch.bad == {"fast/r4": "illegal_address"}
        assert batch.changed.keys() == batch.covers - {"fast/r4"}
        await session.read(driver.groups)
        asked = len(plc.asked)
        await session.read(driver.groups)
        assert [(a.start, a.count) for a in plc.asked[asked:]] == [(0, 4), (5, 5)]


async def test_an_illegal_register_is_asked_again_and_recovers(plc: Plc) -> None:
    plc.put(HR, 0, 0, 1)
    steps = Steps()
    driver = driver_to(plc, registers(3), clock=steps.clock, illegal_retry_ms=60_000)
    async with reading(driver) as session:
        assert (await session.read(driver.groups)).bad == {"fast/r2": "illegal_address"}
        plc.put(HR, 2, 7)
        assert (await session.read(driver.groups)).bad == {"fast/r2": "illegal_address"}
        steps.ahead_s = 61
        batch = await session.read(driver.groups)
        assert batch.changed["fast/r2"] == 7
        assert not batch.bad
        await session.read(driver.groups)
        asked = len(plc.asked)
        assert not (await session.read(driver.groups)).changed
        assert len(plc.asked) - asked == 1


async def test_what_stays_illegal_is_asked_only_now_and_then(plc: Plc) -> None:
    plc.put(HR, 0, 0)
    steps = Steps()
    driver = driver_to(plc, registers(2), clock=steps.clock, illegal_retry_ms=60_000)
    async with reading(driver) as session:
        for _ in range(5):
            await session.read(driver.groups)
        tried = [asked for asked in plc.asked if asked.start + asked.count > 1]
        assert len(tried) == 2
        steps.ahead_s = 61
        for _ in range(5):
            assert (await session.read(driver.groups)).bad == {"fast/r1": "illegal_address"}
        tried = [asked for asked in plc.asked if asked.start + asked.count > 1]
        assert len(tried) == 3


async def test_a_device_without_any_of_the_tags_is_still_listened_to(plc: Plc) -> None:
    driver = driver_to(plc, registers(2))
    async with reading(driver) as session:
        for _ in range(3):
            assert len((await session.read(driver.groups)).bad) == 2
        await plc.stop()
        with pytest.raises(Unreachable):
            await session.read(driver.groups)


async def test_finding_many_illegal_registers_is_spread_over_scans(plc: Plc) -> None:
    plc.put(HR, 0, *range(0, 120, 2))
    for odd in range(1, 120, 2):
        plc.tables[HR].pop(odd, None)
    plc.tables[HR] = {at: at for at in range(0, 120, 2)}
    driver = driver_to(plc, registers(120), timeout_ms=5000)  # a silence would repeat the pass
    async with reading(driver) as session:
        seen: dict[str, object] = {}
        for _ in range(8):
            before = len(plc.asked)
            batch = await session.read(driver.groups)
            assert batch.changed.keys() | batch.bad.keys() | seen.keys() == batch.covers
            assert len(plc.asked) - before <= MAX_EXTRA_REQUESTS + 70
            seen.update(batch.changed)
        assert batch.bad == {f"fast/r{i}": "illegal_address" for i in range(1, 120, 2)}
    assert seen == {f"fast/r{i}": i for i in range(0, 120, 2)}


@pytest.mark.fault(
    34,
    injection="exception 06 to every request of a session",
    expectation="bad quality, not an outage",
)
async def test_busy_is_not_offline(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    driver = driver_to(plc, registers(1))
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = lambda asked, _: asked.refusal(BUSY)
        with pytest.raises(Rejected, match="busy"):
            await session.read(driver.groups)
        plc.lie = None
        batch = await session.read(driver.groups)
        assert batch.changed == {"fast/r0": 1}
        assert plc.accepted == 1


async def test_a_busy_block_spoils_no_other_and_comes_back(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    plc.put(COIL, 0, 1)
    driver = driver_to(
        plc, {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="coil:0")}
    )
    async with reading(driver) as session:
        await session.read(driver.groups)
        plc.lie = lambda asked, honest: asked.refusal(BUSY) if asked.function == COIL else honest
        for _ in range(2):
            batch = await session.read(driver.groups)
            assert (batch.changed, batch.bad) == ({}, {"g/b": "device_busy"})
        plc.lie = None
        batch = await session.read(driver.groups)
        assert (batch.changed, batch.bad) == ({"g/b": True}, {})


@pytest.mark.fault(
    34,
    injection="exception 0B: a gateway that does not reach the unit",
    expectation="the unit is offline, not the tag",
)
async def test_a_unit_its_gateway_cannot_reach_is_unreachable(plc: Plc) -> None:
    plc.lie = lambda asked, _: asked.refusal(NO_TARGET)
    driver = driver_to(plc, registers(1))
    async with reading(driver) as session:
        with pytest.raises(Unreachable, match="gateway"):
            await session.read(driver.groups)


@pytest.mark.fault(
    34,
    injection="exception 01 for one table",
    expectation="its tags are bad by name, the other tables live",
)
async def test_a_table_the_device_does_not_know_spoils_no_other(plc: Plc) -> None:
    plc.put(HR, 0, 1)
    plc.put(IR, 0, 1)
    plc.lie = lambda asked, honest: asked.refusal(1) if asked.function == IR else honest
    driver = driver_to(
        plc, {"g/a": TagSettings(address="hr:0"), "g/b": TagSettings(address="ir:0")}
    )
    async with reading(driver) as session:
        batch = await session.read(driver.groups)
    assert (batch.changed, batch.bad) == ({"g/a": 1}, {"g/b": "device_refused"})


async def test_a_value_that_is_none_is_bad_until_it_is_one(plc: Plc) -> None:
    plc.put(HR, 0, *words(float("nan"), "float32"))
    driver = driver_to(plc, {"g/a": TagSettings(address="hr:0", type="float32")})
    async with reading(driver) as session:
        for _ in range(2):
            assert (await session.read(driver.groups)).bad == {"g/a": "invalid_value"}
        plc.put(HR, 0, *words(2.5, "float32"))
        assert (await session.read(driver.groups)).changed == {"g/a": 2.5}
