"""What may be wrong with a tag that is refused, or whose value no machine would show.

- A refused address: its neighbours are asked, then the same number in the other table, since
  lists count from 0 or from 1 and mix up the function codes.
- A value over several registers is doubted if another order makes it far more likely; it is
  never said to be wrong.
- Every request only reads; what the link forbids is not asked, nor what is not needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from drivers.clock import Clock
from drivers.contract import DriverError, TagRequest, Value, close_shared
from drivers.modbus.answer import Refusal
from drivers.modbus.bus import Bus, bus_of
from drivers.modbus.codec import Reading
from drivers.modbus.explain import value_of
from drivers.modbus.plan import Place
from drivers.modbus.point import Point, point_of
from drivers.modbus.probe import may_ask, request_of, said_of
from drivers.modbus.references import ADDRESSES, Table, show
from drivers.modbus.settings import LinkSettings
from drivers.modbus.tag import WORD_ORDERS, Order, orders_of
from drivers.probed import Said

MOST = 20
"""So many tags are looked at; those refused first."""
_REFUSED = frozenset({"illegal_address", "device_refused"})
_NO_ADDRESS = frozenset({Refusal.ILLEGAL_FUNCTION, Refusal.ILLEGAL_ADDRESS, Refusal.ILLEGAL_VALUE})
_OTHER_TABLE: Mapping[Table, Table] = MappingProxyType(
    {"hr": "ir", "ir": "hr", "coil": "di", "di": "coil"}
)
_SMALL, _LARGE = 1e-6, 1e9
_FAR_LESS = 1000
_WORD = 1 << 16


async def doubts(
    link: LinkSettings,
    tags: Sequence[TagRequest],
    values: Mapping[str, Value],
    causes: Mapping[str, str],
) -> Mapping[str, tuple[Said, ...]]:
    """Return what to try with each tag that is refused or unlikely; see `ProtocolSpec.doubts`."""
    points = {tag.key: point_of(link, tag.key, tag.settings) for tag in tags}
    refused = [key for key in points if causes.get(key) in _REFUSED]
    wide = [
        key
        for key, point in points.items()
        if (key in values or causes.get(key) == "invalid_value")
        and point.reading.registers > 1
        and point.reading.type != "string"
    ]
    clock, shared = Clock(), dict[str, object]()
    bus = bus_of(shared, link, clock=clock)
    found: dict[str, tuple[Said, ...]] = {}
    try:
        async with bus.entered(link.timeout_ms / 1000):
            for key in [*refused, *wide][:MOST]:
                look = _beside if key in refused else _orders
                found[key] = await look(link, bus, points[key])
    except DriverError:
        pass  # what was found until then is of use all the same
    finally:
        close_shared(shared)
    return {key: said for key, said in found.items() if said}


async def _beside(link: LinkSettings, bus: Bus, point: Point) -> tuple[Said, ...]:
    """Ask next to a refused place."""
    near: list[str] = []
    refusals: set[int] = set()
    for place in neighbours(point.place):
        if not may_ask(link, place):
            continue
        reply = await bus.ask(request_of(link, place))
        if isinstance(reply.answer, bytes):
            near.append(f"{show(place.table, place.offset)} = {said_of(reply)}")
        else:
            refusals.add(reply.answer)
    place_text = show(point.place.table, point.place.offset)
    if near:
        return (Said("address_beside", {"place": place_text, "near": "; ".join(near)}),)
    return (Said("address_absent", {"place": place_text}),) if refusals <= _NO_ADDRESS else ()


def neighbours(place: Place) -> Iterator[Place]:
    """Yield one before, one after, and the same in the other table."""
    if place.offset > 0:
        yield replace(place, offset=place.offset - 1)
    if place.end < ADDRESSES:
        yield replace(place, offset=place.offset + 1)
    yield replace(place, table=_OTHER_TABLE[place.table])


async def _orders(link: LinkSettings, bus: Bus, point: Point) -> tuple[Said, ...]:
    """Compare the orders a value may lie in."""
    reply = await bus.ask(request_of(link, point.place))
    if not isinstance(reply.answer, bytes):
        return ()
    read = readings(reply.answer, point.reading)
    own = next(iter(read.values()))
    if not any(is_likelier(other, own) for other in read.values()):
        return ()
    orders = ", ".join(f"{order} {value}" for order, value in read.items())
    kind, bare = point.reading.type, reply.answer.hex().upper()
    return (Said("other_order", {"orders": orders, "type": kind, "hex": bare}),)


def readings(data: bytes, reading: Reading) -> dict[Order, Value | None]:
    """Return the raw value in each order, the one that is configured first."""
    plain = replace(reading, scale=1, offset=0)
    own = WORD_ORDERS[reading.order]
    others = (order for order in orders_of(reading.type)[:4] if WORD_ORDERS[order] != own)
    orders = (reading.order, *others)
    return {order: value_of(data, replace(plain, order=order)) for order in orders}


def is_likelier(other: Value | None, own: Value | None) -> bool:
    """Say whether a machine shows ``other`` far more likely than ``own``."""
    if other is None or isinstance(other, str) or isinstance(own, str):
        return False
    if own is None or isinstance(own, float) or isinstance(other, float):
        return not _is_usual(own) and _is_usual(other) and bool(other)
    return abs(own) >= _WORD and 0 < abs(other) * _FAR_LESS <= abs(own)


def _is_usual(value: float | None) -> bool:
    return value is not None and (value == 0 or _SMALL <= abs(value) <= _LARGE)
