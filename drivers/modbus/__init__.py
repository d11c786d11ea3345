"""Modbus TCP.

``problems`` and ``overlaps`` let whoever loads a configuration report all of a link's
mistakes at once; ``SPEC.create`` raises the first.
"""

from collections.abc import Sequence

from drivers.contract import Driver, Misconfigured, ProtocolSpec, Shared, TagRequest
from drivers.modbus.address import show
from drivers.modbus.driver import ModbusDriver, Point, endpoint_of, point_of
from drivers.modbus.settings import LinkSettings, TagSettings

__all__ = ["SPEC", "overlaps", "problems"]


def create(link: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    """Return the driver of a link; raises Misconfigured for the first tag that cannot be."""
    points = {tag.key: point_of(link, tag.key, tag.settings) for tag in tags}
    return ModbusDriver(link, tags, points, shared)


def problems(link: LinkSettings, tags: Sequence[TagRequest]) -> list[tuple[str, Misconfigured]]:
    """Return (tag key, what is wrong) for every tag that `create` would refuse."""
    found: list[tuple[str, Misconfigured]] = []
    for tag in tags:
        try:
            point_of(link, tag.key, tag.settings)
        except Misconfigured as err:
            found.append((tag.key, err))
    return found


def overlaps(link: LinkSettings, tags: Sequence[TagRequest]) -> list[tuple[int, int, str]]:
    """Return (index, index, why) for tags that share registers without being the same.

    Tags `problems` names are left out. The same span twice (the bits of a word, a value
    with two scalings) is no overlap; a uint32 at D200 and a uint16 at D201 are.
    """
    refused = {key for key, _ in problems(link, tags)}
    points = sorted(
        (
            (index, point_of(link, tag.key, tag.settings))
            for index, tag in enumerate(tags)
            if tag.key not in refused
        ),
        key=lambda found: (found[1].place.table, found[1].place.offset),
    )
    found: list[tuple[int, int, str]] = []
    for at, (i, first) in enumerate(points):
        for j, second in points[at + 1 :]:
            if not _meet(first, second):
                break
            if _span(first) != _span(second):
                found.append((min(i, j), max(i, j), _clash(first, second)))
    return found


def _span(point: Point) -> tuple[int, int]:
    return point.place.offset, point.place.width


def _meet(first: Point, second: Point) -> bool:
    return first.place.table == second.place.table and second.place.offset < first.place.end


def _clash(first: Point, second: Point) -> str:
    a, b = first.place, second.place
    return (
        f"{a.key} ({first.reading.type}) takes {show(a.table, a.offset)} to"
        f" {show(a.table, a.end - 1)}, {b.key} ({second.reading.type}) begins at"
        f" {show(b.table, b.offset)}"
    )


SPEC = ProtocolSpec(
    protocol="modbus-tcp",
    link_settings=LinkSettings,
    tag_settings=TagSettings,
    create=create,
    endpoint_of=endpoint_of,
)
