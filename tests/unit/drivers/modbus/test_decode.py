import math
import struct
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.contract import Value
from drivers.modbus.decode import BitBlock, News, Reading, RegisterBlock, decoder
from drivers.modbus.plan import Block, Limits, Place, plan
from drivers.modbus.tag import REGISTERS, TYPES, Order, ValueType, orders_of
from tests.support.modbus_words import raw, words

ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
VALUES: dict[ValueType, st.SearchStrategy[Any]] = {
    "uint16": st.integers(0, 2**16 - 1),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
}
KINDS = st.sampled_from(sorted(VALUES))

NOTHING = News({}, {})


def block_of(*tags: tuple[str, int, Reading]) -> RegisterBlock:
    found = [Place(key, "hr", at, REGISTERS[reading.type]) for key, at, reading in tags]
    (block,) = plan(found, Limits(max_gap_registers=125))
    return RegisterBlock(block, {key: reading for key, _, reading in tags})


def taken(block: RegisterBlock | BitBlock, data: bytes) -> News:
    news = News({}, {})
    block.take(data, news)
    return news


@given(st.data(), KINDS, st.sampled_from(ORDERS))
def test_what_was_encoded_is_decoded(data: st.DataObject, kind: ValueType, order: Order) -> None:
    value = data.draw(VALUES[kind])
    block = block_of(("a", 0, Reading(kind, order)))
    assert taken(block, raw(words(value, kind, order))).changed == {"a": value}


@given(
    st.data(),
    st.lists(st.tuples(KINDS, st.sampled_from(ORDERS), st.integers(0, 3)), min_size=1, max_size=12),
)
def test_a_block_of_anything_with_gaps_is_decoded(
    data: st.DataObject, fields: list[tuple[ValueType, Order, int]]
) -> None:
    registers: list[int] = []
    tags: list[tuple[str, int, Reading]] = []
    expected: dict[str, Value] = {}
    for index, (kind, order, gap) in enumerate(fields):
        if tags:
            registers += [0xDEAD] * gap
        value = data.draw(VALUES[kind])
        tags.append((f"t{index}", len(registers), Reading(kind, order)))
        registers += words(value, kind, order)
        expected[f"t{index}"] = value
    assert taken(block_of(*tags), raw(registers)).changed == expected


def test_the_four_orders_of_a_known_value() -> None:
    for order, registers in {
        "ABCD": [0x0102, 0x0304],
        "CDAB": [0x0304, 0x0102],
        "BADC": [0x0201, 0x0403],
        "DCBA": [0x0403, 0x0201],
    }.items():
        block = block_of(("a", 0, Reading("uint32", order)))  # type: ignore[arg-type]
        assert taken(block, raw(registers)).changed == {"a": 0x01020304}


def test_overlapping_tags_each_get_their_value() -> None:
    block = block_of(("long", 0, Reading("uint32")), ("low", 1, Reading()), ("high", 0, Reading()))
    assert taken(block, raw([7, 9])).changed == {"long": (7 << 16) + 9, "low": 9, "high": 7}
    assert taken(block, raw([7, 10])).changed == {"long": (7 << 16) + 10, "low": 10}


def test_equal_bytes_bring_nothing() -> None:
    block = block_of(("a", 0, Reading()), ("b", 1, Reading("bool", bit=0)))
    assert taken(block, raw([1, 1])) != NOTHING
    assert taken(block, raw([1, 1])) == NOTHING


def test_a_change_in_a_gap_brings_nothing() -> None:
    block = block_of(("a", 0, Reading()), ("b", 2, Reading()))
    taken(block, raw([1, 5, 2]))
    assert taken(block, raw([1, 6, 2])) == NOTHING


def test_only_what_changed_is_listed() -> None:
    block = block_of(*((f"t{i}", i, Reading()) for i in range(10)))
    taken(block, raw(list(range(10))))
    assert taken(block, raw([0, 1, 2, 99, 4, 5, 6, 7, 8, 9])).changed == {"t3": 99}


def test_only_the_bits_that_changed_are_listed() -> None:
    block = block_of(*((f"b{i}", 0, Reading("bool", bit=i)) for i in range(16)))
    first = taken(block, raw([0b101])).changed
    assert first == {f"b{i}": i in {0, 2} for i in range(16)}
    assert taken(block, raw([0b110])).changed == {"b0": False, "b1": True}


