"""The MQTT packets of which there are many: PUBLISH and PUBACK on their way out, PUBACK in.

`mqtt_received` has the PUBLISH on its way in.

paho speaks the rest of the protocol. It takes 45 to 90 us of CPU for an event published with
QoS 1 and confirmed; around it that is less than 9 us, and every event needs both.

OASIS MQTT 5.0, 2.1 (fixed header), 2.2.2 (properties), 3.3 and 3.4; MQTT 3.1.1, 3.3 and 3.4.
"""

from functools import lru_cache

PUBACK = 0x40
_PUBLISH, _RETAINED = b"\x32", b"\x33"  # QoS 1
_SUCCESS = 0
_MAX_LENGTH_BYTES = 4
_MORE = 0x80
"""Bytes of a length from here on are followed by another."""
_SHORT_HEADER = 2
"""Bytes before the rest of a packet of less than ``_MORE``."""


class Malformed(Exception):
    """The bytes are no MQTT."""


def publish(topic: bytes, mid: int, properties: bytes, payload: bytes, *, retain: bool) -> bytes:
    """Return a PUBLISH with QoS 1; ``properties`` of `publish_properties`, none in 3.1.1."""
    length = 4 + len(topic) + len(properties) + len(payload)
    return b"".join(
        (
            _RETAINED if retain else _PUBLISH,
            variable_length(length),
            len(topic).to_bytes(2),
            topic,
            mid.to_bytes(2),
            properties,
            payload,
        )
    )


@lru_cache(maxsize=64)
def publish_properties(
    content_type: str | None,
    response_topic: str | None,
    correlation: bytes | None,
    expiry_s: int | None,
) -> bytes:
    """Return what travels beside a payload in MQTT 5, its length in front."""
    parts = b""
    if expiry_s is not None:
        parts += b"\x02" + expiry_s.to_bytes(4)
    if content_type is not None:
        parts += b"\x03" + _counted(content_type.encode())
    if response_topic is not None:
        parts += b"\x08" + _counted(response_topic.encode())
    if correlation is not None:
        parts += b"\x09" + _counted(correlation)
    return variable_length(len(parts)) + parts


def puback(packet: bytes) -> tuple[int, int]:
    """Return (packet id, reason code) of a whole PUBACK; the code is 0 where there is none."""
    at = _SHORT_HEADER if packet[1] < _MORE else _remaining(packet, 0)[1]
    if len(packet) < at + 2:
        raise Malformed("a PUBACK without a packet id")
    mid = packet[at] << 8 | packet[at + 1]
    return mid, packet[at + 2] if len(packet) > at + 2 else _SUCCESS


def confirmation(mid: int) -> bytes:
    """Return a PUBACK that says yes."""
    return b"\x40\x02" + mid.to_bytes(2)


def split(received: bytearray) -> list[bytes]:
    """Take the whole packets from the front of ``received``; Malformed if it is no MQTT."""
    packets = []
    at, size = 0, len(received)
    while at + 1 < size:
        length, header = received[at + 1], _SHORT_HEADER
        if length >= _MORE:
            length, header = _remaining(received, at)
        end = at + header + length
        if header == 0 or end > size:
            break
        packets.append(bytes(received[at:end]))
        at = end
    del received[:at]
    return packets


@lru_cache(maxsize=1024)
def variable_length(number: int) -> bytes:
    """Return a variable byte integer (MQTT 5.0, 1.5.5)."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | _MORE if number else digit)
        if not number:
            return bytes(encoded)


def _remaining(packets: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return (remaining length, bytes of the fixed header), header 0 while bytes are missing."""
    length = 0
    for index in range(1, _MAX_LENGTH_BYTES + 1):
        if len(packets) <= at + index:
            return 0, 0
        digit = packets[at + index]
        length |= (digit & 0x7F) << (7 * (index - 1))
        if digit < _MORE:
            return length, index + 1
    raise Malformed("a packet length of more than four bytes")


def _counted(text: bytes) -> bytes:
    return len(text).to_bytes(2) + text
