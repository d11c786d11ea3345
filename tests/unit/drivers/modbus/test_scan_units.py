"""What there is, found by asking: against a scripted device and a clock of our own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Unreachable
from drivers.modbus import SPEC
from drivers.modbus.plan import Place
from drivers.modbus.scan_units import (
    Found,
    NoUnits,
    Pace,
    Span,
    halves,
    registers_of,
    scan_registers,
    scan_units,
    seconds_for_registers,
    seconds_for_units,
    units_of,
    values_of,
)
from drivers.modbus.settings import LinkSettings
from tests.support.modbus_device import COIL, HR, NO_TARGET, Asked, Device, device
from tests.support.ports import HOST

FAST = 100_000.0


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        yield running


def link(plc: Device, **settings: object) -> LinkSettings:
    made = SPEC.link_settings(host=HOST, port=plc.port, timeout_ms=50, **settings)
    assert isinstance(made, LinkSettings)
    return made


async def registers(plc: Device, *texts: str, **settings: object) -> Found:
    one, found = link(plc, **settings), Found()
    areas = registers_of(one, texts)
    await scan_registers(one, areas, Pace(FAST), found, lambda _found, _left: None)
    return found


async def test_units_that_say_anything_are_there(plc: Device) -> None:
    plc.put(HR, 0, 7)

    def lie(asked: Asked, honest: bytes) -> bytes | None:
        return {1: honest, 3: asked.refusal(2), 4: asked.refusal(NO_TARGET)}.get(asked.unit)

    plc.lie = lie
    found, left = Found(), list[int]()
    await scan_units(
        link(plc), (1, 2, 3, 4), Pace(FAST), found, lambda _found, more: left.append(more)
    )
    assert [(one.unit, one.answer) for one in found.units] == [(1, "0007"), (3, "exception 2")]
    assert left == [3, 2, 1, 0]
    assert found.asked == 4


async def test_what_exists_is_found_to_the_last_address(plc: Device) -> None:
    plc.put(HR, 10, *range(1, 41))
    plc.put(HR, 130, 0, 9)
    found = await registers(plc, "hr:0-199")
    assert found.spans == (Span("hr", 10, 49), Span("hr", 130, 131))
    assert found.values["hr", 10] == 1
    assert found.values["hr", 131] == 9
    assert all(one.count <= 100 for one in plc.asked)


async def test_the_limit_of_the_link_holds(plc: Device) -> None:
    plc.put(HR, 0, *range(64))
    found = await registers(plc, "hr:0-63", max_registers_per_read=16)
    assert found.spans == (Span("hr", 0, 63),)
    assert max(one.count for one in plc.asked) == 16


async def test_what_is_forbidden_is_never_read(plc: Device) -> None:
    plc.put(HR, 0, *range(100))
    found = await registers(plc, "hr:0-99", forbidden=("hr:0-4", "hr:50"))
    assert found.spans == (Span("hr", 5, 49), Span("hr", 51, 99))
    await scan_units(
        link(plc, forbidden=("hr:0",)), (1,), Pace(FAST), Found(), lambda _found, _left: None
    )
    read = {(one.function, one.start + n) for one in plc.asked for n in range(one.count)}
    assert read.isdisjoint({(HR, address) for address in (0, 1, 2, 3, 4, 50)})


async def test_a_table_the_device_does_not_know_is_asked_for_once(plc: Device) -> None:
    plc.put(COIL, 0, 1, 0, 1)
    plc.lie = lambda asked, honest: asked.refusal(1) if asked.function == HR else honest
    found = await registers(plc, "hr:0-499", "coil:0-2")
    assert found.spans == (Span("coil", 0, 2),)
    assert [one.function for one in plc.asked].count(HR) == 1


async def test_a_device_that_falls_silent_ends_the_search(plc: Device) -> None:
    plc.put(HR, 0, *range(100))
    plc.lie = lambda asked, honest: honest if asked.start < 100 else None
    found = await registers(plc, "hr:0-299")
    assert found.ended == "silent"
    assert found.spans == (Span("hr", 0, 99),)
    assert found.asked == 4


async def test_what_was_found_stays_when_it_is_cancelled(plc: Device) -> None:
    plc.put(HR, 0, *range(100))
    found = Found()

    def stop(_found: Found, _left: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    one = link(plc)
    search = asyncio.ensure_future(
        scan_registers(one, registers_of(one, ["hr:0-499"]), Pace(FAST), found, stop)
    )
    with pytest.raises(asyncio.CancelledError):
        await search
    assert found.spans == (Span("hr", 0, 99),)


async def test_where_nobody_listens_it_is_an_error(plc: Device) -> None:
    await plc.stop()
    with pytest.raises(Unreachable):
        await registers(plc, "hr:0-9")


async def test_never_more_than_the_rate() -> None:
    now_s, slept = [0.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_s[0] += seconds

    pace = Pace(10, mono_s=lambda: now_s[0], sleep=sleep)
    for _ in range(5):
        await pace.turn()
    assert now_s[0] == pytest.approx(0.4)
    now_s[0] += 7
    await pace.turn()
    assert len(slept) == 4


@pytest.mark.parametrize(
    ("text", "units"),
    [("1-3", (1, 2, 3)), ("1,3, 5-6", (1, 3, 5, 6)), ("247", (247,)), ("2,1-3", (2, 1, 3))],
)
def test_units_as_people_write_them(text: str, units: tuple[int, ...]) -> None:
    assert units_of(text) == units


@pytest.mark.parametrize("text", ["", "x", "5-1", "1-256", "-1", "1,,2"])
def test_what_are_no_units(text: str) -> None:
    with pytest.raises(NoUnits):
        units_of(text)


def test_how_long_it_takes_is_known_before() -> None:
    areas = registers_of(SPEC.link_settings(host=HOST), ["hr:0-999"])
    assert seconds_for_registers(areas, 10) == (1.0, 200.0)
    assert seconds_for_units(247, 10) == pytest.approx(74.1)


@given(st.integers(0, 60_000), st.integers(1, 125))
def test_halves_are_the_whole(start: int, width: int) -> None:
    parts = halves(Place("", "hr", start, width))
    addresses = [one.offset + index for one in parts for index in range(one.width)]
    assert addresses == (list(range(start, start + width)) if width > 1 else [])


@given(st.lists(st.booleans(), min_size=1, max_size=100))
def test_bits_are_taken_apart_as_they_are_packed(bits: list[bool]) -> None:
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= bit << index % 8
    found = dict(values_of(Place("", "coil", 5, len(bits)), bytes(packed)))
    assert [found["coil", 5 + index] for index in range(len(bits))] == bits
