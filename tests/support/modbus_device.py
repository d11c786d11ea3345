"""A Modbus device that answers by the book until it is told to lie, on every carrier.

It shares no code with the driver nor with its library.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from tests.support.modbus_frames import Framing, requests_in, wrapped
from tests.support.ports import HOST, free_port

COIL, DI, HR, IR = 1, 2, 3, 4
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, BUSY, NO_TARGET = 1, 2, 6, 11


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    transaction: int
    unit: int
    function: int
    start: int
    count: int
    framing: Framing = field(default="mbap", compare=False)

    def frame(
        self, pdu: bytes, *, transaction: int | None = None, unit: int | None = None
    ) -> bytes:
        """Return a complete answer with this PDU."""
        tid = self.transaction if transaction is None else transaction
        to = self.unit if unit is None else unit
        return wrapped(self.framing, tid, bytes([to]) + pdu)

    def words(self, *values: int) -> bytes:
        """Return an answer to a register read."""
        return self.frame(
            struct.pack(f">BB{len(values)}H", self.function, 2 * len(values), *values)
        )

    def refusal(self, code: int) -> bytes:
        """Return an exception answer."""
        return self.frame(bytes([self.function | 0x80, code]))


Lie = Callable[[Asked, bytes], bytes | None]
"""(request, the honest answer) -> what to send instead; None to say nothing."""


class Carrier(Protocol):
    """What an answer is written to."""

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    def abort(self) -> None:
        """Cut."""
        ...

    def pause_reading(self) -> None:
        """Go deaf."""
        ...


@dataclass
class Device:
    """Four tables, address -> value; what is not in them is illegal."""

    tables: dict[int, dict[int, int]] = field(
        default_factory=lambda: {COIL: {}, DI: {}, HR: {}, IR: {}}
    )
    lie: Lie | None = None
    asked: list[Asked] = field(default_factory=list)
    accepted: int = 0
    port: int = field(default_factory=free_port)
    framing: Framing = "mbap"
    tls: ssl.SSLContext | None = None
    _open: list[Carrier] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def put(self, function: int, start: int, *values: int) -> None:
        """Set consecutive addresses of a table."""
        self.tables[function].update(enumerate(values, start))

    async def start(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Served(self), HOST, self.port, ssl=self.tls)

    async def stop(self) -> None:
        """Refuse from now on and cut what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Cut the connections but go on listening."""
        for transport in [*self._open]:
            transport.abort()

    def go_deaf(self) -> None:
        """Read no more from the newest connection."""
        self._open[-1].pause_reading()

    def say(self, data: bytes) -> None:
        """Send bytes on the newest connection, asked for or not."""
        self._open[-1].write(data)

    def say_later(self, data: bytes, delay_s: float) -> None:
        """Send bytes on the connection that is newest now, if it is open then."""
        carrier = self._open[-1]

        def say() -> None:
            if carrier in self._open:
                carrier.write(data)

        asyncio.get_running_loop().call_later(delay_s, say)

    def opened(self, carrier: Carrier) -> None:
        """Take in a connection."""
        self.accepted += 1
        self._open.append(carrier)

    def closed(self, carrier: Carrier) -> None:
        """Forget a connection."""
        if carrier in self._open:
            self._open.remove(carrier)

    def served(self, carrier: Carrier, received: bytes) -> bytes:
        """Answer the requests in what was received; return what is left."""
        frames, rest = requests_in(self.framing, received)
        for tid, body in frames:
            unit, function, start, count = struct.unpack(">BBHH", body)
            self._answer(carrier, Asked(tid, unit, function, start, count, self.framing))
        return rest

    def _answer(self, carrier: Carrier, asked: Asked) -> None:
        self.asked.append(asked)
        answer: bytes | None = self._honest(asked)
        if self.lie is not None:
            answer = self.lie(asked, answer or b"")
        if answer is not None:
            carrier.write(answer)

    def _honest(self, asked: Asked) -> bytes:
        table = self.tables[asked.function]
        addresses = range(asked.start, asked.start + asked.count)
        if any(address not in table for address in addresses):
            return asked.refusal(ILLEGAL_ADDRESS)
        values = [table[address] for address in addresses]
        if asked.function in {HR, IR}:
            return asked.words(*values)
        packed = bytearray((len(values) + 7) // 8)
        for index, value in enumerate(values):
            packed[index // 8] |= bool(value) << index % 8
        return asked.frame(bytes([asked.function, len(packed)]) + packed)


class Served(asyncio.Protocol):
    """One stream to the device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._device.opened(transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._device.served(self._transport, self._buffer + data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._device.closed(self._transport)


@asynccontextmanager
async def device(
    framing: Framing = "mbap", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Device]:
    """Run a device on a free port."""
    running = Device(framing=framing, tls=tls)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
