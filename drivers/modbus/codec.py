"""One value and its bytes: what each type is in registers, in whatever order they lie.

- `reader` is defined for every type, and what it returns for any raw value is either a
  value that can be stored or None; nothing raises.
- None means "no value": NaN, infinity, a BCD digit above 9, undecodable text, a raw value
  the tag lists as invalid, a result beyond what JSON can carry.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from drivers.contract import BadSetting, Value
from drivers.modbus.tag import REGISTERS, WORD_ORDERS, Encoding, Order, ValueType
from drivers.values import is_sound

Number = int | float
Raw = int | float | bytes
Reader = Callable[[Raw], Value | None]

_CODES = MappingProxyType(
    {
        "uint16": "H",
        "int16": "h",
        "uint32": "I",
        "int32": "i",
        "uint64": "Q",
        "int64": "q",
        "float16": "e",
        "float32": "f",
        "float64": "d",
    }
)
_BYTES = frozenset({"int8h", "int8l", "uint8h", "uint8l"})
_FLOATS = frozenset({"float16", "float32", "float64"})
_NINES = 0x66666666  # added to BCD digits, it carries out of each that is above 9


@dataclass(frozen=True, slots=True)
class Reading:
    """How one tag's value is read: ``bit`` only where the type is bool in a register."""

    type: ValueType = "uint16"
    order: Order = "ABCD"
    bit: int | None = None
    scale: float = 1
    offset: float = 0
    invalid: frozenset[Number] = frozenset()
    """Values of the type, before scale and offset, that mean there is none."""
    string_bytes: int = 0
    encoding: Encoding = "ascii"

    @property
    def registers(self) -> int:
        """How many registers it takes."""
        return (self.string_bytes + 1) // 2 if self.type == "string" else REGISTERS[self.type]

    @property
    def part(self) -> int | str | None:
        """Which part of its registers it is, a bit or a byte; None: all of them."""
        return self.type[-1] if self.type in _BYTES else self.bit

    @property
    def is_part(self) -> bool:
        """Whether two raw values may be one value."""
        return self.type == "string" or self.type in _BYTES

    @property
    def code(self) -> str:
        """How `struct` takes its registers apart: tags of one code share the raw value."""
        if self.type == "string":
            return f"{2 * self.registers}s"
        return _CODES.get(self.type) or ("I" if self.type == "bcd32" else "H")


def byte_order(order: Order, registers: int) -> tuple[int, ...]:
    """Return which byte as transmitted comes first, second, ... most significant first."""
    words = [(2 * i, 2 * i + 1) for i in range(registers)]
    if WORD_ORDERS[order] in {"CDAB", "DCBA"}:
        words.reverse()
    if WORD_ORDERS[order] in {"BADC", "DCBA"}:
        words = [(low, high) for high, low in words]
    return tuple(index for word in words for index in word)


def unpack(data: bytes, reading: Reading) -> Raw:
    """Return the raw value in the bytes of its registers as transmitted."""
    swapped = bytes(data[index] for index in byte_order(reading.order, reading.registers))
    raw: Raw = struct.unpack(f">{reading.code}", swapped)[0]
    return raw


def reader(reading: Reading) -> Reader | None:
    """Return what makes a raw value the tag's; None where it is the raw value itself.

    Raw values that are NaN or infinite are the caller's to sort out before that.
    """
    if reading.type == "string":
        return _text(reading.string_bytes, reading.encoding)
    number = _number(reading.type)
    scaled = reading.scale != 1 or reading.offset != 0
    if not scaled and not reading.invalid:
        return number
    scale = scaling(reading.scale, reading.offset) if scaled else None
    return _checked(number, reading.invalid, scale)


def scaling(scale: float, offset: float) -> Callable[[Number], Number]:
    """Return raw x scale + offset, rounded to the decimals the two are written with.

    The product of binary fractions would show as 0.30000000000000004.
    """
    digits = max(_decimals(scale), _decimals(offset))
    if digits == 0:
        whole_scale, whole_offset = int(scale), int(offset)
        return lambda raw: raw * whole_scale + whole_offset

    def scaled(raw: Number) -> Number:
        value = raw * scale + offset
        return round(value, digits) if type(raw) is int else value

    return scaled


