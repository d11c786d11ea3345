"""What requests and answers look like in a stream of bytes, for the lean client. Pure.

- An answer is taken only as `answer` would judge it; the way out of the usual case is a
  comparison with the one good header there can be.
- With several requests under way an answer is judged by the oldest of them only: what
  comes out of order is refused.
- Not one byte may follow the last.
"""

from collections.abc import Sequence
from typing import Protocol

from drivers.modbus.answer import BadAnswer, Question, judge
from drivers.modbus.framing import Framing
from drivers.modbus.wire import Request

TRANSACTIONS = 65535
_MBAP_LENGTH_END = 6
_MBAP_HEADER = 9  # with unit, function code and byte count or exception code

Answers = tuple[list[bytes | int], int]
"""The complete answers, in the order of the requests, and where what follows them begins."""


class Frames(Protocol):
    """A framing in which a frame tells its own end."""

    may_overlap: bool
    """Whether an answer names its question, so that several may be under way."""

    def questions(self, requests: Sequence[Request], transaction: int) -> bytes:
        """Return the bytes that ask them, under ``transaction`` and those that follow it."""
        ...

    def answers(self, received: bytes, requests: Sequence[Request], transaction: int) -> Answers:
        """Return the answers to the requests sent like that; raises BadAnswer.

        Fewer answers than requests: the others are still on their way.
        """
        ...


class Mbap:
    """Modbus TCP: Modbus Messaging on TCP/IP V1.0b, 3.1."""

    may_overlap = True

    def questions(self, requests: Sequence[Request], transaction: int) -> bytes:
        """See `Frames`."""
        parts: list[bytes] = []
        for request in requests:
            parts += (transaction.to_bytes(2, "big"), request.mbap_question)
            transaction = transaction % TRANSACTIONS + 1
        return b"".join(parts)

    def answers(self, received: bytes, requests: Sequence[Request], transaction: int) -> Answers:
        """See `Frames`."""
        found: list[bytes | int] = []
        at, have = 0, len(received)
        for request in requests:
            data = at + _MBAP_HEADER
            end = data + request.size
            good = transaction.to_bytes(2, "big") + request.mbap_answer
            if end <= have and received[at:data] == good:
                found.append(received[data:end])
            else:
                frame = _frame(received, at)
                answer = judge(frame, _question(request), transaction)
                if answer is None:
                    return found, at
                found.append(answer)
                end = at + len(frame)
            at = end
            transaction = transaction % TRANSACTIONS + 1
        if at < have:
            raise BadAnswer(f"{have - at} bytes follow the answer")
        return found, at


class OneByOne:
    """A framing whose answers name no question: RTU or ASCII in a stream."""

    may_overlap = False

    def __init__(self, framing: Framing) -> None:
        self._framing = framing

    def questions(self, requests: Sequence[Request], transaction: int) -> bytes:
        """See `Frames`; of one request only."""
        (request,) = requests
        return self._framing.wrap(request.body, transaction)

    def answers(self, received: bytes, requests: Sequence[Request], transaction: int) -> Answers:
        """See `Frames`; to one request only."""
        (request,) = requests
        answer = self._framing.judge(received, _question(request), transaction)
        return ([], 0) if answer is None else ([answer], len(received))


def _frame(received: bytes, at: int) -> bytes:
    """Return what is there of the frame that begins at ``at``, without what follows it."""
    length = int.from_bytes(received[at + 4 : at + _MBAP_LENGTH_END], "big")
    return received[at : at + _MBAP_LENGTH_END + length]


def _question(request: Request) -> Question:
    return Question(request.unit, request.function, request.size, request.accept_transaction_zero)
