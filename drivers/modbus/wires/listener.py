"""A listening socket for DTUs that dial in and say who they are.

- A caller is known by its registration packet; until then nothing is asked of it. One that
  sends something else, or nothing for REGISTRATION_S, is hung up on, and the log says what
  it sent: once for each packet.
- A registered caller waits for its link, and a link for its caller, whoever comes first.
- The newest caller with a registration is the one; the one before is hung up on, for it is
  what a lost signal left behind.
- It listens from the first opening of a link until `close`, also while no link is open, so
  that a DTU that tries once a minute is not refused.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from drivers.contract import Hint, Misconfigured
from drivers.modbus.settings_listen import MAX_PACKET_BYTES, Packet, Registration, shown

_log = logging.getLogger(__name__)

REGISTRATION_S = 30.0
MAX_STRANGERS = 64
"""Callers at once of whom nobody knows yet who they are; packets remembered as told."""


class Taker(Protocol):
    """What an accepted transport is handed to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to receive from it."""
        ...


@dataclass(eq=False)
class Seat:
    """Where one DTU and its link meet."""

    registration: Registration | None
    caller: asyncio.Transport | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self) -> asyncio.Transport:
        """Return the caller, when there is one; it is the taker's from then on."""
        while True:
            await self._came.wait()
            self._came.clear()
            if self.caller is not None and not self.caller.is_closing():
                return self.caller

    def seat(self, caller: asyncio.Transport) -> None:
        """Let the newest caller wait here."""
        if self.caller is not None:
            self.caller.abort()
        self.caller = caller
        self._came.set()

    def fits(self, received: bytes) -> bool | None:
        """Say whether this is the DTU; None while that cannot be said."""
        if self.registration is None:
            return True
        wanted = self.registration.data
        if self.registration.match == "prefix" and received.startswith(wanted):
            return True
        if received == wanted:
            return True
        return None if wanted.startswith(received) else False


class Listener:
    """Listens on one (host, port) for all links that name it."""

    def __init__(self, host: str, port: int) -> None:
        self.last_stranger = ""
        """What the newest caller nobody knows said, for people."""
        self._host, self._port = host, port
        self._seats: list[Seat] = []
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._strangers: set[asyncio.Transport] = set()
        self._told: set[bytes] = set()

    def seat_for(self, registration: Registration | None) -> Seat:
        """Return a new seat; registered DTUs are looked for first, the nameless last.

        Raises Misconfigured for a registration that begins another one.
        """
        seat = Seat(registration)
        for other in self._seats:
            if registration is not None and other.registration is not None:
                _must_differ(f"{self._host}:{self._port}", registration, other.registration)
        self._seats.append(seat)
        self._seats.sort(key=lambda one: one.registration is None)
        return seat

    async def start(self) -> None:
        """Listen, if it does not yet; raises OSError."""
        async with self._starting:
            if self._server is None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(
                    partial(_Caller, self), self._host, self._port, start_serving=False
                )
        await self._server.start_serving()  # a cancelled wait leaves no socket without an owner

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        seated = [seat.caller for seat in self._seats if seat.caller is not None]
        for transport in [*self._strangers, *seated]:
            transport.abort()

    def came(self, transport: asyncio.Transport) -> None:
        """Take in a caller."""
        if len(self._strangers) >= MAX_STRANGERS:
            transport.abort()
            return
        self._strangers.add(transport)

    def went(self, transport: asyncio.Transport) -> None:
        """Forget a caller who hung up before a link took it."""
        self._strangers.discard(transport)
        for seat in self._seats:
            if seat.caller is transport:
                seat.caller = None

    def heard(self, transport: asyncio.Transport, received: bytes) -> bool:
        """Seat the caller if what it said makes it known, hang up if it never can.

        Return whether that is decided.
        """
        verdicts = [(seat, seat.fits(received)) for seat in self._seats]
        for seat, verdict in verdicts:
            if verdict:
                self._strangers.discard(transport)
                seat.seat(transport)
                return True
        if len(received) < MAX_PACKET_BYTES and any(verdict is None for _, verdict in verdicts):
            return False
        self._refuse(transport, received)
        return True

    def _refuse(self, transport: asyncio.Transport, received: bytes) -> None:
        peer = transport.get_extra_info("peername")
        self.last_stranger = f"{shown(received[:MAX_PACKET_BYTES])!r} from {peer[0]}"
        if received not in self._told and len(self._told) < MAX_STRANGERS:
            self._told.add(received)
            _log.warning(
                "port %d: no link has this registration: %s", self._port, self.last_stranger
            )
        transport.abort()


def _must_differ(endpoint: str, one: Registration, other: Registration) -> None:
    first, second = one.data, other.data
    if first.startswith(second) or second.startswith(first):
        raise Misconfigured(
            endpoint,
            f"the registrations {shown(first)!r} and {shown(second)!r} cannot be told apart",
            Hint("modbus_registrations_alike", "set another packet in one of the DTUs"),
        )


class _Caller(asyncio.Protocol):
    """Somebody who dialled in, until a link takes the connection."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._received = b""
        self._is_decided = False
        self._transport: asyncio.Transport
        self._patience: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a stream's always is
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(REGISTRATION_S, self._give_up)
        self._listener.came(transport)
        if not transport.is_closing():
            self._hear()

    def data_received(self, data: bytes) -> None:
        if not self._is_decided:
            self._received += data
            self._hear()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._patience.cancel()
        self._listener.went(self._transport)

    def _hear(self) -> None:
        self._is_decided = self._listener.heard(self._transport, self._received)
        if self._is_decided:
            self._patience.cancel()

    def _give_up(self) -> None:
        self._transport.abort()


def without(data: bytes, packets: tuple[Packet, ...]) -> bytes:
    """Return the bytes after all packets they begin with."""
    known = [packet.data for packet in packets]
    while found := next((one for one in known if data.startswith(one)), b""):
        data = data[len(found) :]
    return data
