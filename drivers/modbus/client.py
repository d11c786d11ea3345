"""One Modbus TCP socket. With `errors`, the only importer of pymodbus.

- One request at a time; the caller takes turns (see `bus`).
- An answer is what `answer.judge` accepts, nothing else.
- A socket on which anything went wrong, a timeout and a cancelled wait included, is
  closed before the caller hears of it, so that a late answer finds nobody.
- A connection that dies fails the waiting request at once, not at its timeout.
- Nothing is retried and nothing reconnects by itself.
- Only DriverError and cancellation come out.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from drivers.modbus.answer import BadAnswer, Question, judge
from drivers.modbus.errors import KNOWN, Silence, translate
from drivers.modbus.wire import Reply, Request, Wire

logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)  # what it has to say is raised

_TRANSACTIONS = 65535
_PROTOCOL_AND_LENGTH = bytes([0, 0, 0, 6])


class _Exchange(FramerSocket):
    """The question on the wire and its answer.

    pymodbus asks its framer what received bytes mean. This one accepts far less than the
    library would, and hands the result to the one who waits.
    """

    MAX_SIZE = 1 << 20  # pymodbus drops what is longer; too long an answer must be seen

    def __init__(self, mono_s: Callable[[], float]) -> None:
        super().__init__(DecodePDU(is_server=False))
        self.is_spoilt = False
        self._mono_s = mono_s
        self._question: Question
        self._transaction = 0
        self._sent_s = 0.0
        self._waiting: asyncio.Future[Reply] | None = None

    def begin(self, request: Request) -> tuple[int, asyncio.Future[Reply]]:
        """Return the transaction to send it under, and where the answer will be."""
        self._transaction = self._transaction % _TRANSACTIONS + 1
        self._question = Question(
            request.unit, request.function, request.size, request.accept_transaction_zero
        )
        self._waiting = asyncio.get_running_loop().create_future()
        self._sent_s = self._mono_s()
        return self._transaction, self._waiting

    def handleFrame(  # noqa: N802 -- the library's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, None]:
        """Judge all that was received since the request was sent; never raise."""
        del exp_devid, exp_tid  # the library's own idea of what is under way
        if self._waiting is None:
            self.is_spoilt = True
            return len(data), None
        try:
            answer = judge(data, self._question, self._transaction)
        except BadAnswer as err:
            self.fail(err)
            return len(data), None
        if answer is None:
            return 0, None
        arrived_s = self._mono_s()
        waiting, self._waiting = self._waiting, None
        if not waiting.done():
            waiting.set_result(Reply(answer, arrived_s, arrived_s - self._sent_s))
        return len(data), None

    def fail(self, err: Exception) -> None:
        """Give up waiting."""
        waiting, self._waiting = self._waiting, None
        self.is_spoilt = True
        if waiting is not None and not waiting.done():
            waiting.set_exception(err)

    def connection_changed(self, is_connected: bool) -> None:
        """Called by the library."""
        if not is_connected:
            self.fail(ConnectionException("closed while waiting for the answer"))


class TcpWire(Wire):
    """A socket to ``host:port``, open or not. Not for two requests at once."""

    def __init__(self, host: str, port: int, *, mono_s: Callable[[], float]) -> None:
        self._host, self._port = host, port
        self._mono_s = mono_s
        self._client: AsyncModbusTcpClient | None = None
        self._exchange = _Exchange(mono_s)

    @property
    def is_open(self) -> bool:
        """Whether the socket is open, as far as can be known without asking."""
        return self._client is not None and self._client.connected

    async def open(self, timeout_s: float) -> None:
        """Connect, closing what was open before; raises Unreachable."""
        self.close()
        self._exchange = _Exchange(self._mono_s)
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=timeout_s,
            reconnect_delay=0,
            retries=0,
            trace_connect=self._exchange.connection_changed,
        )
        client.ctx.framer = self._exchange
        client.ctx.max_buffer_size = self._exchange.MAX_SIZE
        try:
            async with asyncio.timeout(timeout_s):
                await client.ctx.call_create()  # client.connect() would hide the reason
        except OSError as err:
            raise translate(f"{self._host}:{self._port}", err) from err
        self._client = client

    def close(self) -> None:
        """Close the socket at once, if it is open."""
        if self._client is None:
            return
        client, self._client = self._client, None
        if client.connected:
            _transport(client).abort()  # a dead peer must not keep unsent bytes alive
        client.close()

    async def ask(self, request: Request) -> Reply:
        """Return the device's answer; raises DriverError, and then the socket is closed."""
        try:
            return await self._ask(request)
        except KNOWN as err:
            self.close()
            endpoint = f"{self._host}:{self._port}#{request.unit}"
            raise translate(endpoint, err) from err
        except BaseException:
            self.close()
            raise

    async def _ask(self, request: Request) -> Reply:
        client = self._client
        if client is None or not client.connected:
            raise ConnectionException("the connection is closed")
        if self._exchange.is_spoilt:
            raise BadAnswer("bytes came that nobody asked for")
        transaction, answer = self._exchange.begin(request)
        _transport(client).write(transaction.to_bytes(2) + _PROTOCOL_AND_LENGTH + request.body)
        silence = asyncio.get_running_loop().call_later(
            request.timeout_s,
            self._exchange.fail,
            Silence(f"no answer within {request.timeout_s:g} s"),
        )
        try:
            return await answer
        finally:
            silence.cancel()


def _transport(client: AsyncModbusTcpClient) -> asyncio.Transport:
    return cast("asyncio.Transport", client.ctx.transport)
