"""One owner for the socket that several units and links share.

- At most one socket or line to a bus key, and one turn on it at a time.
- Turns go in the order of asking; a turn is one request, so a long scan of one unit
  waits for the others between its requests. A unit that is alone asks its scan in one turn.
- The first session that enters opens the socket, the last that leaves closes it.
- A socket closed in between (a timeout, an idle device) is opened again by the next turn.
- A request that wants a pause before it gets it, whoever had the turn before.
"""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from drivers.clock import Clock
from drivers.contract import Shared
from drivers.modbus.settings import LinkSettings, bus_key_of
from drivers.modbus.wire import Answers, Reply, Request, Wire, together
from drivers.modbus.wires import wire_of
from drivers.turn import Turn


class Bus:
    """One socket or line, and whose turn it is."""

    __slots__ = ("_clock", "_quiet_since_s", "_sessions", "_turn", "_wire")

    def __init__(self, wire: Wire, *, clock: Clock | None = None) -> None:
        self._wire = wire
        self._clock = clock or Clock()
        self._turn = Turn()
        self._sessions = 0
        self._quiet_since_s = -math.inf

    @asynccontextmanager
    async def entered(self, timeout_s: float) -> AsyncIterator[None]:
        """Hold the socket open; raises Unreachable if it cannot be opened."""
        self._sessions += 1
        try:
            await self._turn.come()
            try:
                if not self._wire.is_open:
                    await self._wire.open(timeout_s)
            finally:
                self._turn.over()
            yield
        finally:
            self._sessions -= 1
            if not self._sessions:
                self._wire.close()

    async def ask(self, request: Request) -> Reply:
        """Return the answer to one request, when its turn has come; raises DriverError."""
        await self._turn.come()
        try:
            if not self._wire.is_open:
                await self._wire.open(request.timeout_s)
            if request.pause_s:
                await self._pause(request.pause_s)
            reply = await self._wire.ask(request)
        finally:
            self._turn.over()
        self._quiet_since_s = reply.mono_s
        return reply

    async def ask_all(self, requests: Sequence[Request]) -> Answers:
        """Return the answers to at least one request, all or none; raises DriverError."""
        if self._sessions > 1 or requests[0].pause_s:
            return together([await self.ask(request) for request in requests])
        if not self._turn.taken_at_once():
            await self._turn.come()
        try:
            if not self._wire.is_open:
                await self._wire.open(requests[0].timeout_s)
            answers = await self._wire.ask_all(requests)
        finally:
            self._turn.over()
        self._quiet_since_s = answers.mono_s
        return answers

    def rest(self) -> None:
        """Close the socket until the next turn, unless somebody is having one."""
        if not self._turn.is_taken:
            self._wire.close()

    async def _pause(self, pause_s: float) -> None:
        left_s = self._quiet_since_s + pause_s - self._clock.mono_s()
        if left_s > 0:
            await self._clock.sleep(left_s)


def bus_of(shared: Shared, settings: LinkSettings, *, clock: Clock) -> Bus:
    """Return the bus of a link, the same one for every link with its bus key."""
    key = bus_key_of(settings)
    if key not in shared:
        shared[key] = Bus(wire_of(settings, clock, shared), clock=clock)
    bus = shared[key]
    assert isinstance(bus, Bus)  # noqa: S101 -- the mapping is ours, see ProtocolSpec
    return bus
