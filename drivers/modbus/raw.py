"""Tags as they stand on the wire, for a person who looks.

- One request a tag, decoded by the driver's own code; the limits of the link hold.
- A refused tag does not keep the others from being read.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from drivers.clock import Clock
from drivers.contract import Shared, TagRequest
from drivers.modbus.bus import Bus, bus_of
from drivers.modbus.decode import News, decoder
from drivers.modbus.plan import Block
from drivers.modbus.point import Point, point_of
from drivers.modbus.probe import request_of, said_of
from drivers.modbus.references import show
from drivers.modbus.session import cause_word
from drivers.modbus.settings import LinkSettings
from drivers.modbus.wire import Reply
from drivers.probed import RawReading, ReadRaw


@asynccontextmanager
async def read_raw(
    link: LinkSettings, tags: Sequence[TagRequest], shared: Shared
) -> AsyncIterator[ReadRaw]:
    """Join the bus of the link; raises DriverError, Misconfigured for a tag that cannot be."""
    points = {tag.key: point_of(link, tag.key, tag.settings) for tag in tags}
    bus = bus_of(shared, link, clock=Clock())

    async def read() -> list[RawReading]:
        return [await _read(link, bus, key, point) for key, point in points.items()]

    async with bus.entered(link.timeout_ms / 1000):
        yield read


async def _read(link: LinkSettings, bus: Bus, key: str, point: Point) -> RawReading:
    reply = await bus.ask(request_of(link, point.place))
    place = show(point.place.table, point.place.offset)
    return reading_of(key, place, point, reply)


def reading_of(key: str, place: str, point: Point, reply: Reply) -> RawReading:
    """Return what an answer to the request for one tag says."""
    answer = reply.answer
    if isinstance(answer, int):
        return RawReading(key, place, said_of(reply), None, cause_word(answer), reply.rtt_s)
    block = Block(point.place.table, point.place.offset, point.place.width, (point.place,))
    news = News({}, {})
    decoder(block, {key: point.reading}).take(answer, news)
    value, cause = news.changed.get(key), news.bad.get(key)
    return RawReading(key, place, said_of(reply), value, cause, reply.rtt_s)
