"""One owner for the socket that several units and links share.

- At most one socket to a (host, port), and one request on it at a time.
- Turns go in the order of asking; a turn is one request, so a long scan of one unit
  waits for the others between its requests.
- The first session that enters opens the socket, the last that leaves closes it.
- A socket closed in between (a timeout, an idle device) is opened again by the next turn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.contract import Shared
from drivers.modbus.client import TcpWire
from drivers.modbus.clock import Clock
from drivers.modbus.wire import Reply, Request, Wire


class Bus:
    """The socket to one (host, port)."""

    def __init__(self, host: str, port: int, *, clock: Clock) -> None:
        self._wire: Wire = TcpWire(host, port, mono_s=clock.mono_s)
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


def bus_of(shared: Shared, host: str, port: int, *, clock: Clock) -> Bus:
    """Return the bus to (host, port), the same one for every caller with this mapping."""
    bus = shared.setdefault(f"{host}:{port}", Bus(host, port, clock=clock))
    assert isinstance(bus, Bus)  # noqa: S101 -- the mapping is ours, see ProtocolSpec
    return bus
