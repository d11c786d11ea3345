"""A wire over one of pymodbus's clients: TCP here, the other transports in `wires`.

- One request at a time; the caller takes turns (see `bus`).
- An answer is what the framing's judge accepts, nothing else.
- A socket on which anything went wrong, a timeout and a cancelled wait included, is
  closed before the caller hears of it, so that a late answer finds nobody.
- A connection that dies fails the waiting request at once, not at its timeout.
- Nothing is retried and nothing reconnects by itself.
- Only DriverError and cancellation come out.

Of pymodbus its sockets and ports are used; with `exchange`, `errors` and `wires` this is
the only importer.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable
from typing import cast

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException

from drivers.modbus.answer import BadAnswer
from drivers.modbus.errors import KNOWN, TCP_HINTS, Hints, Silence, translate
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import MBAP, Framing
from drivers.modbus.wire import Reply, Request, Wire

logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)  # what it has to say is raised

MonoS = Callable[[], float]
"""A monotonic clock in seconds."""
Changed = Callable[[bool], None]
"""Told by the library when a connection is made (True) or lost."""


class ClientWire(Wire):
    """A wire to ``bus``, open or not. Not for two requests at once; see `wire.Wire`."""

    def __init__(
        self, bus: str, framing: Framing, *, mono_s: MonoS, hints: Hints = TCP_HINTS
    ) -> None:
        self._bus = bus
        self._framing = framing
        self._mono_s = mono_s
        self._hints = hints
        self._client: ModbusBaseClient | None = None
        self._exchange = self._new_exchange()

    @property
    def is_open(self) -> bool:
        """Whether it is open, as far as can be known without asking."""
        return self._client is not None and self._client.connected

    async def open(self, timeout_s: float) -> None:
        """Connect, closing what was open before; raises Unreachable."""
        self.close()
        transaction = self._exchange.transaction
        self._exchange = self._new_exchange()
        self._exchange.transaction = transaction
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._new_client(timeout_s, self._exchange.connection_changed)
                client.ctx.framer = self._exchange
                client.ctx.max_buffer_size = self._exchange.MAX_SIZE
                await self._connect(client)
        except KNOWN as err:
            reason = self._not_opened(timeout_s) if type(err) is TimeoutError else err
            raise translate(self._bus, reason, self._hints) from err
        self._client = client

    def close(self) -> None:
        """Close it at once, if it is open."""
        if self._client is None:
            return
        client, self._client = self._client, None
        if client.connected:
            transport_of(client).abort()  # a dead peer must not keep unsent bytes alive
        client.close()

    async def ask(self, request: Request) -> Reply:
        """Return the device's answer; raises DriverError, and then it is closed."""
        try:
            return await self._ask(request)
        except KNOWN as err:
            self._doubt(request)
            raise translate(f"{self._bus}#{request.unit}", err, self._hints) from err
        except BaseException:
            self._doubt(request)
            raise

    @abstractmethod
    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        """Return a client that is not connected and never reconnects or retries."""

    async def _connect(self, client: ModbusBaseClient) -> None:
        await client.ctx.call_create()  # client.connect() would hide the reason

    def _not_opened(self, timeout_s: float) -> Exception:
        """Return what it means that it could not be opened in time."""
        return TimeoutError(f"no connection within {timeout_s:g} s")

    def _new_exchange(self) -> Exchange:
        return Exchange(self._framing, self._mono_s)

    def _doubt(self, request: Request) -> None:
        """Make sure that what may still come for this request finds nobody."""
        del request
        self.close()

    def _send(self, client: ModbusBaseClient, frame: bytes) -> None:
        transport_of(client).write(frame)

    def _patience_s(self, request: Request) -> float:
        """Return how long after sending the answer may be complete."""
        return request.timeout_s

    async def _ask(self, request: Request) -> Reply:
        client = self._client
        if client is None or not client.connected:
            raise ConnectionException("the connection is closed")
        if self._exchange.is_spoilt:
            raise BadAnswer("bytes came that nobody asked for")
        frame, answer = self._exchange.begin(request)
        self._send(client, frame)
        silence = asyncio.get_running_loop().call_later(
            self._patience_s(request),
            self._exchange.give_up,
            Silence(f"no answer within {request.timeout_s:g} s"),
        )
        try:
            return await answer
        finally:
            silence.cancel()


class TcpWire(ClientWire):
    """A socket to ``host:port``. With `RTU` or `ASCII` framing: a serial server's."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        mono_s: MonoS,
        framing: Framing = MBAP,
        hints: Hints = TCP_HINTS,
    ) -> None:
        super().__init__(f"{host}:{port}", framing, mono_s=mono_s, hints=hints)
        self._host, self._port = host, port

    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        return AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=timeout_s,
            reconnect_delay=0,
            retries=0,
            trace_connect=changed,
        )


def transport_of(client: ModbusBaseClient) -> asyncio.Transport:
    """Return the open transport of a connected client."""
    return cast("asyncio.Transport", client.ctx.transport)
