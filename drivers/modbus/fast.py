"""A lean client for devices at the end of a TCP stream: one wake-up of the reader a scan.

- The promises of `drivers.modbus.wire.Wire`: any doubt closes the socket before the caller
  hears of it, a timeout and a cancelled wait included.
- An answer is taken only for the oldest request under way, as `answer.judge` takes it,
  and nothing may follow the last.
- More than one request is under way only as `drivers.modbus.pipeline` allows. A device
  that goes wrong with several, says it is busy or closes, gets one at a time from then on,
  over reconnections too, and the log says so once.
- Each answer has its whole timeout, counted from the one before it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import cast

from drivers.contract import DriverError
from drivers.modbus.answer import BadAnswer, Refusal
from drivers.modbus.errors import KNOWN, TCP_HINTS, Hints, Silence, translate
from drivers.modbus.frames import TRANSACTIONS, Frames
from drivers.modbus.pipeline import Depth
from drivers.modbus.wire import Answers, Reply, Request, Wire

_log = logging.getLogger(__name__)

GRACE_S = 0.01
"""How long an overdue answer may still be found in the socket's buffer."""
_BUSY = frozenset({Refusal.ACKNOWLEDGE, Refusal.BUSY})


class _Line(asyncio.Protocol):
    """One socket and the scan under way on it."""

    def __init__(self, frames: Frames, mono_s: Callable[[], float], transactions: int) -> None:
        self.is_lost = False
        self.is_spoilt = False
        self.was_overrun = False
        self.under_way = 0
        self.transactions = transactions
        self.transport: asyncio.Transport
        self._frames = frames
        self._mono_s = mono_s
        self._loop = asyncio.get_running_loop()
        self._scan: asyncio.Future[Answers] | None = None
        self._timer: asyncio.TimerHandle
        self._left: Sequence[Request] = ()
        self._part: Sequence[Request] = ()
        self._transaction = 0
        self._answers: list[bytes | int] = []
        self._received = b""
        self._depth = 1
        self._sent_s = self._arrived_s = self._slowest_s = 0.0
        self._patience_s = 0.0
        self._deadline_s = 0.0
        self._is_overdue = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type

    def begin(self, requests: Sequence[Request], depth: int) -> asyncio.Future[Answers]:
        """Send what may be sent at once; return where all the answers will be."""
        self._left, self._depth = requests, depth
        self._transaction = self.transactions % TRANSACTIONS + 1
        self.transactions = (self.transactions + len(requests)) % TRANSACTIONS
        self._answers, self._received, self._slowest_s = [], b"", 0.0
        self.was_overrun = False
        self._scan = scan = self._loop.create_future()
        self._patience_s = requests[0].timeout_s
        self._deadline_s, self._is_overdue = 0.0, False  # the timer is set to it
        self._send()
        self._timer = self._loop.call_later(self._patience_s, self._look)
        return scan

    def _send(self) -> None:
        self._part, self._left = self._left[: self._depth], self._left[self._depth :]
        self.under_way = len(self._part)
        frames = self._frames.questions(self._part, self._transaction)
        self._sent_s = self._mono_s()
        self.transport.write(frames)

    def data_received(self, data: bytes) -> None:
        if self._scan is None:
            self.is_spoilt = True
            return
        if self._received:
            data = self._received + data
        try:
            answers, end = self._frames.answers(data, self._part, self._transaction)
        except BadAnswer as err:
            self.fail(err)
            return
        if answers:
            self._take(answers)
        if len(answers) < len(self._part):
            self._received = data[end:]
            self._part = self._part[len(answers) :]
        elif self._left:
            self._received = b""
            self._send()
        else:
            self._finish()

    def _take(self, answers: list[bytes | int]) -> None:
        self._arrived_s = arrived_s = self._mono_s()
        self._slowest_s = max(self._slowest_s, arrived_s - self._sent_s)
        self._answers += answers
        if self.under_way > 1 and not _BUSY.isdisjoint(answers):
            self.was_overrun = True
        if len(answers) < len(self._part) or self._left:
            self._transaction = (self._transaction + len(answers) - 1) % TRANSACTIONS + 1
            self._deadline_s = self._loop.time() + self._patience_s
            self._is_overdue = False

    def _finish(self) -> None:
        scan, self._scan = self._scan, None
        self._timer.cancel()
        if scan is not None and not scan.done():
            scan.set_result(Answers(self._answers, self._arrived_s, self._slowest_s))

    def _look(self) -> None:
        """Give up if the answer is overdue, else look again when it would be.

        What lies in the socket's buffer while the loop is held up is no silence: the loop
        reads once more before that is decided.
        """
        left_s = self._deadline_s - self._loop.time()
        if left_s <= 0 and self._is_overdue:
            self.fail(Silence(f"no answer within {self._patience_s:g} s"))
            return
        self._is_overdue = left_s <= 0
        self._timer = self._loop.call_later(max(left_s, GRACE_S), self._look)

    def fail(self, err: Exception) -> None:
        """Give up waiting."""
        self.is_spoilt = True
        scan, self._scan = self._scan, None
        if scan is None:
            return
        self._timer.cancel()
        if not scan.done():
            scan.set_exception(err)

    def eof_received(self) -> None:
        self.is_lost = True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_lost = True
        self.fail(ConnectionResetError("closed while waiting for the answer"))


