"""How unit and PDU are wrapped for the wire: MBAP, RTU, ASCII. Pure."""

from typing import Final, Protocol

from drivers.modbus.answer import Question, judge, judge_ascii, judge_rtu
from drivers.modbus.checksum import crc16, lrc

_PROTOCOL_AND_LENGTH = bytes([0, 0, 0, 6])  # a read is unit, function, start, count: 6 bytes
_RTU_AROUND = 2
_ASCII_AROUND = 5


class Framing(Protocol):
    """One way to wrap. A transaction means something to MBAP only."""

    def wrap(self, body: bytes, transaction: int) -> bytes:
        """Return unit and PDU of a read (`Request.body`), ready to be sent."""
        ...

    def judge(self, received: bytes, question: Question, transaction: int) -> bytes | int | None:
        """Return the data, the exception code, or None while bytes are missing.

        Raises BadAnswer for everything that is no answer to the question.
        """
        ...

    def length(self, body_bytes: int) -> int:
        """Return how many characters unit and PDU of this length take on the wire."""
        ...


class _Mbap:
    """MODBUS Messaging on TCP/IP V1.0b, 3.1.3."""

    def wrap(self, body: bytes, transaction: int) -> bytes:
        return transaction.to_bytes(2) + _PROTOCOL_AND_LENGTH + body

    def judge(self, received: bytes, question: Question, transaction: int) -> bytes | int | None:
        return judge(received, question, transaction)

    def length(self, body_bytes: int) -> int:
        return 2 + len(_PROTOCOL_AND_LENGTH) + body_bytes


class _Rtu:
    """MODBUS over Serial Line V1.02, 2.5.1."""

    def wrap(self, body: bytes, transaction: int) -> bytes:
        del transaction
        return body + crc16(body)

    def judge(self, received: bytes, question: Question, transaction: int) -> bytes | int | None:
        del transaction
        return judge_rtu(received, question)

    def length(self, body_bytes: int) -> int:
        return body_bytes + _RTU_AROUND


class _Ascii:
    """MODBUS over Serial Line V1.02, 2.5.2."""

    def wrap(self, body: bytes, transaction: int) -> bytes:
        del transaction
        return b":" + (body + bytes([lrc(body)])).hex().upper().encode() + b"\r\n"

    def judge(self, received: bytes, question: Question, transaction: int) -> bytes | int | None:
        del transaction
        return judge_ascii(received, question)

    def length(self, body_bytes: int) -> int:
        return 2 * body_bytes + _ASCII_AROUND


MBAP: Final[Framing] = _Mbap()
RTU: Final[Framing] = _Rtu()
ASCII: Final[Framing] = _Ascii()
