"""From the journal to the broker.

- Rows leave strictly in the order of the journal; local rows never leave.
- The cursor moves over the longest confirmed prefix only, so whatever happens, the next
  session begins with the first row that is not known to have arrived.
- At most ``window`` rows are under way.
- A refused row is not lost: the cursor stands still before it, health names it, and it is
  sent again, with everything behind it, after a pause that grows.
- ``replay`` is true for what was committed before the present MQTT session began.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import NoReturn

from gateway.journal.row import Row
from gateway.ops.backoff import delays
from gateway.ops.mqtt_terms import ConnectionLost, Refused
from gateway.publish.counts import Counts, Held
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.publish.source import Source, Watch
from gateway.publish.timing import Pace, Timing
from gateway.wire.cloudevent import CONTENT_TYPE, encode
from gateway.wire.topics import event_topic

CURSOR = "mqtt"
_BATCH = 500
_RETRIES_A_SESSION = 5
"""Some brokers read our rights only at CONNECT: after so many refusals connect anew."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A row on its way; ``confirmed`` None if it is local and never left."""

    seq: int
    topic: str
    confirmed: asyncio.Future[None] | None


async def send_event(sender: Sender, places: Places, row: Row, *, replay: bool) -> Sent:
    """Send one row to its topic. Raises ConnectionLost."""
    place = places.of(row.equipment)
    topic = event_topic(place, row.type, row.part)
    source = places.topics.source
    payload = encode(row, source=source, place=place, epoch=row.epoch, replay=replay)
    return Sent(row.seq, topic, await sender.send(topic, payload, content_type=CONTENT_TYPE))


class Pump:
    """Sends what was committed. One for the life of the process; `run` once a session."""

    def __init__(
        self,
        journal: Source,
        places: Places,
        counts: Counts,
        *,
        window: int,
        max_rate_per_s: float,
        timing: Timing,
    ) -> None:
        self._journal = journal
        self._places = places
        self._counts = counts
        self._window = window
        self._timing = timing
        self._backlog_pace = Pace(max_rate_per_s, timing)
        self._watch: Watch = journal.watch()
        self._moved = asyncio.Event()

    @property
    def cursor(self) -> int:
        """Everything up to here was confirmed by the broker."""
        return self._journal.cursor(CURSOR)

    async def reached(self, seq: int) -> None:
        """Wait until the cursor stands at ``seq`` or further."""
        while self.cursor < seq:
            self._moved.clear()
            await self._moved.wait()

    async def run(self, sender: Sender, began_at: int) -> NoReturn:
        """Send rows for ever; those up to seq ``began_at`` are older than the session.

        Raises ConnectionLost, alone or in a group.
        """
        waits = delays(self._timing.uniform)
        while True:
            before = self.cursor
            held = await self._send_until_refused(sender, began_at)
            if self.cursor > before:
                waits = delays(self._timing.uniform)
            if held.times % _RETRIES_A_SESSION == 0:
                raise ConnectionLost(f"connecting anew: {held.topic} is refused: {held.reason}")
            await self._timing.sleep(next(waits))

    async def _send_until_refused(self, sender: Sender, began_at: int) -> Held:
        room = asyncio.Semaphore(self._window)
        under_way: asyncio.Queue[Sent] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            feed = self._feed(sender, room, under_way, began_at)
            feeding = tasks.create_task(feed, name="pump.feed")
            held = await self._settle(room, under_way)
            feeding.cancel()
        return held

    async def _feed(
        self, sender: Sender, room: asyncio.Semaphore, under_way: asyncio.Queue[Sent], began_at: int
    ) -> NoReturn:
        after = self.cursor
        while True:
            rows = await self._journal.rows(after, _BATCH)
            if not rows:
                await self._watch.changed()
            for row in rows:
                after = row.seq
                await room.acquire()
                under_way.put_nowait(await self._send(sender, row, replay=row.seq <= began_at))

    async def _send(self, sender: Sender, row: Row, *, replay: bool) -> Sent:
        if row.local:
            return Sent(row.seq, "", None)
        if replay:
            await self._backlog_pace.step()
        return await send_event(sender, self._places, row, replay=replay)

    async def _settle(self, room: asyncio.Semaphore, under_way: asyncio.Queue[Sent]) -> Held:
        """Move the cursor over what is confirmed; return at the first refusal."""
        while True:
            sent = await under_way.get()
            if sent.confirmed is not None:
                try:
                    await sent.confirmed
                except Refused as err:
                    return self._hold(sent, err)
                self._counts.published += 1
            room.release()
            self._release(sent.seq)
            await self._journal.advance(CURSOR, sent.seq)
            self._moved.set()

    def _hold(self, sent: Sent, err: Refused) -> Held:
        self._counts.refused += 1
        held = self._counts.held
        if held is not None and held.seq == sent.seq:
            held.times += 1
            return held
        _log.error("held at seq %d: the broker refuses %s: %s", sent.seq, sent.topic, err.reason)
        self._counts.held = held = Held(sent.seq, sent.topic, err.reason, err.reason_code)
        return held

    def _release(self, seq: int) -> None:
        held = self._counts.held
        if held is not None and seq >= held.seq:
            _log.info("seq %d was accepted after %d refusals", held.seq, held.times)
            self._counts.held = None
