"""One site as a running program: the parts asked for, started and stopped in order."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.app import translate
from gateway.app.board import board
from gateway.app.collector import Collector, cancelled, collector
from gateway.historian.historian import Historian
from gateway.settings.site import Site
from gateway.web.server import BoardServer


class Part(StrEnum):
    """The three services; one process may run any of them."""

    COLLECT = "collect"
    HISTORIAN = "historian"
    WEB = "web"


@dataclass
class Running:
    """What runs, for whoever watches it."""

    site: Site
    collector: Collector | None = None
    historian: Historian | None = None
    web: BoardServer | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def board_url(self) -> str | None:
        """Where a browser finds the board."""
        return None if self.web is None else self.web.url


async def run(
    site: Site, parts: Iterable[Part], *, on_ready: Callable[[Running], None] = lambda _: None
) -> None:
    """Run until ``Running.stopping`` is set, then stop in the order of the data.

    Raises what ended a part: JournalError, OSError for a taken port.
    """
    wanted = frozenset(parts)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = Running(site)
        if Part.COLLECT in wanted:
            running.collector = await stack.enter_async_context(collector(site))
            running.collector.start(tasks)
        if Part.WEB in wanted and site.gateway.web.enabled:
            running.web = await stack.enter_async_context(board(site))
        writing: list[asyncio.Task[None]] = []
        if Part.HISTORIAN in wanted and site.gateway.historian.enabled:
            running.historian = Historian(translate.historian(site))
            writing.append(tasks.create_task(running.historian.run(), name="historian"))
        on_ready(running)
        await running.stopping.wait()
        if running.collector is not None:
            await running.collector.stop()
        await cancelled(writing)
