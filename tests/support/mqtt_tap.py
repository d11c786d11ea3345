"""A tap on the wire between a consumer and its broker: what was acknowledged, and when.

It understands as much of MQTT 5 as ties a PUBACK to the message it is for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.app.collector import cancelled
from tests.support.until import until

_PUBLISH, _PUBACK = 3, 4
_QOS_BITS = 0b110

Look = Callable[[int, bytes], None]
"""First byte and body of a packet that is about to be passed on."""


@asynccontextmanager
async def tapping(broker_port: int, on_ack: Callable[[bytes], None]) -> AsyncIterator[int]:
    """Return the port to connect to instead of the broker's.

    ``on_ack`` gets the payload of a message before the consumer's PUBACK for it is passed on.
    """
    wires: set[asyncio.Task[None]] = set()

    def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wires.add(asyncio.create_task(_wire(reader, writer, broker_port, on_ack), name="tap"))

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await until(lambda: all(wire.done() for wire in wires))  # who connected has gone by now
    for wire in wires:
        wire.result()


async def _wire(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    broker_port: int,
    on_ack: Callable[[bytes], None],
) -> None:
    """Be the wire of one connection until either side ends it."""
    with contextlib.closing(writer):
        try:
            answers, to_broker = await asyncio.open_connection("127.0.0.1", broker_port)
        except OSError:
            return
        with contextlib.closing(to_broker):
            await _both_ways(reader, writer, answers, to_broker, on_ack)


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    to_broker: asyncio.StreamWriter,
    on_ack: Callable[[bytes], None],
) -> None:
    on_the_way: dict[int, bytes] = {}
    """Packet id -> payload of what the broker sent and nobody acknowledged yet."""

    def sent(head: int, body: bytes) -> None:
        if head >> 4 == _PUBLISH and head & _QOS_BITS:
            packet_id, payload = _message(body)
            on_the_way[packet_id] = payload

    def acknowledged(head: int, body: bytes) -> None:
        if head >> 4 == _PUBACK:
            on_ack(on_the_way.pop(int.from_bytes(body[:2], "big")))

    ways = [
        asyncio.create_task(_pass_on(answers, writer, sent), name="tap.down"),
        asyncio.create_task(_pass_on(reader, to_broker, acknowledged), name="tap.up"),
    ]
    done, running = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    await cancelled(list(running))
    for way in done:
        way.result()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Look) -> None:
    """Pass packet by packet; return when the reader's side has ended."""
    try:
        while True:
            head = await reader.readexactly(1)
            length, raw = await _length(reader)
            body = await reader.readexactly(length)
            look(head[0], body)
            writer.write(head + raw + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        return


async def _length(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a variable byte integer (MQTT 5.0, 1.5.5): its value and its bytes."""
    raw = b""
    while not raw or raw[-1] & 0x80:
        raw += await reader.readexactly(1)
    return _value(raw), raw


def _value(raw: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(raw))


def _message(body: bytes) -> tuple[int, bytes]:
    """Return packet id and payload of a PUBLISH with QoS 1 (MQTT 5.0, 3.3)."""
    after_topic = 2 + int.from_bytes(body[:2], "big")
    packet_id = int.from_bytes(body[after_topic : after_topic + 2], "big")
    start = end = after_topic + 2
    while body[end] & 0x80:
        end += 1
    end += 1
    return packet_id, body[end + _value(body[start:end]) :]
