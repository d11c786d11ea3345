"""Raw bytes of a block to the values of its tags, doing only what a change makes necessary.

- Bytes equal to the last scan's are not decoded at all.
- `News.changed` holds exactly the tags whose value differs from the last one given, and
  every tag that was never given or was bad before.
- What is no value (`drivers.modbus.codec`) never leaves here: its tag is bad,
  ``invalid_value``, for as long as the device says so.
"""

import math
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter, ne
from typing import NamedTuple

from drivers.contract import Value
from drivers.modbus.address import BIT_TABLES
from drivers.modbus.codec import Raw, Reader, Reading, byte_order, reader
from drivers.modbus.plan import Block
from drivers.modbus.tag import WORD_ORDERS, WordOrder

__all__ = ["INVALID", "BitBlock", "News", "Reading", "RegisterBlock", "decoder"]

INVALID = "invalid_value"


@dataclass(slots=True)
class News:
    """What one scan brought: values that changed, tags that are bad and why."""

    changed: dict[str, Value]
    bad: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Field:
    """One raw value and the tags that show it: as it is, as they read it, or a part of it."""

    plain: tuple[str, ...]
    read: tuple[tuple[str, Reader], ...]
    parts: tuple[tuple[str, Reader], ...]
    """Those that may stay the same when the raw value changes."""
    bits: tuple[tuple[str, int], ...]

    @property
    def alone(self) -> str:
        """The tag, if there is one only and it shows the raw value as it is; else empty."""
        is_alone = len(self.plain) == 1 and not (self.read or self.parts or self.bits)
        return self.plain[0] if is_alone else ""

    @property
    def keys(self) -> tuple[str, ...]:
        others = (*self.read, *self.parts, *self.bits)
        return (*self.plain, *(key for key, _ in others))

    def show(self, raw: Raw, before: Raw | None, news: News) -> None:
        if isinstance(raw, float) and not math.isfinite(raw):
            news.bad.update(dict.fromkeys(self.keys, INVALID))
            return
        for key in self.plain:
            news.changed[key] = raw  # type: ignore[assignment]  # bytes are never plain
        for key, read in self.read:
            value = read(raw)
            if value is None:
                news.bad[key] = INVALID
            else:
                news.changed[key] = value
        if self.parts:
            self._show_parts(raw, before, news)
        if self.bits:
            self._show_bits(int(raw), before, news)

    def _show_parts(self, raw: Raw, before: Raw | None, news: News) -> None:
        for key, read in self.parts:
            value = read(raw)
            if value is None:
                news.bad[key] = INVALID
            elif before is None or value != read(before):
                news.changed[key] = value

    def _show_bits(self, raw: int, before: Raw | None, news: News) -> None:
        flipped = raw ^ before if isinstance(before, int) else ~0
        for key, bit in self.bits:
            if flipped >> bit & 1:
                news.changed[key] = bool(raw >> bit & 1)


class RegisterBlock:
    """Decodes a block of holding or input registers."""

    def __init__(self, block: Block, readings: dict[str, Reading]) -> None:
        spans: dict[_Span, list[str]] = defaultdict(list)
        for place in block.places:
            reading = readings[place.key]
            order = WORD_ORDERS[reading.order]
            at = place.offset - block.start
            spans[_Span(at, reading.registers, reading.code, order)].append(place.key)
        ordered = sorted(spans)
        fields = [_field(spans[span], readings) for span in ordered]
        self._numbers = range(len(ordered))
        self._alone = tuple(field.alone for field in fields)
        """By number: the one tag that shows a raw value as it is, as most do; else empty."""
        self._fields = {n: field for n, field in enumerate(fields) if not field.alone}
        self._unpack, self._gather = _compile(ordered, block.count)
        self._raw: bytes | None = None
        self._values: tuple[Raw, ...] | None = None
        self._bad: dict[str, str] = {}

    def take(self, raw: bytes) -> News | None:
        """Return what is new, None if nothing is and nothing is bad."""
        if raw == self._raw:
            return News({}, self._bad) if self._bad else None
        values = self._unpack(raw if self._gather is None else bytes(self._gather(raw)))
        news = News({}, dict(self._bad))
        before = self._values
        if before is None:
            for number, value in enumerate(values):
                self._show(number, value, None, news)
        else:
            for number in compress(self._numbers, map(ne, values, before)):
                self._show(number, values[number], before[number], news)
        self._raw, self._values, self._bad = raw, values, news.bad
        return news if news.changed or news.bad else None

    def _show(self, number: int, raw: Raw, before: Raw | None, news: News) -> None:
        key = self._alone[number]
        if not key:
            field = self._fields[number]
            for shown in field.keys if news.bad else ():
                news.bad.pop(shown, None)
            field.show(raw, before, news)
        elif isinstance(raw, float) and not math.isfinite(raw):
            news.bad[key] = INVALID
        else:
            news.bad.pop(key, None)
            news.changed[key] = raw  # type: ignore[assignment]  # bytes are never plain

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


class _Span(NamedTuple):
    """What is taken out of a block as one raw value."""

    at: int
    registers: int
    code: str
    order: WordOrder


def _field(keys: Iterable[str], readings: dict[str, Reading]) -> _Field:
    plain: list[str] = []
    read: list[tuple[str, Reader]] = []
    parts: list[tuple[str, Reader]] = []
    bits: list[tuple[str, int]] = []
    for key in keys:
        reading = readings[key]
        if reading.bit is not None:
            bits.append((key, reading.bit))
        elif (read_as := reader(reading)) is None:
            plain.append(key)
        else:
            (parts if reading.is_part else read).append((key, read_as))
    return _Field(tuple(plain), tuple(read), tuple(parts), tuple(bits))


def _compile(
    spans: Sequence[_Span], count: int
) -> tuple[Callable[[bytes], tuple[Raw, ...]], Callable[[bytes], tuple[int, ...]] | None]:
    """Return one struct for the whole block, and the byte shuffle it needs, if any."""
    ends = [span.at + span.registers for span in spans]
    apart = all(end <= span.at for end, span in zip(ends, spans[1:], strict=False))
    if apart and all(span.order == "ABCD" for span in spans):
        return struct.Struct(_padded(spans, count)).unpack, None
    indexes = [
        2 * span.at + index for span in spans for index in byte_order(span.order, span.registers)
    ]
    codes = "".join(span.code for span in spans)
    return struct.Struct(f">{codes}").unpack, itemgetter(*indexes)


def _padded(spans: Sequence[_Span], count: int) -> str:
    codes, at = ">", 0
    for span in spans:
        codes += "xx" * (span.at - at) + span.code
        at = span.at + span.registers
    return codes + "xx" * (count - at)
