"""From the journal to one HTTP endpoint, in order.

- One request is under way at a time, and the cursor moves over what was taken with 2xx only:
  after whatever ends the process, sending begins with the first row not known to be taken.
- What nobody answers is sent again, the same rows under the same ids, after full jitter up to
  a minute, or after the pause the target asks for.
- A row that is refused by itself is set aside: written to a file, named by a gap event, passed
  over. A target that refuses `MAX_DEAD` of them without taking one is wrong itself: then
  nothing is set aside until it takes something.
- Rows that are local or filtered out never leave.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NoReturn, Protocol

from gateway.journal.row import Row
from gateway.ops.backoff import delays
from gateway.ops.timing import Timing
from gateway.push import body
from gateway.push.answer import Answer, Unanswered
from gateway.push.dead import DeadLetters
from gateway.push.http import Post, endpoint
from gateway.push.search import Search
from gateway.push.settings import PushTarget
from gateway.push.signature import signed
from gateway.wire.topics import Place

MAX_DEAD = 10
_ROWS = 500
_log = logging.getLogger(__name__)


class Watch(Protocol):
    """Wakes a reader of the journal."""

    async def changed(self) -> set[str]:
        """Return the equipment committed since the last call; wait if there is none."""
        ...


class Source(Protocol):
    """What is asked of the journal; `gateway.journal.journal.Journal` has it."""

    async def advance(self, cursor: str, seq: int) -> None:
        """Remember that everything up to ``seq`` was taken."""
        ...

    def cursor(self, name: str) -> int:
        """Return what `advance` was last told."""
        ...

    def head(self) -> int:
        """Return the last committed seq."""
        ...

    async def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Return rows after ``after`` in order, local ones too."""
        ...

    def watch(self) -> Watch:
        """Return a new watch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a courier asks of the rest of the gateway."""

    source: str
    """Of the events: ``/<site>/gateways/<gateway>``."""
    place_of: Callable[[str], Place]
    set_aside: Callable[[Row, str], Awaitable[None]]
    """Commit the gap event that names a row, and us by `PushTarget.label`."""


@dataclass(slots=True)
class PushStats:
    """What one target has taken since the start."""

    online: bool = False
    events: int = 0
    requests: int = 0
    failures: int = 0
    dead_letters: int = 0
    held: str | None = None
    """Why nothing moves, while nothing does."""
    last_taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Parcel:
    rows: list[Row] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    upto: int = 0
    """The cursor once it is taken: rows nobody wants may come behind its last."""