def invalid_values(kind: ValueType, written: tuple[int | float | str, ...]) -> frozenset[Number]:
    """Return the raw values that mean "no value"; raises BadSetting for what cannot occur.

    Text is ``0x8000``, the bits of the registers in the order of the type, or ``NaN``.
    """
    return frozenset(found for one in written for found in _invalid(kind, one))


def _decimals(number: float) -> int:
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _number(kind: ValueType) -> Callable[[Raw], Number | None] | None:
    if kind in _BYTES:
        return _byte(high=kind.endswith("h"), signed=kind.startswith("int"))
    return _bcd if kind in {"bcd16", "bcd32"} else None


def _byte(*, high: bool, signed: bool) -> Callable[[Raw], Number | None]:
    shift = 8 if high else 0
    sign = 0x80 if signed else 0

    def byte(raw: Raw) -> Number | None:
        return ((int(raw) >> shift & 0xFF) ^ sign) - sign

    return byte


def _bcd(raw: Raw) -> Number | None:
    digits = int(raw)
    carries = (digits + _NINES) ^ digits ^ _NINES
    return None if carries & 0x1_1111_1110 else int(f"{digits:x}")


def _text(size: int, encoding: Encoding) -> Reader:
    def text(raw: Raw) -> Value | None:
        if not isinstance(raw, bytes):
            return None
        try:
            return raw[:size].split(b"\0", 1)[0].decode(encoding).rstrip()
        except UnicodeDecodeError:
            return None

    return text


def _checked(
    number: Callable[[Raw], Number | None] | None,
    invalid: frozenset[Number],
    scale: Callable[[Number], Number] | None,
) -> Reader:
    def checked(raw: Raw) -> Value | None:
        value = number(raw) if number is not None else raw
        if value is None or isinstance(value, bytes) or value in invalid:
            return None
        if scale is None:
            return value
        value = scale(value)
        return value if is_sound(value) else None

    return checked


def _invalid(kind: ValueType, written: float | str) -> tuple[Number, ...]:
    value = _pattern(kind, written) if isinstance(written, str) else _nearest(kind, written)
    if isinstance(value, float) and math.isnan(value) and kind in _FLOATS:
        return ()
    if value is not None and kind != "string" and _occurs(kind, value):
        return (value,)
    raise BadSetting(
        "modbus_invalid_value",
        "invalid: a {type} is never {value}",
        "write a number as the type reads it, such as -1, the bits such as 0x8000, or NaN",
        type=kind,
        value=written,
    )


def _pattern(kind: ValueType, written: str) -> Number | None:
    if written.strip().lower() == "nan":
        return math.nan
    try:
        bits = int(written, 16) if written.lower().startswith("0x") else None
        if bits is None or kind in {"string", "bool"}:
            return None
        size = 1 if kind in _BYTES else 2 * REGISTERS[kind]
        data = bits.to_bytes(size) * (2 if size == 1 else 1)
    except (ValueError, OverflowError):
        return None
    raw = unpack(data, Reading(kind))
    number = _number(kind)
    found = number(raw) if number is not None else raw
    return None if isinstance(found, bytes) else found


def _nearest(kind: ValueType, value: Number) -> Number | None:
    """Return what a ``kind`` makes of a number: -9999.9 is none of the values of 32 bits."""
    if kind not in _FLOATS:
        return value
    code = _CODES[kind]
    try:
        found: float = struct.unpack(code, struct.pack(code, value))[0]
    except (OverflowError, struct.error):
        return None
    return found


def _occurs(kind: ValueType, value: Number) -> bool:
    """Say whether a ``kind`` can be ``value``."""
    if kind in _FLOATS:
        return True
    if isinstance(value, float) and not value.is_integer():
        return False
    if kind.startswith("bcd"):
        return 0 <= value < (10_000 if kind == "bcd16" else 100_000_000)
    width = 8 if kind in _BYTES else 16 * REGISTERS[kind]
    if kind.startswith("uint"):
        return 0 <= value < 1 << width
    return -(1 << width - 1) <= value < 1 << width - 1
