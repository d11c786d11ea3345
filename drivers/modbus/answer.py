"""Is this the answer to what was asked? Judged on the bytes, before anything is decoded.

- An answer is taken only if transaction or checksum, unit, function code, length and byte
  count are those of the question and not one byte follows it.
- Where an answer ends is known from the question; no pause between bytes is measured.
- What cannot become such an answer is refused at the first byte that shows it.
- Whatever a device sends, a judge returns or raises BadAnswer, nothing else.
"""

from dataclasses import dataclass
from enum import IntEnum

from drivers.modbus.checksum import crc16, lrc

_HEADER = 6  # transaction, protocol, length: MODBUS Messaging on TCP/IP V1.0b, 3.1.3
_REFUSAL_LENGTH = 3  # unit, function, exception code
_REFUSED = 0x80
_CRC = 2
_ASCII_END = b"\r\n"


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
    return _content(received[_HEADER:], question)


def judge_rtu(received: bytes, question: Question) -> bytes | int | None:
    """As `judge`, for a frame with a CRC: MODBUS over Serial Line V1.02, 2.5.1."""
    size = _expected(received, question)
    if size is None or len(received) < size + _CRC:
        return None
    if len(received) > size + _CRC:
        raise BadAnswer(f"{len(received) - size - _CRC} bytes follow the answer")
    body = received[:size]
    if crc16(body) != received[size:]:
        raise BadAnswer("the checksum (CRC) is wrong")
    return _content(body, question)


def judge_ascii(received: bytes, question: Question) -> bytes | int | None:
    """As `judge`, for a frame of hexadecimal digits with an LRC: the same, 2.5.2."""
    if received[:1] not in (b"", b":"):
        raise BadAnswer(f"an ASCII frame begins with ':', not with {received[:1]!r}")
    body = _unhex(received[1:].split(b"\r")[0])
    size = _expected(body, question)
    length = None if size is None else 1 + 2 * (size + 1) + len(_ASCII_END)
    if length is None or len(received) < length:
        if b"\n" in received:
            raise BadAnswer("the ASCII frame ends too early")
        return None
    if len(received) > length:
        raise BadAnswer(f"{len(received) - length} characters follow the answer")
    if received[-2:] != _ASCII_END or len(body) != (size or 0) + 1:
        raise BadAnswer("the ASCII frame ends elsewhere than at its announced end")
    if lrc(body) != 0:
        raise BadAnswer("the checksum (LRC) is wrong")
    return _content(body[:-1], question)


def _expected(received: bytes, question: Question) -> int | None:
    """Return the bytes of unit and PDU, None while it cannot be said; refuse the foreign."""
    if received and received[0] != question.unit:
        raise BadAnswer(f"unit {received[0]} answered, asked was unit {question.unit}")
    if len(received) <= 1:
        return None
    function = received[1]
    if function == question.function | _REFUSED:
        return _REFUSAL_LENGTH
    if function != question.function:
        raise BadAnswer(f"function code {function} answered, asked was {question.function}")
    if len(received) >= _REFUSAL_LENGTH and received[2] != question.size:
        raise BadAnswer(f"{received[2]} data bytes are announced; asked were {question.size}")
    return _REFUSAL_LENGTH + question.size


def _unhex(digits: bytes) -> bytes:
    """Return the bytes of hexadecimal digits, without a last digit that has no pair yet."""
    try:
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    except ValueError as err:
        raise BadAnswer("an ASCII frame with other characters than 0-9 and A-F") from err


def _content(body: bytes, question: Question) -> bytes | int:
    """Judge unit and PDU, which are complete: what follows the framing."""
    unit, function, third = body[:_REFUSAL_LENGTH]
    if unit != question.unit:
        raise BadAnswer(f"unit {unit} answered, asked was unit {question.unit}")
    if function == question.function | _REFUSED and len(body) == _REFUSAL_LENGTH:
        return third
    if function != question.function:
        raise BadAnswer(f"function code {function} answered, asked was {question.function}")
    announced = len(body) - _REFUSAL_LENGTH
    if not third == announced == question.size:
        raise BadAnswer(f"{announced} data bytes, counted as {third}; asked were {question.size}")
    return body[_REFUSAL_LENGTH:]


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
