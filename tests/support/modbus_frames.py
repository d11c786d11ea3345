"""Modbus framings from the device's side, written apart from the driver's."""

import struct
from typing import Literal

Framing = Literal["mbap", "rtu", "ascii"]
_BODY = 6


def crc(data: bytes) -> bytes:
    """Return the CRC bit by bit, as the standard's appendix draws it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            carry = value & 1
            value >>= 1
            if carry:
                value ^= 0xA001
    return struct.pack("<H", value)


def wrapped(framing: Framing, transaction: int, body: bytes) -> bytes:
    """Return a frame around unit and PDU."""
    if framing == "mbap":
        return struct.pack(">HHH", transaction, 0, len(body)) + body
    if framing == "rtu":
        return body + crc(body)
    checked = body + bytes([(256 - sum(body) % 256) % 256])
    return b":" + "".join(f"{byte:02X}" for byte in checked).encode() + b"\r\n"


def requests_in(framing: Framing, received: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return (transaction, unit and PDU) of each read in a stream, and what is left.

    A request that is damaged is a mistake of the driver's.
    """
    length = {"mbap": 6 + _BODY, "rtu": _BODY + 2, "ascii": 2 * _BODY + 5}[framing]
    frames = []
    while len(received) >= length:
        frame, received = received[:length], received[length:]
        transaction, body = 0, frame[:_BODY]
        if framing == "mbap":
            transaction, body = int.from_bytes(frame[:2], "big"), frame[6:]
        elif framing == "ascii":
            body = bytes.fromhex(frame[1:-4].decode())
        assert wrapped(framing, transaction, body) == frame
        frames.append((transaction, body))
    return frames, received
