"""Finds out what there is: which units answer, which addresses exist, what they hold.

- Only reads are sent, never more than the rate allows, one at a time; nothing that the link
  forbids is read.
- Any answer of a unit counts, a refusal too; what a gateway says in its place does not.
- A refused block is halved until each address is known to exist or not.
- What was found is in `Found` at every moment, also when the search is cancelled.
"""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from drivers.clock import Clock
from drivers.contract import DriverError, close_shared
from drivers.modbus.answer import Refusal
from drivers.modbus.areas import Area, areas_of
from drivers.modbus.errors import NoAnswer
from drivers.modbus.plan import Place
from drivers.modbus.probe import may_ask, request_of, said_of, usual_places
from drivers.modbus.references import BIT_TABLES, Table
from drivers.modbus.settings import LinkSettings
from drivers.modbus.wire import Reply, Wire
from drivers.modbus.wires import wire_of

BLOCK = 100
"""Addresses asked for at once, less where the link allows less."""
LAST_UNIT = 247  # MODBUS over Serial Line V1.02, 2.2
MAX_SILENCES = 3
"""So many in a row end the search for addresses."""
PATIENCE_MS = 300
_ABSENT = frozenset({Refusal.GATEWAY_PATH, Refusal.GATEWAY_TARGET})


@dataclass(frozen=True, slots=True)
class UnitFound:
    """A unit that answers."""

    unit: int
    answer: str
    """Hex digits, or the exception code."""
    rtt_s: float


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses that exist, both ends among them."""

    table: Table
    first: int
    last: int


@dataclass(slots=True)
class Found:
    """What was found so far."""

    units: list[UnitFound] = field(default_factory=list)
    values: dict[tuple[Table, int], int] = field(default_factory=dict)
    """What each existing address holds."""
    asked: int = 0
    ended: str = ""
    """Why the search for addresses ended early: ``silent``, or ``function`` of a table."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """The existing addresses as the fewest spans."""
        spans: list[Span] = []
        for table, address in sorted(self.values):
            before = spans[-1] if spans else None
            if before is not None and (before.table, before.last + 1) == (table, address):
                spans[-1] = Span(table, before.first, address)
            else:
                spans.append(Span(table, address, address))
        return tuple(spans)


class NoUnits(ValueError):
    """The text is no list of units."""


Tell = Callable[[Found, int], None]
"""Called after each answer with what was found and how many units or addresses are left."""
Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """Lets one question through at a time, not more than ``rate`` a second."""

    def __init__(
        self,
        rate: float,
        *,
        mono_s: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._interval_s = 1 / rate
        self._mono_s = mono_s
        self._sleep = sleep
        self._next_s = -math.inf

    async def turn(self) -> None:
        """Return when the next question may be asked."""
        wait_s = self._next_s - self._mono_s()
        if wait_s > 0:
            await self._sleep(wait_s)
        self._next_s = self._mono_s() + self._interval_s


def units_of(text: str) -> tuple[int, ...]:
    """Return the units of ``1-247`` or ``1,3,10-12``; raises NoUnits."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part, re.ASCII)
        if match is None:
            raise NoUnits(text)
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last <= 255:  # noqa: PLR2004
            raise NoUnits(text)
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found))


def registers_of(link: LinkSettings, texts: Sequence[str]) -> tuple[Area, ...]:
    """Return the areas of ``hr:0-999`` or ``D100-D199``; raises BadSetting."""
    return areas_of(tuple(texts), link.family, link.devices)


def seconds_for_units(count: int, rate: float, patience_ms: int = PATIENCE_MS) -> float:
    """Return how long a search for units takes at most."""
    return count * max(1 / rate, patience_ms / 1000)


def seconds_for_registers(areas: Sequence[Area], rate: float) -> tuple[float, float]:
    """Return how long a search for addresses takes if all exist, and if none does."""
    sizes = [area.end - area.first for area in areas]
    blocks = sum(-(-size // BLOCK) for size in sizes)
    return blocks / rate, (2 * sum(sizes)) / rate


async def scan_units(
    link: LinkSettings, units: Sequence[int], pace: Pace, found: Found, tell: Tell
) -> None:
    """Ask each unit for its first register; raises Unreachable if nobody takes a connection."""
    patience_ms = min(link.timeout_ms, PATIENCE_MS)
    place = next(usual_places(link), Place("", "di", 0))
    async with _Asking(link.model_copy(update={"timeout_ms": patience_ms}), pace, found) as asking:
        for left, unit in zip(reversed(range(len(units))), units, strict=True):
            reply = await asking.ask(place, unit)
            if reply is not None and reply.answer not in _ABSENT:
                found.units.append(UnitFound(unit, said_of(reply), reply.rtt_s))
            tell(found, left)


async def scan_registers(
    link: LinkSettings, areas: Sequence[Area], pace: Pace, found: Found, tell: Tell
) -> None:
    """Find the addresses that exist in the areas of the link's unit, and what they hold.

    Raises Unreachable if nobody takes a connection.
    """
    size = min(BLOCK, link.max_registers_per_read)
    todo = [block for area in areas for block in _blocks(area, size)][::-1]
    silences = 0
    async with _Asking(link, pace, found) as asking:
        while todo and silences < MAX_SILENCES:
            block = todo.pop()
            if not may_ask(link, block):
                todo += reversed(halves(block))
                continue
            reply = await asking.ask(block, link.unit_id)
            silences = silences + 1 if reply is None else 0
            if reply is None:
                todo.append(block)
            elif isinstance(reply.answer, bytes):
                found.values.update(values_of(block, reply.answer))
            elif reply.answer == Refusal.ILLEGAL_FUNCTION:
                todo = [other for other in todo if other.table != block.table]
            else:
                todo += reversed(halves(block))
            tell(found, sum(one.width for one in todo))
    found.ended = "silent" if todo else ""


def _blocks(area: Area, size: int) -> Iterator[Place]:
    for first in range(area.first, area.end, size):
        yield Place("", area.table, first, min(size, area.end - first))


def halves(block: Place) -> tuple[Place, ...]:
    """Return a block as two; nothing for a single address."""
    if block.width == 1:
        return ()
    left = block.width // 2
    return (
        Place("", block.table, block.offset, left),
        Place("", block.table, block.offset + left, block.width - left),
    )


def values_of(block: Place, data: bytes) -> Iterator[tuple[tuple[Table, int], int]]:
    """Yield what each address of an answered block holds."""
    for index in range(block.width):
        if block.table in BIT_TABLES:
            value = data[index // 8] >> index % 8 & 1
        else:
            value = int.from_bytes(data[2 * index : 2 * index + 2], "big")
        yield (block.table, block.offset + index), value


class _Asking:
    """One connection, opened again after every silence."""

    def __init__(self, link: LinkSettings, pace: Pace, found: Found) -> None:
        self._link = link
        self._pace = pace
        self._found = found
        self._shared: dict[str, object] = {}
        self._wire: Wire = wire_of(link, Clock(), self._shared)

    async def __aenter__(self) -> Self:
        await self._wire.open(self._link.timeout_ms / 1000)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._wire.close()
        close_shared(self._shared)

    async def ask(self, place: Place, unit: int) -> Reply | None:
        """Return the answer of a unit, None if nothing sensible came; raises Unreachable."""
        await self._pace.turn()
        self._found.asked += 1
        if not self._wire.is_open:
            await self._wire.open(self._link.timeout_ms / 1000)
        one = self._link.model_copy(update={"unit_id": unit})
        try:
            return await self._wire.ask(request_of(one, place))
        except NoAnswer:
            return None
        except DriverError:
            self._wire.close()
            return None
