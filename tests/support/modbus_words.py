"""Values as a device holds them: written apart from the driver's decoding, byte by byte."""

import struct

_CODES = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}


def words(value: float, kind: str, order: str = "ABCD") -> list[int]:
    """Return the registers that hold a value; 64-bit orders go by words of 16 alike."""
    data = struct.pack(">" + _CODES[kind], value)
    pairs = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in {"CDAB", "DCBA"}:
        pairs.reverse()
    if order in {"BADC", "DCBA"}:
        pairs = [pair[::-1] for pair in pairs]
    return [pair[0] << 8 | pair[1] for pair in pairs]


def raw(registers: list[int]) -> bytes:
    """Return registers as they are transmitted."""
    return struct.pack(f">{len(registers)}H", *registers)