def test_a_bit_may_lie_in_swapped_bytes() -> None:
    block = block_of(("a", 0, Reading("bool", "BADC", bit=0)))
    assert taken(block, raw([0x0100])).changed == {"a": True}


def test_forgetting_lists_everything_again() -> None:
    block = block_of(("a", 0, Reading()))
    taken(block, raw([1]))
    block.forget()
    assert taken(block, raw([1])).changed == {"a": 1}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_nan_and_no_infinity_gets_through(value: float) -> None:
    block = block_of(("a", 0, Reading("float32")), ("b", 2, Reading()))
    sick = words(value, "float32")
    assert taken(block, raw([*sick, 1])) == News({"b": 1}, {"a": "invalid_value"})
    assert taken(block, raw([*sick, 1])) == News({}, {"a": "invalid_value"})
    assert taken(block, raw([*sick, 2])) == News({"b": 2}, {"a": "invalid_value"})
    assert taken(block, raw([*words(1.5, "float32"), 2])) == News({"a": 1.5}, {})
    assert taken(block, raw([*words(1.5, "float32"), 2])) == NOTHING
    assert taken(block, raw([*sick, 2])) == News({}, {"a": "invalid_value"})


def test_a_nan_is_none_of_the_tags_that_read_it() -> None:
    block = block_of(
        ("a", 0, Reading("float32")),
        ("b", 0, Reading("float32", scale=2)),
        ("c", 2, Reading()),
    )
    sick = words(math.nan, "float32")
    assert taken(block, raw([*sick, 1])) == News(
        {"c": 1}, {"a": "invalid_value", "b": "invalid_value"}
    )


def test_a_scaled_value_beyond_what_can_be_stored_is_invalid() -> None:
    block = block_of(
        ("a", 0, Reading("float64", scale=1e300)),
        ("b", 4, Reading("uint64", scale=1000)),
        ("c", 8, Reading()),
    )
    sick = [*words(1e300, "float64"), *words(2**63, "uint64")]
    bad = {"a": "invalid_value", "b": "invalid_value"}
    assert taken(block, raw([*sick, 1])) == News({"c": 1}, bad)
    assert taken(block, raw([*sick, 2])) == News({"c": 2}, bad)
    well = [*words(0.0, "float64"), *words(3, "uint64")]
    assert taken(block, raw([*well, 2])) == News({"a": 0.0, "b": 3000}, {})


@pytest.mark.parametrize(
    ("number", "scale", "offset", "shown"),
    [
        (3, 0.1, 0, 0.3),
        (215, 0.1, 0, 21.5),
        (-7, 0.01, 0.5, 0.43),
        (7, 10, 0, 70),
        (7, 10.0, 0.0, 70),
        (7, 1, -40, -33),
        (7, 1e-06, 0, 7e-06),
        (7, 2.5, 0, 17.5),
    ],
)
def test_a_scaled_value_shows_no_binary_dust(
    number: int, scale: float, offset: float, shown: float
) -> None:
    block = block_of(("a", 0, Reading("int16", scale=scale, offset=offset)))
    value = taken(block, raw(words(number, "int16"))).changed["a"]
    assert value == shown
    assert type(value) is type(shown)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.data())
def test_bits_of_a_bit_table(offsets: list[int], data: st.DataObject) -> None:
    found = [Place(f"t{i}", "coil", at) for i, at in enumerate(offsets)]
    (block,) = plan(found, Limits())
    reader = decoder(block, {})
    before: dict[str, Value] = {}
    for _ in range(3):
        bits = data.draw(st.lists(st.booleans(), min_size=block.count, max_size=block.count))
        packed = sum(bit << i for i, bit in enumerate(bits)).to_bytes(
            (block.count + 7) // 8, "little"
        )
        now: dict[str, Value] = {p.key: bits[p.offset - block.start] for p in found}
        assert taken(reader, packed).changed == {k: v for k, v in now.items() if before.get(k) != v}
        before = now


