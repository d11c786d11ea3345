"""What bytes from the wire may mean: one reading, or all of them side by side.

- `value_of` reads as the driver does, by the same code.
- `readings` lists every type and order that has the length of the data, or what each of its
  registers may begin where it is longer; marks what is unlikely and, given a value read off
  the machine's own display, what fits it.
- Whatever the bytes are, both return; only a length that does not fit is an error.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from drivers.contract import Value
from drivers.modbus.codec import Reading, reader, scaling, unpack
from drivers.modbus.tag import REGISTERS, TYPES, Encoding, Order, ValueType, orders_of

Doubt = Literal["invalid", "unlikely"]
"""``invalid``: it is no value of that type. ``unlikely``: no machine shows such a number."""

MAX_BYTES = 250  # what one answer carries
_REGISTER_BYTES = 2
_TINY, _HUGE = 1e-6, 1e9
_HUGE_LONG = 10**15
_SCALES = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"), Decimal(10))
_FULL_ORDERS = 4
_BYTES = frozenset({"int8h", "int8l", "uint8h", "uint8l"})
_LENGTHS = frozenset({2, 4, 8})
_WALKED: tuple[tuple[ValueType, Order], ...] = (
    ("uint16", "AB"),
    ("int16", "AB"),
    ("int32", "ABCD"),
    ("int32", "CDAB"),
    ("float32", "ABCD"),
    ("float32", "CDAB"),
)


class NotBytes(ValueError):
    """The text is no list of bytes."""


class WrongLength(ValueError):
    """A ``kind`` takes ``wanted`` bytes and there are ``given``."""

    def __init__(self, kind: ValueType, wanted: int, given: int) -> None:
        super().__init__(f"a {kind} takes {wanted} bytes, given are {given}")
        self.kind = kind
        self.wanted = wanted
        self.given = given


@dataclass(frozen=True, slots=True)
class Expected:
    """A value as a display shows it: what is behind its last digit is not known."""

    value: Decimal
    tolerance: Decimal

    @classmethod
    def of(cls, text: str) -> "Expected":
        """Return what is written as ``23.5``; raises ArithmeticError for no number."""
        value = Decimal(text)
        shown = len(text.partition(".")[2])
        return cls(value, Decimal(1).scaleb(-shown) / 2)

    def fits(self, value: float) -> bool:
        """Say whether a display that shows this may have got ``value``."""
        return math.isfinite(value) and abs(Decimal(value) - self.value) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Row:
    """One way to read the data."""

    type: ValueType
    order: Order
    value: Value | None
    doubt: Doubt | None = None
    fit: float | None = None
    """The scale with which it is what was expected."""
    at: int = 0
    """The register it begins with."""


def data_of(text: str, *, decimal: bool = False) -> bytes:
    """Return the bytes of ``42F6 E979``, ``0x42 0xF6``, ``42:f6:e9:79``; raises NotBytes.

    With ``decimal`` the text is a list of registers, ``17142, 59769``.
    """
    parts = [part for part in re.split(r"[\s,;:\-]+", text.strip()) if part]
    try:
        if decimal:
            data = b"".join(int(part).to_bytes(_REGISTER_BYTES) for part in parts)
        else:
            data = bytes.fromhex("".join(re.sub("^0[xX]", "", part) for part in parts))
    except (ValueError, OverflowError):
        raise NotBytes(text) from None
    if not 0 < len(data) <= MAX_BYTES:
        raise NotBytes(text)
    return data


def value_of(data: bytes, reading: Reading) -> Value | None:
    """Return the value the driver would read, None if it is none; raises WrongLength.

    A bool is bit 0 if the reading does not say which. A single byte is one of coils, or what
    a type of 8 bits takes of its register.
    """
    wanted = reading.string_bytes if reading.type == "string" else 2 * reading.registers
    if reading.type == "bool" and len(data) == 1 and (reading.bit or 0) < 8:  # noqa: PLR2004
        return bool(data[0] >> (reading.bit or 0) & 1)
    if len(data) == 1 and reading.type in _BYTES:
        data *= _REGISTER_BYTES
    if len(data) != wanted:
        raise WrongLength(reading.type, wanted, len(data))
    raw = unpack(data.ljust(2 * reading.registers, b"\0"), reading)
    if reading.type == "bool" and isinstance(raw, int):
        return bool(raw >> (reading.bit or 0) & 1)
    if isinstance(raw, float) and not math.isfinite(raw):
        return None
    read = reader(reading)
    return raw if read is None and not isinstance(raw, bytes) else read and read(raw)


def readings(
    data: bytes,
    *,
    scale: float = 1,
    offset: float = 0,
    expected: Expected | None = None,
    encoding: Encoding = "ascii",
) -> tuple[Row, ...]:
    """Return all readings of the data: those of its length, then as a string."""
    own = scale != 1 or offset != 0
    rows: list[Row] = []
    for at, kind, order in _ways(data):
        text = kind == "string"
        reading = Reading(kind, order, string_bytes=len(data) if text else 0, encoding=encoding)
        size = len(data) if text else 2 * reading.registers
        raw = value_of(data[2 * at : 2 * at + size], reading)
        value = raw if text or not own else _scaled(raw, scale, offset)
        rows.append(Row(kind, order, value, _doubt(value), _fit(value, expected, own=own), at))
    return tuple(rows)


def bits_on(data: bytes) -> tuple[int, ...]:
    """Return which bits are 1: of a register, or of coils if the bytes are of odd number."""
    whole = int.from_bytes(data, "big" if len(data) == _REGISTER_BYTES else "little")
    return tuple(bit for bit in range(8 * len(data)) if whole >> bit & 1)


def _ways(data: bytes) -> Iterator[tuple[int, ValueType, Order]]:
    if len(data) in _LENGTHS:
        for kind, order in _ways_of_length(len(data)):
            yield 0, kind, order
    else:
        for at in range(len(data) // _REGISTER_BYTES):
            for kind, order in _WALKED:
                if at + REGISTERS[kind] <= len(data) // _REGISTER_BYTES:
                    yield at, kind, order
    yield 0, "string", "AB"
    if len(data) % _REGISTER_BYTES == 0:
        yield 0, "string", "BA"


def _ways_of_length(size: int) -> Iterator[tuple[ValueType, Order]]:
    for kind in TYPES:
        if kind in {"bool", "string"} or 2 * REGISTERS[kind] != size:
            continue
        orders = orders_of(kind)[:_FULL_ORDERS]
        for order in orders[:2] if size == _REGISTER_BYTES else orders:
            if order != "BA" or "8" not in kind:
                yield kind, order


def _scaled(raw: Value | None, scale: float, offset: float) -> Value | None:
    if raw is None or isinstance(raw, str):
        return raw
    value = scaling(scale, offset)(raw)
    return value if math.isfinite(value) else None


def _doubt(value: Value | None) -> Doubt | None:
    if value is None:
        return "invalid"
    if isinstance(value, str):
        return None if value and value.isprintable() else "unlikely"
    if isinstance(value, float) and value:
        return None if _TINY <= abs(value) <= _HUGE else "unlikely"
    return None if abs(value) <= _HUGE_LONG else "unlikely"


def _fit(value: Value | None, expected: Expected | None, *, own: bool) -> float | None:
    if expected is None or value is None or isinstance(value, str):
        return None
    scales = _SCALES[:1] if own or isinstance(value, float) else _SCALES
    return next((float(s) for s in scales if expected.fits(float(s * Decimal(value)))), None)
