"""Raw bytes of a block to the values of its tags, doing only what a change makes necessary.

- Bytes equal to the last scan's are not decoded at all.
- `News.changed` holds exactly the tags whose value differs from the last one given, and
  every tag that was never given or was bad before.
- A value that is NaN or infinite never leaves here: its tag is bad, ``invalid_value``,
  for as long as the device says so.
"""

import math
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter

from drivers.contract import Value
from drivers.modbus.address import BIT_TABLES
from drivers.modbus.plan import Block
from drivers.modbus.tag import REGISTERS, Order, ValueType

INVALID = "invalid_value"

Number = int | float

_CODES: dict[ValueType, str] = {
    "bool": "H",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}
_FLOATS = frozenset({"float32", "float64"})


@dataclass(frozen=True, slots=True)
class Reading:
    """How one tag's value is read: ``bit`` only where the type is bool in a register."""

    type: ValueType = "uint16"
    order: Order = "ABCD"
    bit: int | None = None
    scale: float = 1
    offset: float = 0


@dataclass(slots=True)
class News:
    """What one scan brought: values that changed, tags that are bad and why."""

    changed: dict[str, Value]
    bad: dict[str, str]


def byte_order(order: Order, registers: int) -> tuple[int, ...]:
    """Return which byte as transmitted comes first, second, ... most significant first."""
    words = [(2 * i, 2 * i + 1) for i in range(registers)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [(low, high) for high, low in words]
    return tuple(index for word in words for index in word)


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


def _decimals(number: float) -> int:
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@dataclass(frozen=True, slots=True)
class _Field:
    """One decoded number and the tags that show it: as it is, scaled, or a bit of it."""

    plain: tuple[str, ...]
    scaled: tuple[tuple[str, Callable[[Number], Number]], ...]
    bits: tuple[tuple[str, int], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.plain, *(k for k, _ in self.scaled), *(k for k, _ in self.bits))

    def show(self, raw: Number, before: Number | None, news: News) -> None:
        if isinstance(raw, float) and not math.isfinite(raw):
            news.bad.update(dict.fromkeys(self.keys, INVALID))
            return
        for key in self.plain:
            news.changed[key] = raw
        for key, scale in self.scaled:
            value = scale(raw)
            if _is_sound(value):
                news.changed[key] = value
            else:
                news.bad[key] = INVALID
        if self.bits and isinstance(raw, int):
            flipped = ~0 if before is None else raw ^ int(before)
            for key, bit in self.bits:
                if flipped >> bit & 1:
                    news.changed[key] = bool(raw >> bit & 1)


def _is_sound(value: Number) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**64  # what JSON readers and stores can hold
    return math.isfinite(value)


class RegisterBlock:
    """Decodes a block of holding or input registers."""

    def __init__(self, block: Block, readings: dict[str, Reading]) -> None:
        spans: dict[tuple[int, ValueType, Order], list[str]] = defaultdict(list)
        for place in block.places:
            reading = readings[place.key]
            kind: ValueType = "uint16" if reading.type == "bool" else reading.type
            spans[place.offset - block.start, kind, reading.order].append(place.key)
        ordered = sorted(spans)
        self._fields = [_field(spans[span], readings) for span in ordered]
        self._unpack, self._gather = _compile(ordered, block.count)
        self._raw: bytes | None = None
        self._values: tuple[Number, ...] | None = None
        self._bad: dict[str, str] = {}

    def take(self, raw: bytes) -> News | None:
        """Return what is new, None if nothing is and nothing is bad."""
        if raw == self._raw:
            return News({}, self._bad) if self._bad else None
        values = self._unpack(raw if self._gather is None else bytes(self._gather(raw)))
        news = News({}, dict(self._bad))
        before = self._values
        if before is None:
            for field, value in zip(self._fields, values, strict=True):
                field.show(value, None, news)
        elif values != before:
            for field, value, last in zip(self._fields, values, before, strict=True):
                if value != last:
                    for key in field.keys if news.bad else ():
                        news.bad.pop(key, None)
                    field.show(value, last if math.isfinite(last) else None, news)
        self._raw, self._values, self._bad = raw, values, news.bad
        return news if news.changed or news.bad else None

    def forget(self) -> None:
        """Give every value again at the next take()."""
        self._raw = self._values = None
        self._bad = {}


class BitBlock:
    """Decodes a block of coils or discrete inputs."""

    def __init__(self, block: Block) -> None:
        keys: dict[int, list[str]] = defaultdict(list)
        for place in block.places:
            keys[place.offset - block.start].append(place.key)
        self._keys = dict(keys)
        self._raw: bytes | None = None
        self._mask = sum(1 << index for index in keys)

    def take(self, raw: bytes) -> News | None:
        """Return what is new, None if nothing is."""
        if raw == self._raw:
            return None
        bits = int.from_bytes(raw, "little")
        last = ~bits if self._raw is None else int.from_bytes(self._raw, "little")
        self._raw = raw
        flipped = (bits ^ last) & self._mask
        changed: dict[str, Value] = {}
        while flipped:
            index = (flipped & -flipped).bit_length() - 1
            value = bool(bits >> index & 1)
            for key in self._keys[index]:
                changed[key] = value
            flipped &= flipped - 1
        return News(changed, {}) if changed else None

    def forget(self) -> None:
        """Give every value again at the next take()."""
        self._raw = None


def decoder(block: Block, readings: dict[str, Reading]) -> RegisterBlock | BitBlock:
    """Return the decoder of a block."""
    return BitBlock(block) if block.table in BIT_TABLES else RegisterBlock(block, readings)


def _field(keys: Iterable[str], readings: dict[str, Reading]) -> _Field:
    plain: list[str] = []
    scaled: list[tuple[str, Callable[[Number], Number]]] = []
    bits: list[tuple[str, int]] = []
    for key in keys:
        reading = readings[key]
        if reading.bit is not None:
            bits.append((key, reading.bit))
        elif reading.scale == 1 and reading.offset == 0:
            plain.append(key)
        else:
            scaled.append((key, scaling(reading.scale, reading.offset)))
    return _Field(tuple(plain), tuple(scaled), tuple(bits))


def _compile(
    spans: Sequence[tuple[int, ValueType, Order]], count: int
) -> tuple[Callable[[bytes], tuple[Number, ...]], Callable[[bytes], tuple[int, ...]] | None]:
    """Return one struct for the whole block, and the byte shuffle it needs, if any."""
    ends = [offset + REGISTERS[kind] for offset, kind, _ in spans]
    apart = all(end <= span[0] for end, span in zip(ends, spans[1:], strict=False))
    if apart and all(order == "ABCD" for _, _, order in spans):
        return struct.Struct(_padded(spans, count)).unpack, None
    indexes = [
        2 * offset + index
        for offset, kind, order in spans
        for index in byte_order(order, REGISTERS[kind])
    ]
    codes = "".join(_CODES[kind] for _, kind, _ in spans)
    return struct.Struct(f">{codes}").unpack, itemgetter(*indexes)


def _padded(spans: Sequence[tuple[int, ValueType, Order]], count: int) -> str:
    codes, at = ">", 0
    for offset, kind, _ in spans:
        codes += "xx" * (offset - at) + _CODES[kind]
        at = offset + REGISTERS[kind]
    return codes + "xx" * (count - at)
