"""The live stream (Server-Sent Events) of all who look at the board.

Promises:

1. A stream begins with ``hello`` (everything), then sends ``tiles`` (what changed since its own
   last message), ``faults`` (the whole list when it changed; it is short) and, if nothing did, a
   ``beat`` at least every ``beat_s``. A slow reader skips states in between; it is never sent a
   backlog.
2. What all of them are sent is worked out once: there is one clock, which looks at the board,
   asks whether those who look still may, and wakes them. It runs while somebody looks.
3. Nobody is sent anything later than ``beat_s`` after what he came in with lost its worth.

A beat is an event and not a comment: comments do not reach the page, which must notice
when nothing comes any more.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field

import orjson

from gateway.domain.vocabulary import Json, stamp
from gateway.web.access.caller import Caller
from gateway.web.board import changes
from gateway.web.live import Board, Picture
from gateway.web.seats import Seats

MayLook = Callable[[Collection[Caller]], Awaitable[Collection[Caller]]]
"""Which of those who look may still do so."""
BEAT_S = 2.0
RETRY_MS = 2000
TOPICS = frozenset({"tiles", "faults"})


@dataclass(eq=False, slots=True)
class _Looker:
    """One open stream: what it shows, and whether it may go on."""

    topics: frozenset[str]
    caller: Caller | None
    shown: Picture
    sent_s: float
    may_look: bool = True


@dataclass(eq=False, slots=True)
class _Turn:
    """The board at one tick of the clock, and what was encoded of it so far."""

    picture: Picture
    now: str
    at_s: float
    _said: dict[tuple[int, frozenset[str]], bytes] = field(default_factory=dict)
    _beat: bytes = b""

    def news(self, before: Picture, topics: frozenset[str]) -> bytes:
        """Return what is new to who saw ``before``: the same for all who did."""
        key = (before.rev, topics)
        if key not in self._said:
            self._said[key] = b"".join(self._messages(before, topics))
        return self._said[key]

    def beat(self) -> bytes:
        """Return a sign of life."""
        self._beat = self._beat or self.message("beat", {})
        return self._beat

    def message(self, event: str, body: Json) -> bytes:
        """Return one message; what all of them say is added."""
        told = self.picture
        head = {"now": self.now, "rev": told.rev, "collector": told.collector}
        return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(head | body))

    def _messages(self, before: Picture, topics: frozenset[str]) -> Iterator[bytes]:
        told = self.picture
        if "tiles" in topics and (
            told.tiles is not before.tiles or told.collector != before.collector
        ):
            found = changes(before.tiles, told.tiles) or {"set": {}, "del": []}
            yield self.message("tiles", found)
        if "faults" in topics and told.faults is not before.faults:
            yield self.message("faults", {"faults": told.faults})


class Streams:
    """Everybody who looks at one board. Its owner calls `close` in the end."""

    def __init__(
        self, board: Board, may_look: MayLook | None = None, *, beat_s: float = BEAT_S
    ) -> None:
        """Let ``may_look`` be asked every ``beat_s`` about all who look."""
        self.seats = Seats()
        self._board = board
        self._may_look = may_look
        self._beat_s = beat_s
        self._closing = asyncio.Event()
        self._lookers: set[_Looker] = set()
        self._clock: asyncio.Task[None] | None = None
        self._next = asyncio.Event()
        self._turn: _Turn | None = None

    @property
    def lookers(self) -> int:
        """How many streams are open."""
        return len(self._lookers)

    def end(self) -> None:
        """End every stream, at once."""
        self._closing.set()

    async def close(self) -> None:
        """End every stream and the clock."""
        self.end()
        if self._clock is not None:
            await asyncio.gather(self._clock, return_exceptions=True)

    async def stream(
        self, topics: frozenset[str] = TOPICS, caller: Caller | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the messages of one looker until all end, he leaves or may not look."""
        turn = self._turn_of(await self._board.picture())
        looker = _Looker(topics, caller, turn.picture, turn.at_s)
        self._lookers.add(looker)
        if self._clock is None or self._clock.done():
            self._clock = asyncio.create_task(self._tick(turn.at_s), name="web.streams")
        clock = self._clock
        try:
            yield b"retry: %d\n\n%b" % (RETRY_MS, self._hello(turn, topics))
            while await self._woken(clock) and looker.may_look:
                if said := self._said_to(looker):
                    yield said
        finally:
            self._lookers.discard(looker)

    def _hello(self, turn: _Turn, topics: frozenset[str]) -> bytes:
        body: Json = {"site": asdict(self._board.site)}
        if "tiles" in topics:
            body["tiles"] = list(turn.picture.tiles.values())
        if "faults" in topics:
            body["faults"] = turn.picture.faults
        return turn.message("hello", body)

    def _said_to(self, looker: _Looker) -> bytes:
        turn = self._turn
        if turn is None:
            return b""
        said = turn.news(looker.shown, looker.topics)
        looker.shown = turn.picture
        if not said and turn.at_s - looker.sent_s >= self._beat_s:
            said = turn.beat()
        if said:
            looker.sent_s = turn.at_s
        return said

    async def _woken(self, clock: "asyncio.Task[None]") -> bool:
        """Wait for the next tick; False in the end. Raises what broke the clock."""
        if clock.done():
            clock.result()
            return False
        await self._next.wait()
        if clock.done():
            clock.result()
        return not self._closing.is_set()

    async def _tick(self, asked_s: float) -> None:
        try:
            while self._lookers and not await self._closed_within(self._board.refresh_s):
                if self._board.mono_s() - asked_s >= self._beat_s:
                    asked_s = self._board.mono_s()
                    await self._ask()
                self._turn = self._turn_of(await self._board.picture())
                self._wake()
        finally:
            self._wake()

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    def _turn_of(self, picture: Picture) -> _Turn:
        return _Turn(picture, stamp(self._board.now()), self._board.mono_s())

    async def _ask(self) -> None:
        """Ask about all who look at once, however many they are."""
        if self._may_look is None:
            return
        asked = [one for one in self._lookers if one.caller is not None]
        allowed = await self._may_look({one.caller for one in asked if one.caller is not None})
        for one in asked:
            one.may_look = one.caller in allowed

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True
