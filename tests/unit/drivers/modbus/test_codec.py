import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import BadSetting
from drivers.modbus.codec import Reading, byte_order, invalid_values, reader, unpack
from drivers.modbus.explain import value_of
from drivers.modbus.tag import TYPES, Order, ValueType, orders_of
from drivers.values import is_sound

BYTES: tuple[ValueType, ...] = ("int8h", "int8l", "uint8h", "uint8l")


def value(text: str, kind: ValueType, order: Order = "ABCD", **more: Any) -> Any:
    return value_of(bytes.fromhex(text), Reading(kind, order, **more))


@pytest.mark.parametrize(
    ("text", "kind", "order", "expected"),
    [
        ("1234", "uint16", "AB", 0x1234),
        ("1234", "uint16", "BA", 0x3412),
        ("1234", "uint16", "BADC", 0x3412),
        ("FFFE", "int16", "AB", -2),
        ("7F80", "int8h", "AB", 127),
        ("7F80", "int8l", "AB", -128),
        ("7F80", "uint8h", "AB", 127),
        ("7F80", "uint8l", "AB", 128),
        ("7F80", "uint8h", "BA", 128),
        ("3C00", "float16", "AB", 1.0),
        ("C500", "float16", "AB", -5.0),
        ("0035", "float16", "BA", 0.3125),
        ("1234", "bcd16", "AB", 1234),
        ("9999", "bcd16", "AB", 9999),
        ("3412", "bcd16", "BA", 1234),
        ("12345678", "bcd32", "ABCD", 12345678),
        ("56781234", "bcd32", "CDAB", 12345678),
        ("34127856", "bcd32", "BADC", 12345678),
        ("78563412", "bcd32", "DCBA", 12345678),
        ("42F6E979", "float32", "ABCD", 123.45600128173828),
        ("E97942F6", "float32", "CDAB", 123.45600128173828),
        ("F64279E9", "float32", "BADC", 123.45600128173828),
        ("79E9F642", "float32", "DCBA", 123.45600128173828),
        ("0102030405060708", "uint64", "ABCDEFGH", 0x0102030405060708),
        ("0708050603040102", "uint64", "GHEFCDAB", 0x0102030405060708),
        ("0201040306050807", "uint64", "BADCFEHG", 0x0102030405060708),
        ("0807060504030201", "uint64", "HGFEDCBA", 0x0102030405060708),
        ("0708050603040102", "uint64", "CDAB", 0x0102030405060708),
        ("0201040306050807", "uint64", "BADC", 0x0102030405060708),
        ("0807060504030201", "uint64", "DCBA", 0x0102030405060708),
    ],
)
def test_known_bytes(text: str, kind: ValueType, order: Order, expected: Any) -> None:
    found = value(text, kind, order)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", ["000A", "00A0", "0F00", "A000", "FFFF"])
def test_a_digit_above_nine_is_no_value(text: str) -> None:
    assert value(text, "bcd16") is None
    assert value(f"0000{text}", "bcd32") is None
    assert value(f"{text}0000", "bcd32") is None


@given(st.integers(0, 0xFFFFFFFF))
def test_bcd_is_what_its_hex_digits_say(bits: int) -> None:
    digits = f"{bits:08X}"
    assert value(digits, "bcd32") == (int(digits) if digits.isdecimal() else None)


@pytest.mark.parametrize(
    ("data", "size", "order", "encoding", "expected"),
    [
        (b"PN-17\0\0\0", 8, "AB", "ascii", "PN-17"),
        (b"NP1-\0" + b"7\0\0", 8, "BA", "ascii", "PN-17"),
        (b"PN-17   ", 8, "AB", "ascii", "PN-17"),
        (b"PN-17 \0X", 8, "AB", "ascii", "PN-17"),
        (b"  PN", 4, "AB", "ascii", "  PN"),
        (b"ABC", 3, "AB", "ascii", "ABC"),
        (b"\0\0", 2, "AB", "ascii", ""),
        ("冲床".encode("gb18030"), 4, "AB", "gb18030", "冲床"),
        ("冲床".encode(), 6, "AB", "utf-8", "冲床"),
        ("冲床".encode("gb18030"), 4, "AB", "ascii", None),
        (b"\xff\xfe", 2, "AB", "utf-8", None),
        (b"\xff\xff", 2, "AB", "gb18030", None),
    ],
)
def test_strings(data: bytes, size: int, order: Order, encoding: Any, expected: str | None) -> None:
    reading = Reading("string", order, string_bytes=size, encoding=encoding)
    assert value_of(data, reading) == expected


