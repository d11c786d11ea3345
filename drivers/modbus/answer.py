"""Is this the answer to what was asked? Judged on the bytes, before anything is decoded.

- An answer is taken only if transaction, unit, function code, length and byte count are
  those of the question and not one byte follows it.
- What cannot become such an answer is refused at the first byte that shows it.
- Whatever a device sends, judge() returns or raises BadAnswer, nothing else.
"""

from dataclasses import dataclass
from enum import IntEnum

_HEADER = 6  # transaction, protocol, length: MODBUS Messaging on TCP/IP V1.0b, 3.1.3
_REFUSAL_LENGTH = 3  # unit, function, exception code
_REFUSED = 0x80


class Refusal(IntEnum):
    """Exception codes: Modbus Application Protocol V1.1b3, 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    BUSY = 6
    GATEWAY_PATH = 10
    GATEWAY_TARGET = 11


class BadAnswer(Exception):
    """The bytes are no answer to the question; the text says in what."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the answer must match; ``size`` is the data bytes a good one carries."""

    unit: int
    function: int
    size: int
    accept_transaction_zero: bool = False


def judge(received: bytes, question: Question, transaction: int) -> bytes | int | None:
    """Return the data, the exception code if refused, or None while bytes are missing."""
    if len(received) < _HEADER:
        return None
    _check_header(received, question, transaction)
    end = _HEADER + int.from_bytes(received[4:6], "big")
    if len(received) > end:
        raise BadAnswer(f"{len(received) - end} bytes follow the answer")
    if len(received) < end:
        return None
    unit, function, third = received[6:9]
    if unit != question.unit:
        raise BadAnswer(f"unit {unit} answered, asked was unit {question.unit}")
    if function == question.function | _REFUSED and end == _HEADER + _REFUSAL_LENGTH:
        return third
    if function != question.function:
        raise BadAnswer(f"function code {function} answered, asked was {question.function}")
    announced = end - _HEADER - _REFUSAL_LENGTH
    if not third == announced == question.size:
        raise BadAnswer(f"{announced} data bytes, counted as {third}; asked were {question.size}")
    return received[9:]


def _check_header(received: bytes, question: Question, transaction: int) -> None:
    answered = int.from_bytes(received[0:2], "big")
    protocol = int.from_bytes(received[2:4], "big")
    length = int.from_bytes(received[4:6], "big")
    if protocol != 0:
        raise BadAnswer(f"protocol id {protocol} is not Modbus")
    if answered != transaction and (answered or not question.accept_transaction_zero):
        raise BadAnswer(f"transaction {answered} answered, asked was {transaction}")
    if length not in {_REFUSAL_LENGTH, _REFUSAL_LENGTH + question.size}:
        raise BadAnswer(
            f"an answer of {length} bytes, expected were {_REFUSAL_LENGTH + question.size}"
        )
