"""The bytes of one MQTT connection, between the event loop, paho and what goes around it.

- PUBACKs go to ``on_pubacks``, those that came together in one call; PUBLISHes to ``on_publish``
  unless that is Unusual. Every other packet waits until paho takes it with `recv`: to paho this
  is its socket.
- Nothing blocks: what is sent is queued by the transport; how much that can be is bounded by
  what may be unconfirmed, which is the caller's part.
- ``on_bytes`` is called when packets wait for paho, and once when the stream has ended.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable
from typing import cast

from gateway.ops.mqtt_packets import PUBACK, Malformed, puback, split
from gateway.ops.mqtt_received import PUBLISH, Unusual

_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID
_KIND = 0xF0


class MqttStream(asyncio.Protocol):
    """One TCP or TLS connection. Looks to paho like a non-blocking socket."""

    def __init__(
        self,
        on_pubacks: Callable[[list[tuple[int, int]]], None],
        on_publish: Callable[[bytes], None],
        on_bytes: Callable[[], None],
    ) -> None:
        self._on_pubacks = on_pubacks
        self._on_publish = on_publish
        self._on_bytes = on_bytes
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._for_paho = bytearray()
        self._to_send: list[bytes] = []
        self._ended = False

    # --- the event loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop: sort what came."""
        self._received += data
        pubacks: list[tuple[int, int]] = []
        try:
            for packet in split(self._received):
                if packet[0] & _KIND == PUBACK:
                    pubacks.append(puback(packet))
                else:
                    self._sort(packet)
        except Malformed:
            self.abort()
        if pubacks:
            self._on_pubacks(pubacks)
        if self._for_paho:
            self._on_bytes()

    def _sort(self, packet: bytes) -> None:
        if packet[0] & _KIND == PUBLISH:
            if self._for_paho:
                self._on_bytes()  # what came before is read before
            with contextlib.suppress(Unusual):
                self._on_publish(packet)
                return
        self._for_paho += packet

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        del exc  # paho reads an end of file
        self._ended = True
        self._on_bytes()

    # --- the caller's side

    @property
    def has_packets(self) -> bool:
        """Whether something waits for paho."""
        return bool(self._for_paho)

    def write(self, packet: bytes) -> None:
        """Send a whole packet; those of one turn of the loop leave together."""
        if not self._to_send:
            asyncio.get_running_loop().call_soon(self._flush)
        self._to_send.append(packet)

    def abort(self) -> None:
        """Close at once, without sending what is queued. Idempotent."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    # --- paho's side: what it uses of a socket

    def recv(self, size: int) -> bytes:
        """Return bytes of the packets that wait, empty at the end; raises BlockingIOError."""
        if self._for_paho:
            data = bytes(self._for_paho[:size])
            del self._for_paho[:size]
            return data
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        """Queue all of it."""
        self.write(bytes(data))
        return len(data)

    def close(self) -> None:
        """Close when what is queued has been sent."""
        self._ended = True
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        packets, self._to_send = self._to_send, []
        if packets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(packets))

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        sock = None if self._transport is None else self._transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())


async def open_stream(
    stream: MqttStream, host: str, port: int, context: ssl.SSLContext | None, timeout_s: float
) -> None:
    """Connect; raises OSError."""
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().create_connection(
                lambda: stream,
                host,
                port,
                ssl=context,
                server_hostname=None if context is None else host,
            )
    except TimeoutError as err:
        raise TimeoutError(f"no connection within {timeout_s:g} s") from err


def told(err: OSError) -> str:
    """Return the system's own words; the event loop's name the address once more."""
    if isinstance(err, ssl.SSLCertVerificationError) and err.verify_code == _NOT_YET_VALID:
        return f"{err}; is the clock of this machine right?"
    if err.errno is None or err.errno < 0 or err.filename or isinstance(err, ssl.SSLError):
        return str(err)
    return os.strerror(err.errno)