def test_padding_bits_do_not_matter() -> None:
    block = BitBlock(Block("di", 0, 3, (Place("a", "di", 0), Place("c", "di", 2))))
    assert taken(block, b"\x01").changed == {"a": True, "c": False}
    assert taken(block, b"\xf9") == NOTHING
    block.forget()
    assert taken(block, b"\xf9").changed == {"a": True, "c": False}


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=8))
def test_news_add_up_to_the_values(scans: list[list[int]]) -> None:
    assume(scans)
    readings = {
        "a": (0, Reading()),
        "b": (1, Reading("uint32", "CDAB")),
        "c": (3, Reading("bool", bit=1)),
        "d": (3, Reading("bool", bit=0)),
        "e": (4, Reading("int16", scale=0.5)),
    }
    block = block_of(*((key, at, reading) for key, (at, reading) in readings.items()))
    seen: dict[str, Value] = {}
    for registers in scans:
        seen.update(taken(block, raw(registers[:5])).changed)
        assert seen == {
            "a": registers[0],
            "b": (registers[2] << 16) + registers[1],
            "c": bool(registers[3] & 2),
            "d": bool(registers[3] & 1),
            "e": registers[4] * 0.5,
        }


def test_bytes_bits_and_the_word_itself_share_a_register() -> None:
    block = block_of(
        ("high", 0, Reading("int8h")),
        ("low", 0, Reading("uint8l")),
        ("word", 0, Reading()),
        ("bcd", 0, Reading("bcd16")),
        ("bit", 0, Reading("bool", bit=15)),
    )
    news = taken(block, raw([0x8012]))
    assert news.changed == {"high": -128, "low": 18, "word": 0x8012, "bcd": 8012, "bit": True}
    news = taken(block, raw([0x80FF]))
    assert news.changed == {"low": 255, "word": 0x80FF}
    assert news.bad == {"bcd": "invalid_value"}
    assert taken(block, raw([0x0011])).changed == {
        "high": 0,
        "low": 17,
        "word": 17,
        "bcd": 11,
        "bit": False,
    }


def test_a_string_lies_among_numbers_and_comes_only_when_it_changed() -> None:
    name = Reading("string", string_bytes=5)
    turned = Reading("string", "BA", string_bytes=4)
    tags = [("a", 0, Reading()), ("name", 1, name), ("b", 4, Reading()), ("turned", 5, turned)]
    found = [Place(key, "hr", at, reading.registers) for key, at, reading in tags]
    (block,) = plan(found, Limits())
    reader = RegisterBlock(block, {key: reading for key, _, reading in tags})
    data = struct.pack(">H6sH4s", 1, b"PN-17x", 2, b"BADC")
    assert taken(reader, data).changed == {"a": 1, "name": "PN-17", "b": 2, "turned": "ABCD"}
    data = struct.pack(">H6sH4s", 1, b"PN-17y", 3, b"BADC")
    assert taken(reader, data).changed == {"b": 3}
    data = struct.pack(">H6sH4s", 1, b"PN-18y", 3, b"BADC")
    assert taken(reader, data).changed == {"name": "PN-18"}


def test_a_value_that_is_none_for_a_while_comes_back_even_if_it_is_the_same() -> None:
    reading = Reading("int16", scale=0.1, invalid=frozenset({-32768}))
    block = block_of(("a", 0, reading), ("b", 1, Reading()))
    assert taken(block, raw([250, 1])).changed == {"a": 25.0, "b": 1}
    assert taken(block, raw([0x8000, 1])) == News({}, {"a": "invalid_value"})
    assert taken(block, raw([0x8000, 2])) == News({"b": 2}, {"a": "invalid_value"})
    assert taken(block, raw([250, 2])) == News({"a": 25.0}, {})


@given(st.sampled_from(TYPES), st.lists(st.binary(min_size=16, max_size=16), min_size=1), st.data())
def test_whatever_comes_every_tag_is_given_or_bad_at_first(
    kind: ValueType, scans: list[bytes], data: st.DataObject
) -> None:
    order = data.draw(st.sampled_from(orders_of(kind)))
    bit = 3 if kind == "bool" else None
    reading = Reading(kind, order, bit, string_bytes=7 if kind == "string" else 0)
    places = [Place("a", "hr", 0, reading.registers), Place("end", "hr", 7)]
    (block,) = plan(places, Limits())
    reader = RegisterBlock(block, {"a": reading, "end": Reading()})
    first = taken(reader, scans[0])
    assert {*first.changed, *first.bad} == {"a", "end"}
    for scan in scans:
        news = taken(reader, scan)
        assert not news.changed.keys() & news.bad.keys()
