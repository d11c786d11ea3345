"""What may be wrong with a tag, against a device that lacks what is asked of it."""

import struct
from collections.abc import AsyncIterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import TagRequest, Value
from drivers.modbus import SPEC
from drivers.modbus.codec import Reading
from drivers.modbus.doubts import doubts, is_likelier, neighbours, readings
from drivers.modbus.plan import Place
from drivers.probed import Said
from tests.support.modbus_device import HR, IR, Device, device
from tests.support.modbus_words import words
from tests.support.ports import HOST


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        yield running


async def doubted(
    plc: Device,
    *,
    values: Mapping[str, Value] | None = None,
    causes: Mapping[str, str] | None = None,
    **settings: object,
) -> tuple[Said, ...]:
    link = SPEC.link_settings(host=HOST, port=plc.port, timeout_ms=200)
    tag = TagRequest("press/x", "g", 1.0, SPEC.tag_settings(**settings))
    found = await doubts(link, [tag], values or {}, causes or {})
    return found.get("press/x", ())


@pytest.mark.parametrize("off", [-1, 1])
async def test_an_address_off_by_one_is_found(off: int, plc: Device) -> None:
    plc.put(HR, 200 + off, 18)
    (said,) = await doubted(plc, causes={"press/x": "illegal_address"}, address="hr:200")
    assert said.code == "address_beside"
    assert said.fields["near"] == f"4{201 + off:04d} (hr:{200 + off}) = 0012"


async def test_what_is_forbidden_is_not_asked_beside_it(plc: Device) -> None:
    plc.put(HR, 199, 18)
    link = SPEC.link_settings(
        host=HOST, port=plc.port, timeout_ms=200, forbidden=("hr:199", "ir:200")
    )
    tag = TagRequest("press/x", "g", 1.0, SPEC.tag_settings(address="hr:200"))
    await doubts(link, [tag], {}, {"press/x": "illegal_address"})
    assert [(one.function, one.start) for one in plc.asked] == [(HR, 201)]


async def test_the_other_function_code_is_found(plc: Device) -> None:
    plc.put(IR, 200, 18)
    (said,) = await doubted(plc, causes={"press/x": "device_refused"}, address="hr:200")
    assert said.fields["near"] == "30201 (ir:200) = 0012"


async def test_where_there_is_nothing_that_is_said(plc: Device) -> None:
    (said,) = await doubted(plc, causes={"press/x": "illegal_address"}, address="hr:200")
    assert said.code == "address_absent"


async def test_an_order_that_makes_more_sense_is_shown_with_the_others(plc: Device) -> None:
    plc.put(HR, 10, *words(70_000, "uint32", "CDAB"))
    (said,) = await doubted(
        plc, values={"press/x": 292_552_705}, address="hr:10", type="uint32", order="ABCD"
    )
    assert said.code == "other_order"
    assert said.fields["orders"] == "ABCD 292552705, CDAB 70000, BADC 1880162560, DCBA 16805905"
    assert said.fields["hex"] == "11700001"


async def test_a_float_that_is_no_number_in_this_order_is_doubted(plc: Device) -> None:
    plc.put(HR, 10, *words(21.5, "float32", "CDAB"))
    (said,) = await doubted(
        plc, values={"press/x": 4.1e-41}, address="hr:10", type="float32", order="ABCD"
    )
    assert "CDAB 21.5" in str(said.fields["orders"])


async def test_a_value_that_makes_sense_is_not_doubted(plc: Device) -> None:
    plc.put(HR, 10, *words(70_000, "uint32"))
    assert await doubted(plc, values={"press/x": 70_000}, address="hr:10", type="uint32") == ()


async def test_single_registers_are_not_asked_again(plc: Device) -> None:
    plc.put(HR, 10, 65_000)
    assert await doubted(plc, values={"press/x": 65_000}, address="hr:10") == ()
    assert plc.asked == []


async def test_a_device_that_falls_silent_ends_it_without_an_error(plc: Device) -> None:
    plc.lie = lambda _asked, _honest: None
    assert await doubted(plc, causes={"press/x": "illegal_address"}, address="hr:200") == ()


@pytest.mark.parametrize(("first", "count"), [(0, 2), (65_535, 2), (200, 3)])
def test_neighbours_lie_within_the_table(first: int, count: int) -> None:
    places = list(neighbours(Place("k", "hr", first)))
    assert len(places) == count
    assert all(0 <= one.offset < 65_536 for one in places)
    assert places[-1] == Place("k", "ir", first)


@given(st.integers(1, 2**31 - 1))
def test_a_count_in_the_right_order_is_hardly_ever_doubted(count: int) -> None:
    """Only one that would be a thousand times smaller otherwise may be."""
    read = readings(struct.pack(">I", count), Reading("uint32", "ABCD"))
    assert read["ABCD"] == count
    doubted_by = [other for other in read.values() if is_likelier(other, count)]
    assert all(isinstance(one, int) and one * 1000 <= count for one in doubted_by)


@given(st.floats(width=32))
def test_any_float_may_be_compared_in_all_orders(value: float) -> None:
    read = readings(struct.pack(">f", value), Reading("float32", "ABCD"))
    assert list(read) == ["ABCD", "CDAB", "BADC", "DCBA"]
    for one in read.values():
        is_likelier(one, read["ABCD"])


def test_orders_of_64_bits_are_named_once_each() -> None:
    assert len(readings(bytes(8), Reading("uint64", "ABCD"))) == 4
