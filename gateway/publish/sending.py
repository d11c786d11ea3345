"""One row of the journal on its way to the broker, and what a refusal of it means.

- A refusal of rights or quota (0x87, 0x97, 0x80, ...) is *held*: a person can put it right.
- A refusal of the form is *dead*: no broker set up like this one ever takes that row. 0x90
  (topic name) and 0x99 (payload format) are, and 0x95 (too large); 0x83, which says nothing,
  is when it comes for the third time.
- A row that, alone under way, ends the connection with 0x95 three times is too large, and so is
  from then on, for this broker, whatever is not smaller.
"""

import asyncio
import math
from datetime import datetime

from gateway.domain.events import Gap
from gateway.journal.row import Row
from gateway.ops.mqtt_terms import TOO_LARGE, Refused
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.wire.cloudevent import CONTENT_TYPE

TIMES = 3
_WRONG_TOPIC, _WRONG_FORMAT, _SAYS_NOTHING = 0x90, 0x99, 0x83
_DEAD = frozenset({_WRONG_TOPIC, _WRONG_FORMAT, TOO_LARGE})


def is_dead(reason_code: int | None, times: int) -> bool:
    """Whether a row refused for the ``times``-th time will never be taken."""
    return reason_code in _DEAD or (reason_code == _SAYS_NOTHING and times >= TIMES)


def dead_letter(row: Row, *, epoch: str, at: datetime, target: str) -> list[Gap]:
    """Return the event that names a row ``target`` will not get; none for one that itself is a gap.

    Streamseqs of an earlier epoch mean nothing in this one: there only the count is told.
    """
    if row.type == Gap.type:
        return []
    number = row.streamseq if row.epoch == epoch else None
    gap = Gap(
        at=at,
        stream=row.type,
        reason="dead_letter",
        count=1,
        from_streamseq=number,
        to_streamseq=number,
        target=target,
    )
    return [gap]


class Oversize:
    """What a broker that does not say so turned out to be too small for."""

    def __init__(self) -> None:
        self.limit_bytes = math.inf
        """Payloads of this size are too large."""
        self._seq = 0
        self._times = 0

    def blame(self, seq: int, payload_bytes: int) -> None:
        """Note that the connection ended with 0x95 while this was the first to be confirmed."""
        self._times = self._times + 1 if seq == self._seq else 1
        self._seq = seq
        if self._times >= TIMES:
            self.limit_bytes = payload_bytes

    def forget(self) -> None:
        """Begin anew, with another broker."""
        self.limit_bytes, self._seq, self._times = math.inf, 0, 0

    def refusal(self) -> "asyncio.Future[None]":
        """Return a refused future for what is too large, without troubling the broker."""
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(Refused("the broker ends the connection at this size", TOO_LARGE))
        refused.exception()  # read once, or asyncio complains where nobody awaits it
        return refused


class Postman:
    """Sends rows to their topics, in one session."""

    def __init__(self, sender: Sender, places: Places, oversize: Oversize) -> None:
        self._sender = sender
        self._places = places
        self._oversize = oversize

    async def send(self, row: Row, *, replay: bool) -> asyncio.Future[None]:
        """Send one row; return the future of its confirmation. Raises ConnectionLost."""
        topic, form = self._places.address(row)
        payload = form.fill(row, replay=replay)
        if len(payload) >= self._oversize.limit_bytes:
            return self._oversize.refusal()
        return await self._sender.send(topic, payload, content_type=CONTENT_TYPE)
