"""Nodes as a server holds them, for a person who looks. Nothing is subscribed.

- All nodes of one look come in as few requests as the server's limits allow.
- A node the server does not have keeps no other from being read.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from drivers.clock import utc_now
from drivers.contract import Shared, TagRequest
from drivers.opcua.client import connect
from drivers.opcua.connection import Connection
from drivers.opcua.convert import Scaling, convert
from drivers.opcua.limits import chunks
from drivers.opcua.lookup import look_up
from drivers.opcua.nodes import NodeRef, parse
from drivers.opcua.paths import PathRef, parse_path
from drivers.opcua.services import Place, Raw
from drivers.opcua.settings import LinkSettings, TagSettings
from drivers.probed import RawReading, ReadRaw

MAX_SHOWN = 60


@asynccontextmanager
async def read_raw(
    link: LinkSettings, tags: Sequence[TagRequest], _: Shared
) -> AsyncIterator[ReadRaw]:
    """Open a session; raises DriverError. Lists of conditions are left out."""
    plain = [tag for tag in tags if tag.settings.conditions is None]
    async with connect(link, now=utc_now, monotonic=time.monotonic) as connection:
        places = await look_up(connection, {tag.key: _target(tag.settings) for tag in plain})

        async def read() -> list[RawReading]:
            raws, rtt_s = await _read(connection, places)
            return [_reading(tag, raws.get(tag.key), rtt_s) for tag in plain]

        yield read


def _target(tag: TagSettings) -> NodeRef | PathRef:
    return parse(tag.node or "") if tag.path is None else parse_path(tag.path)


async def _read(
    connection: Connection, places: Mapping[str, Place]
) -> tuple[dict[str, Raw], float]:
    """Return what the nodes hold, by key, and the longest round trip."""
    found: dict[str, Raw] = {}
    slowest_s = 0.0
    for piece in chunks(list(places), connection.limits.read_size):
        began_s = time.monotonic()
        raws, _ = await connection.read([places[key] for key in piece], cached=False)
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        found |= zip(piece, raws, strict=True)
    return found, slowest_s


def _reading(tag: TagRequest, raw: Raw | None, rtt_s: float) -> RawReading:
    settings: TagSettings = tag.settings
    where = settings.node or settings.path or ""
    if raw is None:
        return RawReading(tag.key, where, "", None, "missing_node", rtt_s)
    sample = convert(raw.value, raw.status, Scaling(settings.scale, settings.offset))
    shown = "" if raw.value is None else repr(raw.value)[:MAX_SHOWN]
    return RawReading(tag.key, where, shown, sample.value, sample.cause, rtt_s)
