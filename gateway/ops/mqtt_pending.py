"""What waits for a broker's answer.

- A broker answers in the order it was asked, so only the oldest is watched: it is overdue
  ``timeout_s`` after it became the oldest. Behind it others may wait for as long as a slow
  line takes to carry what is before them.
- A large packet is given the time that a line of ``SLOWEST_BYTES_PER_S`` needs for it.
- ``on_published`` hears of every publish that waits no more, whatever became of it: when each of
  them was asked, of those that were answered together in one call.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateway.ops.mqtt_terms import ConnectionLost, MqttError, Refused

SLOWEST_BYTES_PER_S = 1000.0
_FIRST_ID = 0x400
"""Packet ids of publishes begin here; paho numbers its few subscribes from 1."""
_LAST_ID = 0xFFFF
_FAILURE = 0x80  # MQTT 5.0, 2.4: codes from 0x80 are failures
_NOTHING = (None, 0, None)
_NAMED_IN = (PacketTypes.PUBACK, PacketTypes.SUBACK, PacketTypes.DISCONNECT)
"""Where a code is looked up: mosquitto says 0x95 in a PUBACK, where it is not defined."""


def _nobody(asked_s: Sequence[float]) -> None:
    """Hear of no publish."""


class Pending:
    """Publishes and subscribes by packet id, oldest first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self.on_published: Callable[[Sequence[float]], None] = _nobody
        self._loop = loop
        self._timeout_s = timeout_s
        self._waiting: dict[int, tuple[asyncio.Future[None], int, float | None]] = {}
        """Packet id -> its future, its size, and when it was asked, None for a subscribe."""
        self._oldest_since_s = 0.0
        self._newest_id = _LAST_ID

    def publish(self, size: int) -> tuple[int, asyncio.Future[None]]:
        """Return a packet id that nothing unconfirmed has, and what the answer to it resolves.

        ``size`` is that of the payload in bytes. Raises ConnectionLost.
        """
        waiting, mid = self._waiting, self._newest_id
        if len(waiting) > _LAST_ID - _FIRST_ID:
            raise ConnectionLost("too many messages are unconfirmed")
        while (mid := _FIRST_ID if mid == _LAST_ID else mid + 1) in waiting:
            pass
        self._newest_id = mid
        now_s = self._loop.time()
        if not waiting:
            self._oldest_since_s = now_s
        future: asyncio.Future[None] = self._loop.create_future()
        waiting[mid] = (future, size, now_s)
        return mid, future

    def subscribe(self, mid: int) -> asyncio.Future[None]:
        """Return what the answer to packet ``mid`` resolves."""
        if not self._waiting:
            self._oldest_since_s = self._loop.time()
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting[mid] = (future, 0, None)
        return future

    def answer(self, answers: Iterable[tuple[int, int]]) -> None:
        """Resolve what waits for each packet id; a code from 0x80 fails it with Refused."""
        oldest = next(iter(self._waiting), None)
        published = []
        for mid, reason_code in answers:
            future, _, asked_s = self._waiting.pop(mid, _NOTHING)
            if asked_s is not None:
                published.append(asked_s)
            if future is None or future.done():
                continue
            if reason_code < _FAILURE:
                future.set_result(None)
            else:
                fail(future, Refused(code_name(reason_code), reason_code))
        if oldest not in self._waiting:
            self._oldest_since_s = self._loop.time()
        self.on_published(published)

    def refuse(self, mid: int, error: Refused) -> None:
        """Fail a publish that is not even sent."""
        future, _, asked_s = self._waiting.pop(mid)
        fail(future, error)
        self.on_published([] if asked_s is None else [asked_s])

    def is_overdue(self) -> bool:
        """Whether the oldest has waited for too long."""
        if not self._waiting:
            return False
        _, size, _ = next(iter(self._waiting.values()))
        allowed_s = self._timeout_s + size / SLOWEST_BYTES_PER_S
        return self._oldest_since_s + allowed_s < self._loop.time()

    def fail(self, error: ConnectionLost) -> None:
        """Fail everything that waits."""
        waiting, self._waiting = self._waiting, {}
        for future, _, _ in waiting.values():
            if not future.done():
                fail(future, error)
        self.on_published([asked_s for _, _, asked_s in waiting.values() if asked_s is not None])


def fail(future: asyncio.Future[None], error: MqttError) -> None:
    """Fail a future nobody may be waiting for: whoever does gets an error of its own."""
    future.set_exception(type(error)(error.reason, error.reason_code))
    future.exception()  # read once, or asyncio complains where nobody awaits it


def code_name(reason_code: int) -> str:
    """Return what a failure is called, in whichever packet that code is defined."""
    for packet in _NAMED_IN:
        try:
            return str(ReasonCode(packet, identifier=reason_code))
        except (KeyError, ValueError):  # the library raises either
            continue
    return f"reason code 0x{reason_code:02x}"
