"""What requests and answers look like in a stream of bytes, for the lean client. Pure.

- An answer is taken only as `answer.judge` would take it; its way out of the usual case
  is a comparison with the one good header there can be.
- With several requests under way an answer is judged by the oldest of them only: what
  comes out of order is refused.
"""

from typing import Protocol

from drivers.modbus.answer import Question, judge
from drivers.modbus.wire import Request

TRANSACTIONS = 65535
_MBAP_LENGTH_END = 6
_MBAP_HEADER = 9  # with unit, function code and byte count or exception code


class Frames(Protocol):
    """A framing that needs no clock: a frame tells its own end."""

    may_overlap: bool
    """Whether an answer names its question, so that several may be under way."""

    def question(self, request: Request, transaction: int) -> bytes:
        """Return the bytes that ask it."""
        ...

    def answer(
        self, received: bytes, at: int, request: Request, transaction: int, *, is_last: bool
    ) -> tuple[bytes | int, int] | None:
        """Return the answer that begins at ``at`` and where it ends.

        None while bytes are missing. ``is_last``: no other answer may follow it. Raises
        BadAnswer.
        """
        ...


class Mbap:
    """Modbus TCP: Modbus Messaging on TCP/IP V1.0b, 3.1."""

    may_overlap = True

    def question(self, request: Request, transaction: int) -> bytes:
        """Return the bytes that ask it."""
        return transaction.to_bytes(2, "big") + request.mbap_question

    def answer(
        self, received: bytes, at: int, request: Request, transaction: int, *, is_last: bool
    ) -> tuple[bytes | int, int] | None:
        """See `Frames`."""
        data = at + _MBAP_HEADER
        end = data + request.size
        good = transaction.to_bytes(2, "big") + request.mbap_answer
        have = len(received)
        if (have == end if is_last else have >= end) and received.startswith(good, at):
            return received[data:end], end
        return self._judged(received[at:], at, request, transaction, is_last=is_last)

    def _judged(
        self, rest: bytes, at: int, request: Request, transaction: int, *, is_last: bool
    ) -> tuple[bytes | int, int] | None:
        if not is_last and len(rest) >= _MBAP_LENGTH_END:
            rest = rest[: _MBAP_LENGTH_END + int.from_bytes(rest[4:6], "big")]
        question = Question(
            request.unit, request.function, request.size, request.accept_transaction_zero
        )
        answer = judge(rest, question, transaction)
        return None if answer is None else (answer, at + len(rest))
