"""The two checksums of serial lines: MODBUS over Serial Line V1.02, 6.2."""


def _shifted(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = tuple(_shifted(byte) for byte in range(256))


def crc16(data: bytes) -> bytes:
    """Return the two bytes that follow an RTU frame, the low one first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def lrc(data: bytes) -> int:
    """Return the byte that makes the sum of an ASCII frame 0."""
    return -sum(data) & 0xFF
