"""One owner for the socket that several units and links share.

- At most one socket or line to a bus key, and one request on it at a time.
- Turns go in the order of asking; a turn is one request, so a long scan of one unit
  waits for the others between its requests.
- The first session that enters opens the socket, the last that leaves closes it.
- A socket closed in between (a timeout, an idle device) is opened again by the next turn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.contract import Shared
from drivers.modbus.clock import Clock
from drivers.modbus.settings import LinkSettings, bus_key_of
from drivers.modbus.wire import Reply, Request, Wire
from drivers.modbus.wires import wire_of


class Bus:
    """One socket or line, and whose turn it is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._turn = asyncio.Lock()
        self._sessions = 0

    @asynccontextmanager
    async def entered(self, timeout_s: float) -> AsyncIterator[None]:
        """Hold the socket open; raises Unreachable if it cannot be opened."""
        self._sessions += 1
        try:
            async with self._turn:
                await self._opened(timeout_s)
            yield
        finally:
            self._sessions -= 1
            if not self._sessions:
                self._wire.close()

    async def ask(self, request: Request) -> Reply:
        """Return the answer to one request, when its turn has come; raises DriverError."""
        async with self._turn:
            await self._opened(request.timeout_s)
            return await self._wire.ask(request)

    async def _opened(self, timeout_s: float) -> None:
        if not self._wire.is_open:
            await self._wire.open(timeout_s)


def bus_of(shared: Shared, settings: LinkSettings, *, clock: Clock) -> Bus:
    """Return the bus of a link, the same one for every link with its bus key."""
    key = bus_key_of(settings)
    if key not in shared:
        shared[key] = Bus(wire_of(settings, clock, shared))
    bus = shared[key]
    assert isinstance(bus, Bus)  # noqa: S101 -- the mapping is ours, see ProtocolSpec
    return bus
