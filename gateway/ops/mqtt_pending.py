"""What waits for a broker's answer.

- A broker answers in the order it was asked, so only the oldest is watched: it is overdue
  ``timeout_s`` after it became the oldest. Behind it others may wait for as long as a slow
  line takes to carry what is before them.
- A large packet is given the time that a line of ``SLOWEST_BYTES_PER_S`` needs for it.
"""

import asyncio

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateway.ops.mqtt_terms import ConnectionLost, Refused

SLOWEST_BYTES_PER_S = 1000.0
_FIRST_ID = 0x400
"""Packet ids of publishes begin here; paho numbers its few subscribes from 1."""
_LAST_ID = 0xFFFF
_FAILURE = 0x80  # MQTT 5.0, 2.4: codes from 0x80 are failures
_NAMED_IN = (PacketTypes.PUBACK, PacketTypes.SUBACK, PacketTypes.DISCONNECT)
"""Where a code is looked up: mosquitto says 0x95 in a PUBACK, where it is not defined."""


class Pending:
    """Publishes and subscribes by packet id, oldest first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._waiting: dict[int, tuple[asyncio.Future[None], float]] = {}
        """Packet id -> its future, and the seconds it may take once it is the oldest."""
        self._oldest_since_s = 0.0
        self._newest_id = _LAST_ID

    def free_id(self) -> int:
        """Return a packet id that nothing unconfirmed has. Raises ConnectionLost."""
        for _ in range(_LAST_ID - _FIRST_ID + 1):
            self._newest_id = _FIRST_ID if self._newest_id == _LAST_ID else self._newest_id + 1
            if self._newest_id not in self._waiting:
                return self._newest_id
        raise ConnectionLost("too many messages are unconfirmed")

    def refused(self, reason: str, reason_code: int) -> asyncio.Future[None]:
        """Return what has failed before it was asked."""
        future: asyncio.Future[None] = self._loop.create_future()
        future.set_exception(Refused(reason, reason_code))
        future.exception()  # read once, or asyncio complains where nobody awaits it
        return future

    def add(self, mid: int, size: int = 0) -> asyncio.Future[None]:
        """Return what the answer to packet ``mid``, of ``size`` bytes, resolves."""
        if not self._waiting:
            self._oldest_since_s = self._loop.time()
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting[mid] = (future, self._timeout_s + size / SLOWEST_BYTES_PER_S)
        return future

    def answer(self, mid: int, reason_code: int) -> None:
        """Resolve what waits for ``mid``; a code from 0x80 fails it with Refused."""
        is_oldest = mid == next(iter(self._waiting), None)
        future, _ = self._waiting.pop(mid, (None, 0.0))
        if is_oldest:
            self._oldest_since_s = self._loop.time()
        if future is None or future.done():
            return
        if reason_code < _FAILURE:
            future.set_result(None)
        else:
            future.set_exception(Refused(code_name(reason_code), reason_code))

    def is_overdue(self) -> bool:
        """Whether the oldest has waited for too long."""
        oldest = next(iter(self._waiting.values()), None)
        return oldest is not None and self._oldest_since_s + oldest[1] < self._loop.time()

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


def code_name(reason_code: int) -> str:
    """Return what a failure is called, in whichever packet that code is defined."""
    for packet in _NAMED_IN:
        try:
            return str(ReasonCode(packet, identifier=reason_code))
        except (KeyError, ValueError):  # the library raises either
            continue
    return f"reason code 0x{reason_code:02x}"