class Courier:
    """Serves one target. One for the life of the process."""

    def __init__(
        self,
        target: PushTarget,
        journal: Source,
        ports: Ports,
        dead: DeadLetters,
        timing: Timing | None = None,
    ) -> None:
        self.stats = PushStats()
        self.target = target
        self._journal = journal
        self._ports = ports
        self._dead = dead
        self._timing = timing or Timing()
        self._watch = journal.watch()
        self._search = Search(target.max_events)
        self._waits = delays(self._timing.uniform)
        self._dead_in_a_row = 0
        self._replay_upto = journal.head()

    @property
    def backlog(self) -> int:
        """How many rows lie behind the cursor, wanted or not."""
        return max(0, self._journal.head() - self._journal.cursor(self.target.cursor))

    async def serve(self) -> NoReturn:
        """Push for ever. Raises JournalError."""
        target = self.target
        while True:
            try:
                async with endpoint(
                    target.url, ca_file=target.ca_file, timeout_s=target.timeout_s
                ) as post:
                    await self.run(post)
            except OSError as err:  # of the authority's file
                await self._later(str(err))

    async def failed(self, err: Exception) -> None:
        """Take in that this courier itself broke; whoever guards it starts it again."""
        self.stats.online, self.stats.held = False, str(err) or type(err).__name__

    async def run(self, post: Post) -> NoReturn:
        """Push over ``post``, for ever. Raises JournalError."""
        while True:
            parcel = await self._next()
            if not parcel.rows:
                if parcel.upto:
                    await self._journal.advance(self.target.cursor, parcel.upto)
                else:
                    await self._watch.changed()
                continue
            try:
                answer = await self._send(post, parcel)
            except (Unanswered, OSError) as err:
                await self._later(str(err))
            else:
                await self._judge(parcel, answer)

    async def _next(self) -> _Parcel:
        """Return the next rows that are wanted; no rows if what lies there is not, or nothing."""
        after = self._journal.cursor(self.target.cursor)
        rows = await self._journal.rows(after, _ROWS)
        chosen, events, size, upto = list[Row](), list[bytes](), 0, 0
        for row in rows:
            if self._is_wanted(row):
                event = self._event(row)
                size += len(event)
                full = len(chosen) == self._search.next_size or size > self.target.max_bytes
                if chosen and full:
                    break
                chosen.append(row)
                events.append(event)
            upto = row.seq
        return _Parcel(chosen, events, upto)

    def _is_wanted(self, row: Row) -> bool:
        types, equipment = self.target.types, self.target.equipment
        return (
            not row.local
            and (not types or row.type in types)
            and (not equipment or row.equipment in equipment)
        )

    def _event(self, row: Row) -> bytes:
        return body.event(
            row,
            source=self._ports.source,
            place=self._ports.place_of(row.equipment),
            replay=row.seq <= self._replay_upto,
            flat=self.target.flat,
        )

    async def _send(self, post: Post, parcel: _Parcel) -> Answer:
        """Raises Unanswered, OSError where the secrets cannot be read."""
        target, content = self.target, body.batch(parcel.events)
        self.stats.requests += 1
        key, token = await asyncio.to_thread(_secrets, target)
        headers = signed(content, key, int(self._timing.clock.now().timestamp()))
        headers["Content-Type"] = body.FLAT_TYPE if target.flat else body.BATCH_TYPE
        headers["Idempotency-Key"] = body.idempotency_key(parcel.rows, content)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await post(content, headers)

    async def _judge(self, parcel: _Parcel, answer: Answer) -> None:
        verdict = answer.verdict
        if verdict == "taken":
            await self._taken(parcel)
        elif verdict == "later":
            pause_s = answer.pause_s(self._timing.clock.now())
            await self._later(f"{answer.status} {answer.text}".strip(), pause_s)
        elif len(parcel.rows) > 1:
            self.stats.failures += 1
            self._search.refused(len(parcel.rows))
        elif self._dead_in_a_row < MAX_DEAD:
            await self._bury(parcel, answer)
        else:
            await self._later(f"it refuses everything: {answer.status} {answer.text}".strip())

    async def _taken(self, parcel: _Parcel) -> None:
        self._search.taken(len(parcel.rows))
        self._waits, self._dead_in_a_row = delays(self._timing.uniform), 0
        if not self.stats.online:
            _log.info("push %s: taken by %s", self.target.name, self.target.url)
        self.stats.online, self.stats.held = True, None
        self.stats.events += len(parcel.rows)
        self.stats.last_taken_at = self._timing.clock.now()
        await self._journal.advance(self.target.cursor, parcel.upto)

    async def _bury(self, parcel: _Parcel, answer: Answer) -> None:
        """Set the one row aside: the file and the gap first, then the cursor."""
        self._search.refused(1)
        self._dead_in_a_row += 1
        self.stats.failures += 1
        self.stats.dead_letters += 1
        (row,), (event,) = parcel.rows, parcel.events
        _log.error(
            "push %s: seq %d is refused by itself and set aside in %s: %d %s",
            self.target.name,
            row.seq,
            self._dead.path,
            answer.status,
            answer.text,
        )
        await asyncio.to_thread(self._dead.add, event, answer, self._timing.clock.now())
        await self._ports.set_aside(row, self.target.label)
        await self._journal.advance(self.target.cursor, parcel.upto)

    async def _later(self, reason: str, pause_s: float = 0.0) -> None:
        level = logging.WARNING if self.stats.held is None else logging.DEBUG
        _log.log(level, "push %s: not taken, tried again: %s", self.target.name, reason)
        self.stats.online, self.stats.held = False, reason
        self.stats.failures += 1
        await self._timing.sleep(max(pause_s, next(self._waits)))


def _secrets(target: PushTarget) -> tuple[bytes, str | None]:
    """Read anew for each request: they may be replaced at any time. Raises OSError."""
    token = None if target.token_file is None else _first_line(target.token_file)
    return _first_line(target.secret_file).encode(), token


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if not lines or not lines[0].strip():
        raise OSError(f"{path}: empty")
    return lines[0].strip()
