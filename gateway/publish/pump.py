"""From the journal to the broker.

- Rows leave strictly in the order of the journal; local rows never leave.
- The cursor moves over the longest confirmed prefix only, so whatever happens, the next
  session begins with the first row that is not known to have arrived.
- At most ``window`` rows are under way.
- A refused row is not lost: the cursor stands still before it, health names it, and it is
  sent again, with everything behind it, after a pause that grows.
- A row that no broker would take is set aside: a ``gap`` event that names it is committed,
  then the cursor moves on. A broker that takes nothing at all is wrong itself: after
  ``MAX_DEAD`` rows set aside without one confirmed the next is held.
- ``replay`` is true for what was committed before the present MQTT session began.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NoReturn

from gateway.journal.row import Row
from gateway.ops.backoff import delays
from gateway.ops.mqtt_terms import CLOSED, TOO_LARGE, ConnectionLost, Refused
from gateway.publish.counts import Counts, Held
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.publish.sending import TIMES, Oversize, Postman, is_dead
from gateway.publish.source import Source, Watch
from gateway.publish.timing import Pace, Timing

CURSOR = "mqtt"
_BATCH = 500
MAX_DEAD = 10
_RETRIES_A_SESSION = 5
"""Some brokers read our rights only at CONNECT: after so many refusals connect anew."""

_log = logging.getLogger(__name__)

SetAside = Callable[[Row, str], Awaitable[None]]
"""Commit the gap event that names a row; the reason is for people."""

UnderWay = deque[tuple[Row, asyncio.Future[None] | None]]
"""Rows in their order and what confirms each, None where nothing has to."""


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
        set_aside: SetAside,
    ) -> None:
        self.oversize = Oversize()
        self._journal = journal
        self._places = places
        self._counts = counts
        self._window = window
        self._timing = timing
        self._set_aside = set_aside
        self._dead_in_a_row = 0
        self._first_under_way: Row | None = None
        self._newest_sent = 0
        self._careful_until = 0
        """Up to here rows go one by one: one of them may be what ends the connection."""
        self._closed_before = (0, 0)
        """The row before which connections were closed without a word, and how many in a row."""
        self._paused = False
        self._backlog_pace = Pace(max_rate_per_s, timing)
        self._watch: Watch = journal.watch()
        self._fed = asyncio.Event()
        self._moved = asyncio.Event()

    @property
    def cursor(self) -> int:
        """Everything up to here was confirmed by the broker."""
        return self._journal.cursor(CURSOR)

    async def reached(self, seq: int) -> None:
        """Wait until the cursor stands at ``seq`` or further."""
        while self.cursor < seq:
            await self._next_move()

    @property
    def has_a_suspect(self) -> bool:
        """Whether connections were closed twice or more before the same row."""
        return self._closed_before[1] > 1

    async def pause(self, timeout_s: float) -> None:
        """Send nothing more in this session; wait for what is under way."""
        self._paused = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.reached(self._newest_sent)

    def session_ended(self, reason_code: int | None) -> None:
        """Note why, after `run`: what was first under way may be to blame."""
        first, self._first_under_way = self._first_under_way, None
        if first is None or reason_code not in {CLOSED, TOO_LARGE}:
            return
        if not self._careful_until:  # it may have been any of those under way
            self._careful_until = self._newest_sent
            return
        if reason_code == TOO_LARGE:
            _log.error("seq %d seems to be larger than the broker takes", first.seq)
            payload = self._places.address(first).form.fill(first, replay=True)
            self.oversize.blame(first.seq, len(payload))
        else:
            self._suspect(first)

    def _suspect(self, first: Row) -> None:
        """Sound the alarm when connections end before this row again and again.

        It is not set aside for that: a bad line looks the same.
        """
        self._closed_before = (
            (first.seq, self._closed_before[1] + 1)
            if self._closed_before[0] == first.seq
            else (first.seq, 1)
        )
        if self._closed_before[1] >= TIMES and self._counts.held is None:
            topic = self._places.address(first).topic
            reason = "the connection ends each time it is sent; is it too large for the broker?"
            _log.error("held at seq %d, %s: %s", first.seq, topic, reason)
            self._counts.held = Held(first.seq, topic, reason, None, self._closed_before[1])

    async def run(self, sender: Sender, began_at: int) -> NoReturn:
        """Send rows for ever; those up to seq ``began_at`` are older than the session.

        Raises ConnectionLost, alone or in a group.
        """
        waits = delays(self._timing.uniform)
        postman = Postman(sender, self._places, self.oversize)
        self._paused = False
        while True:
            before = self.cursor
            held = await self._send_until_refused(postman, began_at)
            if self.cursor > before:
                waits = delays(self._timing.uniform)
            if held.times % _RETRIES_A_SESSION == 0:
                raise ConnectionLost(f"connecting anew: {held.topic} is refused: {held.reason}")
            await self._timing.sleep(next(waits))

    async def _send_until_refused(self, postman: Postman, began_at: int) -> Held:
        under_way: UnderWay = deque()
        try:
            async with asyncio.TaskGroup() as tasks:
                feed = self._feed(postman, under_way, began_at)
                feeding = tasks.create_task(feed, name="pump.feed")
                held = await self._settle(under_way)
                feeding.cancel()
        finally:
            sent = (row for row, confirmed in under_way if confirmed is not None)
            self._first_under_way = next(sent, None)
        return held

    async def _feed(self, postman: Postman, under_way: UnderWay, began_at: int) -> NoReturn:
        after = self.cursor
        while True:
            rows = await self._journal.rows(after, _BATCH)
            if not rows:
                await self._watch.changed()
            for row in rows:
                while not self._may_send(len(under_way)):
                    await self._next_move()
                confirmed = None
                if not row.local:
                    if replay := row.seq <= began_at:
                        await self._backlog_pace.step()
                    confirmed = await postman.send(row, replay=replay)
                under_way.append((row, confirmed))
                self._newest_sent = after = row.seq
                if len(under_way) == 1:
                    self._fed.set()

    def _may_send(self, under_way: int) -> bool:
        return not self._paused and under_way < (1 if self._careful_until else self._window)

    async def _settle(self, under_way: UnderWay) -> Held:
        """Move the cursor over what is confirmed; return at a refusal that is held."""
        while True:
            if seq := self._take_confirmed(under_way):
                await self._move_to(seq)
            if not under_way:
                self._fed.clear()
                await self._fed.wait()
            elif (held := await self._first_answer(under_way)) is not None:
                return held

    def _take_confirmed(self, under_way: UnderWay) -> int:
        """Take the longest confirmed prefix away; return the seq it ends with, 0 without one."""
        seq = 0
        while under_way:
            row, confirmed = under_way[0]
            if confirmed is not None:
                if not confirmed.done() or confirmed.exception() is not None:
                    break
                self._counts.published += 1
                self._dead_in_a_row = 0
            under_way.popleft()
            seq = row.seq
        return seq

    async def _move_to(self, seq: int) -> None:
        held = self._counts.held
        if held is not None and seq >= held.seq:
            _log.info("seq %d was accepted after %d refusals", held.seq, held.times)
            self._counts.held = None
        if seq >= self._closed_before[0]:
            self._closed_before = (0, 0)
        if seq >= self._careful_until:
            self._careful_until = 0
        await self._journal.advance(CURSOR, seq)
        self._moved.set()

    async def _first_answer(self, under_way: UnderWay) -> Held | None:
        """Wait for the broker's answer to the first; return what is held if it has to stay."""
        row, confirmed = under_way[0]
        try:
            if confirmed is not None:
                await confirmed
        except Refused as err:
            held = await self._refused(row, err)
            if held is not None:
                return held
            under_way[0] = (row, None)  # there is nothing more to wait for
        return None

    async def _next_move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _refused(self, row: Row, err: Refused) -> Held | None:
        """Set aside what no broker would take; return what is held if the row has to stay."""
        held = self._hold(row, err)
        if not is_dead(err.reason_code, held.times) or self._dead_in_a_row >= MAX_DEAD:
            return held
        _log.error("seq %d is set aside: the broker never takes it: %s", row.seq, err.reason)
        self._dead_in_a_row += 1
        self._counts.dead_letters += 1
        self._counts.held = None
        await self._set_aside(row, err.reason)
        return None

    def _hold(self, row: Row, err: Refused) -> Held:
        self._counts.refused += 1
        held = self._counts.held
        if held is not None and held.seq == row.seq:
            held.times += 1
            return held
        topic = self._places.address(row).topic
        _log.error("held at seq %d: the broker refuses %s: %s", row.seq, topic, err.reason)
        self._counts.held = held = Held(row.seq, topic, err.reason, err.reason_code)
        return held
