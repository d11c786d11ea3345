"""Which requests read the tags of a group: those that take the least time and are legal.

- Every tag is in exactly one request; a value is never split over two.
- No request exceeds the limits of `Limits`; none touches a forbidden address, none crosses
  an illegal register.
- A request costs as much time as `Limits.request_worth` registers. Unused addresses are
  read along where that costs less than a request more, and at most max_gap; of two plans
  that cost the same, the one with fewer requests is taken.
- A tag is quarantined only when a request for it alone was refused, and is tried again
  after retry_s; the others live on in between.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from drivers.modbus.address import BIT_TABLES, Table, show
from drivers.modbus.areas import Area
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
    """What one request may ask for, in addresses of its table, and what it costs."""

    max_registers: int = 125
    max_bits: int = 2000
    max_gap_registers: int | None = None
    """None: only the cost decides."""
    request_worth: float = 16
    """Registers that are read along in the time a request more would take."""
    forbidden: tuple[Area, ...] = ()
    one_tag: bool = False
    """Only tags at the same place share a request."""

    def count(self, table: Table) -> int:
        """Return how many addresses one request may cover."""
        return self.max_bits if table in BIT_TABLES else self.max_registers

    def gap(self, table: Table) -> float:
        """Return how many unused addresses may lie between two tags of a request."""
        most = self.max_gap_registers
        return (
            self.worth(table)
            if most is None
            else min(self.worth(table), most * (_BITS_PER_REGISTER if table in BIT_TABLES else 1))
        )

    def worth(self, table: Table) -> float:
        """Return how many addresses take as long as a request."""
        return self.request_worth * (_BITS_PER_REGISTER if table in BIT_TABLES else 1)


@dataclass(frozen=True, slots=True)
class Block:
    """One request and the tags it brings, by address."""

    table: Table
    start: int
    count: int
    places: tuple[Place, ...]

    @property
    def registers(self) -> int:
        """How many registers its answer takes; 16 bits are one."""
        if self.table in BIT_TABLES:
            return -(-self.count // _BITS_PER_REGISTER)
        return self.count

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
    """Return the cheapest requests for these places.

    None reads an address of ``walls`` or of a forbidden area between its tags.
    """
    of_table: dict[Table, list[Place]] = defaultdict(list)
    for place in sorted(places, key=lambda p: (p.offset, -p.end, p.key)):
        of_table[place.table].append(place)
    return tuple(
        block
        for table in sorted(of_table)
        for block in _plan_table(of_table[table], limits, _Walls(table, limits.forbidden, walls))
    )


class _Walls:
    """Addresses of one table that no gap may hold."""

    def __init__(self, table: Table, areas: Iterable[Area], places: Iterable[Place]) -> None:
        spans = [(area.first, area.end) for area in areas if area.table == table]
        spans += [(place.offset, place.end) for place in places if place.table == table]
        self._firsts: list[int] = []
        self._ends: list[int] = []
        for first, end in sorted(spans):
            self._firsts.append(first)
            self._ends.append(max(end, self._ends[-1] if self._ends else 0))

    def stand_in(self, first: int, end: int) -> bool:
        """Say whether one stands in ``first`` up to and without ``end``."""
        before = bisect_right(self._firsts, end - 1)
        return first < end and before > 0 and self._ends[before - 1] > first


def _plan_table(places: Sequence[Place], limits: Limits, walls: _Walls) -> Iterator[Block]:
    """Yield the requests for the places of one table, sorted, containers before contents."""
    outer: list[Place] = []
    contents: list[list[Place]] = []
    for place in places:
        if outer and place.end <= outer[-1].end:
            contents[-1].append(place)
        else:
            outer.append(place)
            contents.append([place])
    start = 0
    for end in _cuts(outer, limits, walls):
        yield _block([place for group in contents[start:end] for place in group])
        start = end


def _cuts(spans: Sequence[Place], limits: Limits, walls: _Walls) -> list[int]:
    """Return where each request ends, as positions in ``spans``, of which there is one at least.

    ``spans`` begin and end in rising order. From the last one back, the cheapest way to
    read from each on is found; what a first request up to ``last`` costs beside that is
    the same for all beginnings, so that the best ``last`` waits at the head of a queue.
    """
    table = spans[0].table
    rest: list[tuple[float, int]] = [(0.0, 0)] * (len(spans) + 1)
    ends = [0] * len(spans)
    queue: deque[tuple[tuple[float, int], int]] = deque()
    for first in range(len(spans) - 1, -1, -1):
        if first + 1 < len(spans) and not _joins(spans[first], spans[first + 1], limits, walls):
            queue.clear()
        span = spans[first]
        cost, requests = rest[first + 1]
        here = (cost + span.end, requests)
        while queue and queue[-1][0] > here:
            queue.pop()
        queue.append((here, first))
        while spans[queue[0][1]].end - span.offset > limits.count(table):
            queue.popleft()
        (cost, requests), last = queue[0]
        rest[first] = (cost - span.offset + limits.worth(table), requests + 1)
        ends[first] = last + 1
    cuts = [ends[0]]
    while cuts[-1] < len(spans):
        cuts.append(ends[cuts[-1]])
    return cuts


def _joins(one: Place, other: Place, limits: Limits, walls: _Walls) -> bool:
    """Say whether neighbours may be in one request, room apart."""
    return (
        not limits.one_tag
        and other.offset - one.end <= limits.gap(one.table)
        and not walls.stand_in(one.end, other.offset)
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
