"""What waits for a broker's answer."""

import asyncio

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateway.ops.mqtt_terms import ConnectionLost, Refused

_FAILURE = 0x80  # MQTT 5.0, 2.4: codes from 0x80 are failures


class Pending:
    """Publishes and subscribes by packet id, oldest first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._waiting: dict[int, tuple[asyncio.Future[None], float]] = {}

    def add(self, mid: int) -> asyncio.Future[None]:
        """Return what the answer to packet ``mid`` resolves."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting[mid] = (future, self._loop.time() + self._timeout_s)
        return future

    def __contains__(self, mid: int) -> bool:
        return mid in self._waiting

    def answer(self, mid: int, reason_code: int) -> None:
        """Resolve what waits for ``mid``; a code from 0x80 fails it with Refused."""
        future, _ = self._waiting.pop(mid, (None, 0.0))
        if future is None or future.done():
            return
        if reason_code < _FAILURE:
            future.set_result(None)
        else:
            future.set_exception(Refused(_name(reason_code), reason_code))

    def is_overdue(self) -> bool:
        """Whether the oldest has waited for longer than ``timeout_s``."""
        oldest = next(iter(self._waiting.values()), None)
        return oldest is not None and oldest[1] < self._loop.time()

    def fail(self, error: ConnectionLost) -> None:
        """Fail everything that waits."""
        for future, _ in self._waiting.values():
            if not future.done():
                fail(future, error)
        self._waiting.clear()


def fail(future: asyncio.Future[None], error: ConnectionLost) -> None:
    """Fail a future nobody may be waiting for: whoever does gets the error."""
    future.set_exception(ConnectionLost(error.reason, error.reason_code))
    future.exception()


def _name(reason_code: int) -> str:
    """Return what a failure is called; SUBACK and PUBACK agree where both know a code."""
    for packet in (PacketTypes.PUBACK, PacketTypes.SUBACK):
        try:
            return str(ReasonCode(packet, identifier=reason_code))
        except KeyError:
            continue
    return f"reason code 0x{reason_code:02x}"
