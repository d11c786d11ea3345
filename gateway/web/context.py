"""What every route works with, made once by the owner of the application."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from gateway.control.configuring import Wish
from gateway.domain.commands import Reply
from gateway.domain.vocabulary import Json
from gateway.settings.outcome import Outcome
from gateway.settings.site import Site
from gateway.web.access.caller import Caller
from gateway.web.access.in_force import still_in_force
from gateway.web.access.pairing import Pairings
from gateway.web.access.secret import new_code
from gateway.web.access.throttle import Throttle
from gateway.web.history import History
from gateway.web.live import Board
from gateway.web.store.audit import Deed, write
from gateway.web.store.database import Connection, Store, Work
from gateway.web.streams import BEAT_S, Streams
from gateway.web.upkeep import Upkeep

T = TypeVar("T")
Ask = Callable[[str, str, Json], Awaitable[Reply]]
"""(equipment, name of the command, its content) -> the collector's answer; NoCollector."""


Configure = Callable[[Wish], Awaitable[Outcome]]
"""What is wanted of the configuration -> what became of it; NoCollector."""


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """A door for a demo: whoever knows the code is logged in as ``user``."""

    code: str
    user: str


@dataclass
class Context:
    """The application's parts. Its owner closes ``streams``, ``board`` and ``store``."""

    site: Site
    board: Board
    store: Store
    ask: Ask
    configure: Configure
    throttle: Throttle
    history: History
    now: Callable[[], datetime]
    hosts: frozenset[str] = frozenset()
    """Names beside this machine's own loopback that requests may be addressed to."""
    any_address: bool = False
    """Whether requests may be addressed to any IP address."""
    clock_is_trusted: Callable[[], bool] = lambda: True
    """Whether somebody vouches for this machine's clock now."""
    secure: bool = False
    """Whether it is served over TLS: cookies then never leave it."""
    version: str = ""
    """Of this program."""
    setup_code: str = field(default_factory=new_code)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Each hashing of a password takes 19 MiB and a core."""
    entry: DemoEntry | None = None
    pairings: Pairings = field(init=False)
    """The televisions that show a code."""
    upkeeps: list[Upkeep] = field(default_factory=list)
    """Of the figures of tiles; `gateway.web.tile_figures` fills it."""
    beat_s: float = BEAT_S
    """A stream says something so often, and those who look are asked about so often."""
    streams: Streams = field(init=False)
    """Everybody who looks."""

    def __post_init__(self) -> None:
        """Let televisions wait by the clock that everything else waits by; make the streams."""
        self.pairings = Pairings(self.throttle.mono_s)

        async def may_look(callers: Collection[Caller]) -> frozenset[Caller]:
            return await still_in_force(self.store, callers, self.now())

        self.streams = Streams(self.board, may_look, beat_s=self.beat_s)

    async def record(self, deed: Deed) -> None:
        """Write a row of the audit trail by itself."""
        await self.change(deed, _nothing)

    async def change(self, deed: Deed, work: Work[T]) -> T:
        """Do something to the store and write it down, both or neither."""
        at = self.now()

        def both(connection: Connection) -> T:
            result = work(connection)
            write(connection, deed, at)
            return result

        return await self.store.run(both)


def _nothing(_: Connection) -> None:
    return None
