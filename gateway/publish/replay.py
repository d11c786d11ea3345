"""Sending again what a consumer missed.

- Rows go out on their own topics with ``replay`` true, at most a tenth of the backlog's rate.
- Never past the cursor: what was not sent yet comes by itself, in order.
- Several requests take turns, so a long one does not starve a short one.
- The same ``command_id`` twice in a session is one request; its answer is repeated.
- An answer about some ``places`` tells the newest seq of each type there, too: who reads only
  those cannot tell from the health whether it has them all.
- What the journal no longer has is answered with OUT_OF_RANGE and what it has.
- A row that the broker never takes is left out: a gap event names it, or will.
- A request ends with its session; who still misses something asks again.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import NoReturn

from gateway.domain.vocabulary import Json
from gateway.journal.row import Row
from gateway.ops.mqtt_terms import Message, Refused
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.publish.pump import CURSOR
from gateway.publish.replies import NotObeyed, Replies, check
from gateway.publish.sending import TIMES, Oversize, Postman, is_dead
from gateway.publish.source import Source
from gateway.publish.timing import Pace, Timing
from gateway.wire import command
from gateway.wire.command import ReplayRequest
from gateway.wire.error import WireError
from gateway.wire.topics import is_meant

MAX_WAITING = 100
_SHARE = 0.1
_CHUNK = 50
_MAX_ANSWERS = 1000


@dataclass(slots=True)
class Running:
    """A request under way: what is left of it."""

    message: Message
    request: ReplayRequest
    after: int
    upto: int
    first_seq: int | None = None
    last_seq: int | None = None
    count: int = 0


class Replays:
    """Answers ``cmd/replay`` during one session."""

    def __init__(
        self,
        journal: Source,
        places: Places,
        counts: Counts,
        *,
        max_rate_per_s: float,
        timing: Timing,
        oversize: Oversize,
    ) -> None:
        self._oversize = oversize
        self._journal = journal
        self._places = places
        self._counts = counts
        self._timing = timing
        self._pace = Pace(max_rate_per_s * _SHARE, timing)
        self._turns: deque[Running] = deque()
        self._wake = asyncio.Event()
        self._answers: dict[str, Json | None] = {}
        """command_id -> its answer; None while it is under way."""

    async def handle(self, message: Message, replies: Replies) -> None:
        """Take or refuse one request. Raises ConnectionLost."""
        try:
            request = command.replay(check(message, self._timing.clock.now()))
        except NotObeyed as err:
            await replies.refuse(message, err.error, err.reason)
            return
        except WireError as err:
            await replies.refuse(message, "MALFORMED", str(err))
            return
        if request.command_id in self._answers:
            earlier = self._answers[request.command_id]
            if earlier is not None:
                await replies.send(message, earlier)
            return
        if len(self._turns) >= MAX_WAITING:
            await replies.refuse(message, "BUSY", f"{MAX_WAITING} requests are waiting")
            return
        running = self._begin(message, request)
        if running is None:
            await self._finish(message, request, self._out_of_range(), replies)
            return
        self._answers[request.command_id] = None
        self._turns.append(running)
        self._wake.set()

    async def run(self, sender: Sender, replies: Replies) -> NoReturn:
        """Serve the requests in turns for ever. Raises ConnectionLost."""
        postman = Postman(sender, self._places, self._oversize)
        while True:
            while not self._turns:
                self._wake.clear()
                await self._wake.wait()
            running = self._turns.popleft()
            answer = await self._chunk(postman, running)
            if answer is None:
                self._turns.append(running)
            else:
                await self._finish(running.message, running.request, answer, replies)

    async def _finish(
        self, message: Message, request: ReplayRequest, answer: Json, replies: Replies
    ) -> None:
        self._answers[request.command_id] = answer
        while len(self._answers) > _MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]
        await replies.send(message, answer)

    def _begin(self, message: Message, request: ReplayRequest) -> Running | None:
        """Return what is to be done; None if the journal does not have it."""
        known = {self._journal.epoch, *self._journal.previous_epochs, None}
        if request.epoch not in known:
            return None
        cursor = self._journal.cursor(CURSOR)
        if request.from_seq is None:
            return Running(message, request, after=0, upto=cursor)
        first, head = self._journal.first_seq(), self._journal.head()
        if not first <= request.from_seq <= head + 1:
            return None
        upto = cursor if request.to_seq is None else min(request.to_seq, cursor)
        return Running(message, request, after=request.from_seq - 1, upto=upto)

    async def _chunk(self, postman: Postman, running: Running) -> Json | None:
        """Send the next rows; return the answer if these were the last."""
        rows = await self._rows(running)
        under_way = [
            (row, await self._send(postman, row))
            for row in rows
            if self._wanted(row, running.request)
        ]
        try:
            sent = [row for row, confirmed in under_way if await _is_taken(confirmed)]
        except Refused as err:
            self._counts.refused += 1
            return {"accepted": False, "error": "NOT_SENT", "reason": err.reason}
        if sent:
            running.first_seq = running.first_seq or sent[0].seq
            running.last_seq = sent[-1].seq
            running.count += len(sent)
            self._counts.replayed += len(sent)
        if rows and rows[-1].seq < running.upto:
            running.after = rows[-1].seq
            return None
        return {
            "accepted": True,
            "first_seq": running.first_seq,
            "last_seq": running.last_seq,
            "count": running.count,
            "upto_seq": running.upto,
            "epoch": self._journal.epoch,
        } | self._newest(running.request)

    def _newest(self, request: ReplayRequest) -> Json:
        """Return type -> newest seq at the places asked for, where that was sent."""
        if not request.places or request.epoch not in {None, self._journal.epoch}:
            return {}
        newest: dict[str, int] = {}
        for equipment, place in self._places.live.items():
            if is_meant(place, request.places):
                for type_, head in self._journal.heads(equipment).items():
                    newest[type_] = max(head.seq, newest.get(type_, 0))
        cursor = self._journal.cursor(CURSOR)
        return {"newest": {type_: seq for type_, seq in newest.items() if seq <= cursor}}

    def _wanted(self, row: Row, request: ReplayRequest) -> bool:
        return (
            not row.local
            and (not request.types or row.type in request.types)
            and request.equipment in {None, row.equipment}
            and request.epoch in {None, row.epoch}
            and is_meant(self._places.of(row.equipment), request.places)
        )

    async def _rows(self, running: Running) -> list[Row]:
        request = running.request
        if request.start is None or request.end is None:
            return await self._journal.rows(running.after, _CHUNK, running.upto)
        rows = await self._journal.rows_between(request.start, request.end, running.after, _CHUNK)
        return [row for row in rows if row.seq <= running.upto]

    async def _send(self, postman: Postman, row: Row) -> asyncio.Future[None]:
        await self._pace.step()
        return await postman.send(row, replay=True)

    def _out_of_range(self) -> Json:
        return {
            "accepted": False,
            "error": "OUT_OF_RANGE",
            "first_seq": self._journal.first_seq(),
            "last_seq": self._journal.head(),
            "epoch": self._journal.epoch,
        }


async def _is_taken(confirmed: asyncio.Future[None]) -> bool:
    """Wait for the broker; False for a row it never takes. Raises Refused, ConnectionLost."""
    try:
        await confirmed
    except Refused as err:
        if is_dead(err.reason_code, TIMES):
            return False
        raise
    return True
