import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.codec import Reading
from drivers.modbus.explain import (
    MAX_BYTES,
    Expected,
    NotBytes,
    Row,
    WrongLength,
    bits_on,
    data_of,
    readings,
    value_of,
)
from drivers.modbus.tag import Order, ValueType


@pytest.mark.parametrize(
    "text",
    ["42F6E979", "42f6 e979", "0x42F6E979", "0x42 0xF6 0xE9 0x79", "42:F6:E9:79", "42,f6,e9,79",
     " 42-F6-E9-79 ", "42F6;E979", "0x42F6, 0xE979"],
)  # fmt: skip
def test_bytes_as_tools_write_them(text: str) -> None:
    assert data_of(text) == bytes([0x42, 0xF6, 0xE9, 0x79])


def test_registers_as_other_tools_write_them() -> None:
    assert data_of("17142, 59769", decimal=True) == bytes.fromhex("42F6E979")


@pytest.mark.parametrize("text", ["", " ", "4", "42F", "hello", "0x", "42" * (MAX_BYTES + 1)])
def test_what_is_no_bytes(text: str) -> None:
    with pytest.raises(NotBytes):
        data_of(text)
    with pytest.raises(NotBytes):
        data_of("65536", decimal=True)


def rows(text: str, **more: object) -> dict[tuple[ValueType, Order], Row]:
    found = readings(bytes.fromhex(text), **more)  # type: ignore[arg-type]
    return {(row.type, row.order): row for row in found}


def test_every_type_of_the_length_stands_beside_the_others_in_every_order() -> None:
    found = rows("42F6E979")
    assert {kind for kind, _ in found} == {"int32", "uint32", "float32", "bcd32", "string"}
    assert {order for kind, order in found if kind == "float32"} == {"ABCD", "CDAB", "BADC", "DCBA"}
    assert {order for kind, order in found if kind == "string"} == {"AB", "BA"}
    long = {order for kind, order in rows("00" * 8) if kind == "int64"}
    assert long == {"ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"}
    short = set(rows("1234"))
    assert {("uint16", "AB"), ("uint16", "BA"), ("uint8h", "AB"), ("float16", "BA")} <= short
    assert ("uint8h", "BA") not in short


def test_longer_data_is_walked_register_by_register() -> None:
    found = readings(bytes.fromhex("0007 42F6E979 00010000"), expected=Expected.of("123.5"))
    (fit,) = [row for row in found if row.fit is not None]
    assert (fit.type, fit.order, fit.at) == ("float32", "ABCD", 1)
    assert [row.value for row in found if row.type == "uint16"] == [7, 0x42F6, 0xE979, 1, 0]
    assert [row.at for row in found if (row.type, row.order) == ("int32", "CDAB")] == [0, 1, 2, 3]
    assert {row.type for row in readings(b"abc")} >= {"string", "uint16"}


def test_what_no_machine_shows_is_marked() -> None:
    found = rows("42F6E979")
    assert found["float32", "ABCD"].doubt is None
    assert found["float32", "DCBA"].doubt == "unlikely"
    assert found["bcd32", "ABCD"] == Row("bcd32", "ABCD", None, "invalid")
    assert rows("00000001")["float32", "ABCD"].doubt == "unlikely"
    assert rows("00000000")["float32", "ABCD"].doubt is None
    assert rows("7FC00000")["float32", "ABCD"].doubt == "invalid"
    assert rows("41420000")["string", "AB"] == Row("string", "AB", "AB")
    assert rows("01020000")["string", "AB"].doubt == "unlikely"


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_the_value_on_the_display_finds_the_order(order: Order) -> None:
    sent = {"ABCD": "42F6E979", "CDAB": "E97942F6", "BADC": "F64279E9", "DCBA": "79E9F642"}
    found = rows(sent[order], expected=Expected.of("123.5"))
    assert [key for key, row in found.items() if row.fit is not None] == [("float32", order)]


def test_a_number_without_scale_is_tried_with_the_usual_ones() -> None:
    found = rows("00EB", expected=Expected.of("23.5"))
    assert found["uint16", "AB"].fit == 0.1
    assert found["int16", "AB"].fit == 0.1
    assert found["uint16", "BA"].fit is None
    scaled = rows("00EB", scale=0.1, expected=Expected.of("23.5"))
    assert scaled["uint16", "AB"] == Row("uint16", "AB", 23.5, None, 1.0)


def test_the_last_digit_of_a_display_is_rounded() -> None:
    assert Expected.of("23.5").fits(23.46)
    assert not Expected.of("23.5").fits(23.4)
    assert Expected.of("120").fits(120.4)
    assert Expected.of("1e3").fits(1000.2)
    with pytest.raises(ArithmeticError):
        Expected.of("warm")


def test_one_reading_needs_its_own_length() -> None:
    with pytest.raises(WrongLength, match="a float32 takes 4 bytes, given are 2"):
        value_of(b"\0\0", Reading("float32"))


def test_a_bool_is_a_bit_of_a_register_or_of_coils() -> None:
    assert value_of(b"\x80\x01", Reading("bool")) is True
    assert value_of(b"\x80\x01", Reading("bool", bit=15)) is True
    assert value_of(b"\x80\x01", Reading("bool", bit=7)) is False
    assert value_of(b"\x81", Reading("bool", bit=7)) is True
    assert value_of(b"\x01", Reading("bool")) is True
    with pytest.raises(WrongLength):
        value_of(b"\x01", Reading("bool", bit=8))
    assert bits_on(b"\x80\x01") == (0, 15)
    assert bits_on(b"\x01\x00\x02") == (0, 17)


@given(st.binary(min_size=1, max_size=40), st.decimals(-1000, 1000, places=2))
def test_whatever_the_bytes_they_are_read(data: bytes, shown: object) -> None:
    for row in readings(data, scale=0.1, offset=-3, expected=Expected.of(str(shown))):
        assert (row.value is None) == (row.doubt == "invalid")