class FastWire(Wire):
    """A socket to ``host:port``, open or not. Not for two callers at once."""

    def __init__(
        self,
        host: str,
        port: int,
        frames: Frames,
        depth: Depth,
        *,
        mono_s: Callable[[], float],
        hints: Hints = TCP_HINTS,
    ) -> None:
        self._host, self._port = host, port
        self._frames = frames
        self._depth = depth
        self._mono_s = mono_s
        self._hints = hints
        self._line: _Line | None = None
        self._transactions = 0

    @property
    def is_open(self) -> bool:
        """Whether the socket is open, as far as can be known without asking."""
        return self._line is not None and not self._line.is_lost

    async def open(self, timeout_s: float) -> None:
        """Connect, closing what was open before; raises Unreachable."""
        self.close()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                _, self._line = await loop.create_connection(
                    lambda: _Line(self._frames, self._mono_s, self._transactions),
                    self._host,
                    self._port,
                )
        except KNOWN as err:
            reason = err if str(err) else TimeoutError(f"no connection within {timeout_s:g} s")
            raise translate(f"{self._host}:{self._port}", reason, self._hints) from err

    def close(self) -> None:
        """Close the socket at once, if it is open."""
        line, self._line = self._line, None
        if line is not None:
            line.is_lost = True
            self._transactions = line.transactions  # not one a late answer might bear
            line.transport.abort()  # a dead peer must not keep unsent bytes alive

    async def ask(self, request: Request) -> Reply:
        """Return the device's answer; raises DriverError, and then the socket is closed."""
        (answer,), mono_s, rtt_s = await self.ask_all((request,))
        return Reply(answer, mono_s, rtt_s)

    async def ask_all(self, requests: Sequence[Request]) -> Answers:
        """Return all answers or none; raises DriverError, and then the socket is closed."""
        line = self._line
        if line is None or line.is_lost:
            raise self._error(requests, ConnectionResetError("the connection is closed"))
        try:
            answers = await self._begun(line, requests)
        except KNOWN as err:
            self.close()
            self._mistrust(line, str(err))
            raise self._error(requests, err) from err
        except BaseException:
            self.close()
            raise
        self._depth.proven(len(requests))
        if line.was_overrun:
            self._mistrust(line, "it says it is busy")
        return answers

    def _begun(self, line: _Line, requests: Sequence[Request]) -> asyncio.Future[Answers]:
        if line.is_spoilt:
            raise BadAnswer("bytes came that nobody asked for")
        may_overlap = self._frames.may_overlap and not requests[0].accept_transaction_zero
        return line.begin(requests, self._depth.now if may_overlap else 1)

    def _error(self, requests: Sequence[Request], err: Exception) -> DriverError:
        return translate(f"{self._host}:{self._port}#{requests[0].unit}", err, self._hints)

    def _mistrust(self, line: _Line, reason: str) -> None:
        if line.under_way > 1 or line.was_overrun:
            self._depth.disproven()
            _log.warning(
                "%s:%d: one request at a time from now on, it does not take several: %s",
                self._host,
                self._port,
                reason,
            )