def test_what_is_left_of_a_strings_last_register_is_not_part_of_it() -> None:
    reading = Reading("string", string_bytes=3)
    read = reader(reading)
    assert read is not None
    assert read(b"ABCD") == "ABC"


@pytest.mark.parametrize(
    ("kind", "invalid", "sick", "well"),
    [
        ("int16", "0x8000", "8000", "7FFF"),
        ("int16", -32768, "8000", "8001"),
        ("uint16", "0xFFFF", "FFFF", "FFFE"),
        ("uint16", 65535, "FFFF", "FFFE"),
        ("int32", "0x80000000", "80000000", "80000001"),
        ("uint8h", "0xFF", "FF00", "FEFF"),
        ("int8l", "0xFF", "00FF", "FF00"),
        ("bcd16", "0x9999", "9999", "9998"),
        ("bcd16", 9999, "9999", "9998"),
        ("float32", -9999.9, "C61C3F9A", "C61C3F9B"),
        ("float32", "0x7F7FFFFF", "7F7FFFFF", "3F800000"),
        ("float64", -1, "BFF0000000000000", "3FF0000000000000"),
    ],
)
def test_a_value_listed_as_invalid_is_none(
    kind: ValueType, invalid: float | str, sick: str, well: str
) -> None:
    reading = Reading(kind, invalid=invalid_values(kind, (invalid,)))
    assert value_of(bytes.fromhex(sick), reading) is None
    assert value_of(bytes.fromhex(well), reading) is not None


def test_invalid_is_judged_before_scale_and_offset() -> None:
    reading = Reading("int16", scale=0.1, offset=5, invalid=invalid_values("int16", ("0x8000",)))
    assert value_of(b"\x80\x00", reading) is None
    assert value_of(b"\x00\x0a", reading) == 6.0


def test_nan_is_no_value_whether_listed_or_not() -> None:
    assert invalid_values("float32", ("NaN", math.nan)) == frozenset()
    assert value("7FC00000", "float32") is None
    assert value("7E00", "float16") is None


@pytest.mark.parametrize(
    ("kind", "never"),
    [
        ("uint16", -1),
        ("uint16", 65536),
        ("int16", 32768),
        ("uint16", 0.5),
        ("uint16", "NaN"),
        ("uint16", "0x10000"),
        ("uint8h", "0x100"),
        ("bcd16", 10000),
        ("bcd16", "0x000A"),
        ("int32", "8000"),
        ("int32", "none"),
        ("float16", 1e30),
        ("uint16", math.inf),
    ],
)
def test_what_a_type_never_is_cannot_be_listed(kind: ValueType, never: float | str) -> None:
    with pytest.raises(BadSetting, match="is never"):
        invalid_values(kind, (never,))


@given(st.sampled_from(TYPES), st.data())
def test_whatever_the_bytes_a_value_can_be_stored_or_is_none(
    kind: ValueType, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, 20)) if kind == "string" else 0
    reading = Reading(
        kind,
        data.draw(st.sampled_from(orders_of(kind))),
        scale=data.draw(st.sampled_from([1, 0.1, 1000, 1e300])),
        string_bytes=size,
        encoding=data.draw(st.sampled_from(["ascii", "gb18030", "utf-8"])),
    )
    raw = data.draw(st.binary(min_size=size, max_size=size)) if size else b""
    if not size:
        raw = data.draw(st.binary(min_size=2 * reading.registers, max_size=2 * reading.registers))
    found = value_of(raw, reading)
    if isinstance(found, str):
        assert "\0" not in found
        found.encode()
    elif found is not None:
        assert is_sound(found)


@given(st.sampled_from(["uint32", "int64", "float32", "uint16"]), st.data())
def test_every_order_is_undone(kind: ValueType, data: st.DataObject) -> None:
    order = data.draw(st.sampled_from(orders_of(kind)))
    reading = Reading(kind, order)
    straight = data.draw(st.binary(min_size=2 * reading.registers, max_size=2 * reading.registers))
    sent = bytearray(len(straight))
    for place, index in enumerate(byte_order(order, reading.registers)):
        sent[index] = straight[place]
    expected = struct.unpack(f">{reading.code}", straight)[0]
    found = unpack(bytes(sent), reading)
    assert found == expected or (math.isnan(expected) and math.isnan(float(found)))


def test_a_text_is_read_from_bytes_and_from_nothing_else() -> None:
    text = reader(Reading("string", "AB", string_bytes=2))
    assert text is not None
    assert (text(b"AB"), text(7)) == ("AB", None)
