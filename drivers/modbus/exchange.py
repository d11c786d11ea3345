"""The question on the wire and its answer, where pymodbus expects its framer.

pymodbus asks its framer what received bytes mean. This one accepts far less than the
library would, hands the result to the one who waits and leaves the library nothing to do.
"""

import asyncio
from collections.abc import Callable

from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerBase
from pymodbus.pdu import DecodePDU

from drivers.modbus.answer import BadAnswer, Question
from drivers.modbus.framing import Framing
from drivers.modbus.wire import Reply, Request

_TRANSACTIONS = 65535


class Exchange(FramerBase):
    """One request at a time, over whatever carries it. A transport may override `unasked`."""

    MAX_SIZE = 1 << 20  # pymodbus drops what is longer; too long an answer must be seen

    def __init__(self, framing: Framing, mono_s: Callable[[], float]) -> None:
        super().__init__(DecodePDU(is_server=False))
        self.is_spoilt = False
        """Something went wrong on it; nothing may be asked any more."""
        self._framing = framing
        self._mono_s = mono_s
        self._question: Question
        self.transaction = 0
        """That of the newest request, for framings that have one."""
        self._sent_s = 0.0
        self._waiting: asyncio.Future[Reply] | None = None

    def begin(self, request: Request) -> tuple[bytes, asyncio.Future[Reply]]:
        """Return the frame to send now, and where the answer will be."""
        self.transaction = self.transaction % _TRANSACTIONS + 1
        self._question = Question(
            request.unit, request.function, request.size, request.accept_transaction_zero
        )
        self._waiting = asyncio.get_running_loop().create_future()
        self._sent_s = self._mono_s()
        return self._framing.wrap(request.body, self.transaction), self._waiting

    def handleFrame(  # noqa: N802 -- the library's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, None]:
        """Judge all that was received since the request was sent; never raise."""
        del exp_devid, exp_tid  # the library's own idea of what is under way
        if self._waiting is None:
            return self.unasked(data), None
        try:
            answer = self.judge(data, self._question, self.transaction)
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

    def judge(self, data: bytes, question: Question, transaction: int) -> bytes | int | None:
        """Return the answer or None while bytes are missing; raises BadAnswer."""
        return self._framing.judge(data, question, transaction)

    def unasked(self, data: bytes) -> int:
        """Return how many of the bytes nobody asked for are done with."""
        self.is_spoilt = True
        return len(data)

    def give_up(self, err: Exception) -> None:
        """Fail, unless the answer is there and its reader has only not yet been woken."""
        if self._waiting is not None:
            self.fail(err)

    def fail(self, err: Exception) -> None:
        """Let nobody wait or ask any more."""
        waiting, self._waiting = self._waiting, None
        self.is_spoilt = True
        if waiting is not None and not waiting.done():
            waiting.set_exception(err)

    def connection_changed(self, is_connected: bool) -> None:
        """Called by the library."""
        if not is_connected:
            self.fail(ConnectionException("closed while waiting for the answer"))
