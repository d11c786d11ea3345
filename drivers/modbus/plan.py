"""Which requests read the tags of a group: the fewest that are legal.

- Every tag is in exactly one request; a value is never split over two.
- No request exceeds the limits of `Limits`; none crosses an illegal register.
- Unused addresses are read along only where that saves a request and at most max_gap.
- A tag is quarantined only when a request for it alone was refused, and is tried again
  after retry_s; the others live on in between.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from drivers.modbus.address import BIT_TABLES, Table, show
from drivers.modbus.wire import FUNCTIONS

_BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tag's value lies; ``width`` in registers, or 1 for a bit table."""

    key: str
    table: Table
    offset: int
    width: int = 1

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.offset + self.width


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for, in addresses of its table."""

    max_registers: int = 125
    max_bits: int = 2000
    max_gap_registers: int = 16

    def count(self, table: Table) -> int:
        """Return how many addresses one request may cover."""
        return self.max_bits if table in BIT_TABLES else self.max_registers

    def gap(self, table: Table) -> int:
        """Return how many unused addresses may lie between two tags of a request."""
        factor = _BITS_PER_REGISTER if table in BIT_TABLES else 1
        return self.max_gap_registers * factor


@dataclass(frozen=True, slots=True)
class Block:
    """One request and the tags it brings, by address."""

    table: Table
    start: int
    count: int
    places: tuple[Place, ...]

    def halves(self) -> "tuple[Block, ...]":
        """Return it as two with half the tags each; nothing for a single tag."""
        if len(self.places) == 1:
            return ()
        middle = len(self.places) // 2
        return _block(self.places[:middle]), _block(self.places[middle:])

    def __str__(self) -> str:
        last = show(self.table, self.start + self.count - 1)
        unit = "bits" if self.table in BIT_TABLES else "registers"
        return (
            f"FC{FUNCTIONS[self.table]} {show(self.table, self.start)} .. {last}:"
            f" {self.count} {unit}, {len(self.places)} tags"
        )


def plan(
    places: Iterable[Place], limits: Limits, *, walls: Collection[Place] = ()
) -> tuple[Block, ...]:
    """Return the fewest requests for these places; none touches an address of ``walls``."""
    blocked = {(wall.table, at) for wall in walls for at in range(wall.offset, wall.end)}
    blocks: list[Block] = []
    members: list[Place] = []
    end = 0
    for place in sorted(places, key=lambda p: (p.table, p.offset, p.end, p.key)):
        if members and not _fits(members[0], end, place, limits, blocked):
            blocks.append(_block(members))
            members = []
        end = max(end, place.end) if members else place.end
        members.append(place)
    if members:
        blocks.append(_block(members))
    return tuple(blocks)


def _fits(
    first: Place, end: int, place: Place, limits: Limits, blocked: Collection[tuple[Table, int]]
) -> bool:
    table = first.table
    return (
        place.table == table
        and place.offset - end <= limits.gap(table)
        and max(end, place.end) - first.offset <= limits.count(table)
        and not any((table, at) in blocked for at in range(end, place.offset))
    )


def _block(members: Sequence[Place]) -> Block:
    start = members[0].offset
    count = max(member.end for member in members) - start
    return Block(members[0].table, start, count, tuple(members))


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A tag the device refused by itself, and when to ask again (monotonic)."""

    place: Place
    retry_at_s: float


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The requests of one group as they stand, and the tags left out of them."""

    blocks: tuple[Block, ...]
    limits: Limits
    quarantine: tuple[Quarantined, ...] = ()

    @classmethod
    def of(cls, places: Iterable[Place], limits: Limits) -> "GroupPlan":
        """Return the plan for tags nothing is known about."""
        return cls(plan(places, limits), limits)

    def refused(self, block: Block, *, now_s: float, retry_s: float) -> "GroupPlan":
        """Return the plan after the device refused ``block``: halved, or its tag left out.

        When a tag is found illegal, the rest is planned anew around it. Halves that turn
        out legal stay as they are: then it was the gap between them.
        """
        parts = block.halves()
        rest = [b for b in self.blocks if b != block]
        if parts:
            return GroupPlan(_in_order([*rest, *parts]), self.limits, self.quarantine)
        found = Quarantined(block.places[0], now_s + retry_s)
        others = [q for q in self.quarantine if q.place.key != found.place.key]
        return GroupPlan(tuple(rest), self.limits, (*others, found))

    def settled(self) -> "GroupPlan":
        """Return the plan with its requests merged again around what is quarantined."""
        places = [place for block in self.blocks for place in block.places]
        walls = [q.place for q in self.quarantine]
        return GroupPlan(plan(places, self.limits, walls=walls), self.limits, self.quarantine)

    def retries(self, now_s: float, most: int) -> tuple[Block, ...]:
        """Return requests for up to ``most`` quarantined tags whose time has come."""
        due = [q for q in self.quarantine if q.retry_at_s <= now_s]
        return tuple(_block([q.place]) for q in due[:most])

    def recovered(self, block: Block) -> "GroupPlan":
        """Return the plan after a quarantined tag's own request was answered."""
        key = block.places[0].key
        rest = tuple(q for q in self.quarantine if q.place.key != key)
        return GroupPlan(_in_order([*self.blocks, block]), self.limits, rest)


def _in_order(blocks: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(sorted(blocks, key=lambda b: (b.table, b.start)))
