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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from drivers.contract import Value
from drivers.modbus.address import BIT_TABLES
from drivers.modbus.codec import Raw, Reader, Reading, byte_order, reader
from drivers.modbus.plan import Block
from drivers.modbus.tag import WORD_ORDERS, WordOrder

__all__ = ["INVALID", "BitBlock", "News", "Reading", "RegisterBlock", "decoder"]

INVALID = "invalid_value"
_BITS_PER_REGISTER = 16


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
        for key in self.keys if news.bad else ():
            news.bad.pop(key, None)
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
    """Decodes a block of holding or input registers.

    Of many values few change between two scans. Bytes are compared, so that the others are not
    touched and need not be kept.
    """

    __slots__ = ("_alone", "_bad", "_fields", "_layout", "_raw")

    def __init__(self, block: Block, readings: dict[str, Reading]) -> None:
        spans: dict[_Span, list[str]] = defaultdict(list)
        for place in block.places:
            reading = readings[place.key]
            order = WORD_ORDERS[reading.order]
            at = place.offset - block.start
            spans[_Span(at, reading.registers, reading.code, order)].append(place.key)
        ordered = sorted(spans)
        fields = [_field(spans[span], readings) for span in ordered]
        self._alone = tuple(field.alone for field in fields)
        """By number: the one tag that shows a raw value as it is, as most do; else empty."""
        self._fields = {n: field for n, field in enumerate(fields) if not field.alone}
        self._layout = _layout(tuple(ordered), block.count)
        self._raw: bytes | None = None
        self._bad: dict[str, str] = {}

    def take(self, raw: bytes, news: News) -> None:
        """Put into ``news`` what is new, and what is bad."""
        before, self._raw = self._raw, raw
        if raw != before:
            self._compare(raw, before, news.changed)
        if self._bad:
            news.bad.update(self._bad)

    def _compare(self, raw: bytes, before: bytes | None, changed: dict[str, Value]) -> None:
        raws, alone, bad = self._layout.raws, self._alone, self._bad
        for number in range(len(raws)) if before is None else self._layout.touched(raw, before):
            unpack, at = raws[number]
            (value,) = unpack(raw, at)
            last = None if before is None else unpack(before, at)[0]
            if value == last:  # as 0.0 and -0.0 are
                continue
            key = alone[number]
            if not key:
                self._fields[number].show(value, last, News(changed, bad))
            elif type(value) is float and not math.isfinite(value):
                bad[key] = INVALID
            else:
                if bad:
                    bad.pop(key, None)
                changed[key] = value

    def forget(self) -> None:
        """Give every value again at the next take()."""
        self._raw = None
        self._bad = {}


class BitBlock:
    """Decodes a block of coils or discrete inputs."""

    __slots__ = ("_keys", "_mask", "_raw")

    def __init__(self, block: Block) -> None:
        keys: dict[int, list[str]] = defaultdict(list)
        for place in block.places:
            keys[place.offset - block.start].append(place.key)
        self._keys = dict(keys)
        self._raw: bytes | None = None
        self._mask = sum(1 << index for index in keys)

    def take(self, raw: bytes, news: News) -> None:
        """Put into ``news`` what is new."""
        before, self._raw = self._raw, raw
        if raw == before:
            return
        bits = int.from_bytes(raw, "little")
        last = ~bits if before is None else int.from_bytes(before, "little")
        flipped = (bits ^ last) & self._mask
        while flipped:
            index = (flipped & -flipped).bit_length() - 1
            value = bool(bits >> index & 1)
            for key in self._keys[index]:
                news.changed[key] = value
            flipped &= flipped - 1

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


class _Run(NamedTuple):
    """Values that lie over one another, mostly one alone; none in a gap."""

    numbers: tuple[int, ...]
    behind: int
    """A mask of all bits behind it, in a block read as a little-endian number."""


Unpack = Callable[[bytes, int], tuple[Any, ...]]
"""(block, first byte of a value) -> the raw value, alone in a tuple, as `struct` gives it."""


class _Layout(NamedTuple):
    """Where the raw values of a block lie; equal machines share it."""

    raws: tuple[tuple[Unpack, int], ...]
    """By number: what takes the raw value out of a block, and where it begins."""
    runs: tuple[_Run, ...]
    """By register."""

    def touched(self, raw: bytes, before: bytes) -> list[int]:
        """Return the values of which a byte differs, in order."""
        numbers: list[int] = []
        differs = int.from_bytes(raw, "little") ^ int.from_bytes(before, "little")
        while differs:
            run = self.runs[((differs & -differs).bit_length() - 1) // _BITS_PER_REGISTER]
            numbers += run.numbers
            differs &= run.behind
        return numbers


@lru_cache(maxsize=256)
def _layout(spans: tuple[_Span, ...], registers: int) -> _Layout:
    """Return the layout of ``spans``, which are sorted."""
    clusters: list[tuple[int, int, tuple[int, ...]]] = []
    for number, span in enumerate(spans):
        at, end = span.at, span.at + span.registers
        numbers: tuple[int, ...] = (number,)
        if clusters and at < clusters[-1][1]:
            at, last, others = clusters.pop()
            end, numbers = max(end, last), others + numbers
        clusters.append((at, end, numbers))
    runs = [_Run((), _behind(register + 1)) for register in range(registers)]
    for at, end, numbers in clusters:
        runs[at:end] = [_Run(numbers, _behind(end))] * (end - at)
    return _Layout(tuple((_unpacker(span), 2 * span.at) for span in spans), tuple(runs))


def _behind(registers: int) -> int:
    return -1 << _BITS_PER_REGISTER * registers


def _unpacker(span: _Span) -> Unpack:
    unpack = struct.Struct(f">{span.code}")
    if span.order == "ABCD":
        return unpack.unpack_from
    gather = itemgetter(*byte_order(span.order, span.registers))
    return lambda raw, at: unpack.unpack(bytes(gather(raw[at : at + unpack.size])))
