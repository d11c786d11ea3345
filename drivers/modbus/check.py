"""What is wrong with the tags of a link, all of it at once, before anything connects.

- Each tag that cannot be read is named, and only those.
- Tags that share registers without lying at the same place are named: a uint32 at D200
  and a uint16 at D201. The same place twice is right where it is written alike, as for
  the bits and bytes of a word or a value in two units.
- One place written in two ways is named: ``hr:0`` and ``40001`` look like two values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from drivers.contract import Misconfigured, Overlap, TagRequest
from drivers.modbus.address import show
from drivers.modbus.point import Point, point_of
from drivers.modbus.settings import LinkSettings


def problems(link: LinkSettings, tags: Sequence[TagRequest]) -> list[tuple[str, Misconfigured]]:
    """Return (tag key, what is wrong) for every tag that cannot be."""
    return [(tag.key, found) for tag in tags if isinstance(found := _point(link, tag), Exception)]


def overlaps(link: LinkSettings, tags: Sequence[TagRequest]) -> list[Overlap]:
    """Return the pairs described above; tags `problems` names are left out."""
    points = [
        _Placed(index, str(tag.settings.address).strip(), found)
        for index, tag in enumerate(tags)
        if isinstance(found := _point(link, tag), Point)
    ]
    points.sort(key=lambda one: (one.point.place.table, one.point.place.offset, one.index))
    return [
        _overlap(one, other)
        for one, other in _meeting(points)
        if one.is_disguised(other) or not one.covers(other)
    ]


@dataclass(frozen=True, slots=True)
class _Placed:
    """One tag, the ``index``-th, as it is written and where that is."""

    index: int
    written: str
    point: Point

    def meets(self, later: "_Placed") -> bool:
        """Say whether a tag that begins no earlier begins within this one."""
        here, there = self.point.place, later.point.place
        return here.table == there.table and there.offset < here.end

    def covers(self, other: "_Placed") -> bool:
        """Say whether both that meet lie at the same place, neither sticking out."""
        here, there = self.point.place, other.point.place
        return (here.offset, here.width) == (there.offset, there.width)

    def is_disguised(self, other: "_Placed") -> bool:
        """Say whether both are one place, one part of it, and do not look it."""
        mine, yours = self.point.reading, other.point.reading
        alike = self.written == other.written and mine != yours
        return self.covers(other) and mine.part == yours.part and not alike

    @property
    def span(self) -> str:
        """Its type and where it lies."""
        place = self.point.place
        first, last = show(place.table, place.offset), show(place.table, place.end - 1)
        where = first if first == last else f"{first} .. {last}"
        return f"{self.point.reading.type} {where}"


def _point(link: LinkSettings, tag: TagRequest) -> Point | Misconfigured:
    try:
        return point_of(link, tag.key, tag.settings)
    except Misconfigured as err:
        return err


def _meeting(points: Sequence[_Placed]) -> Iterator[tuple[_Placed, _Placed]]:
    for at, one in enumerate(points):
        for other in takewhile(partial(_Placed.meets, one), points[at + 1 :]):
            yield one, other


def _overlap(one: _Placed, other: _Placed) -> Overlap:
    first, second = sorted((one, other), key=lambda placed: placed.index)
    same = one.covers(other)
    return Overlap(first.index, second.index, (first.span, second.span), same=same)
