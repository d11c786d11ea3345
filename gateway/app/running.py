"""One site as a running program: the parts asked for, started and stopped in order."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.app.collector import Collector, cancelled, collector
from gateway.app.room import with_room
from gateway.app.visitors import Visitors
from gateway.app.watched import journal_check, metrics
from gateway.ops.heart import Heart
from gateway.ops.notify import Notifier
from gateway.settings.site import Site

if TYPE_CHECKING:
    from gateway.historian.historian import Historian
    from gateway.web.server import WebServer

_log = logging.getLogger(__name__)


class Part(StrEnum):
    """The three services; one process may run any of them."""

    COLLECT = "collect"
    HISTORIAN = "historian"
    WEB = "web"


@dataclass
class Running:
    """What runs, for whoever watches it."""

    site: Site
    parts: frozenset[Part]
    heart: Heart
    collector: Collector | None = None
    historian: "Historian | None" = None
    web: "WebServer | None" = None
    web_waits: bool = False
    """For room on the disk, while the rest runs."""
    is_ready: bool = False
    metrics_port: int | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def board_url(self) -> str | None:
        """Where a browser finds the board."""
        return None if self.web is None else self.web.url

    @property
    def status(self) -> str:
        """One line for the operator of the machine."""
        waits = "; the screens wait for room on the disk" if self.web_waits else ""
        return f"running: {', '.join(sorted(self.parts))}{waits}"


async def run(
    site: Site,
    parts: Iterable[Part],
    *,
    on_ready: Callable[[Running], None] = lambda _: None,
    notifier: Notifier | None = None,
    visitors: Visitors | None = None,
) -> None:
    """Run until ``Running.stopping`` is set, then stop in the order of the data.

    ``visitors`` may look at the screens of a demo.
    Raises what ended a part: JournalError, OSError for a taken port.
    """
    notifier = notifier or Notifier({})
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = Running(site, frozenset(parts), Heart(notifier))
        besides: list[asyncio.Task[None]] = []
        # First: it also answers while the collector waits for room on the disk.
        if Part.WEB in running.parts and site.gateway.web.enabled:
            besides += await _serving(running, visitors, stack, tasks, notifier)
        if Part.COLLECT in running.parts:
            running.collector = await stack.enter_async_context(collector(site, notifier))
            running.heart.checks["journal"] = journal_check(running.collector.journal)
            running.collector.start(tasks)
        if Part.HISTORIAN in running.parts and site.gateway.historian.enabled:
            from gateway.app.history import follow_shifts, historian  # noqa: PLC0415 - SQLAlchemy

            running.historian = one = historian(site)
            besides.append(tasks.create_task(one.run(), name="historian"))
            following = follow_shifts(site, one)
            besides.append(tasks.create_task(following, name="historian.following"))
        # Not before: while it starts, a process loads code on its loop.
        await stack.enter_async_context(running.heart.beating())
        running.metrics_port = await stack.enter_async_context(
            metrics(site, running.heart, running.collector, running.historian)
        )
        running.is_ready = True
        on_ready(running)
        await running.stopping.wait()
        if running.collector is not None:
            await running.collector.stop()
        await cancelled(besides)


async def _serving(
    running: Running,
    visitors: Visitors | None,
    stack: AsyncExitStack,
    tasks: asyncio.TaskGroup,
    notifier: Notifier,
) -> list[asyncio.Task[None]]:
    """Serve the screens; without room for them nothing else that runs here waits."""
    from gateway.app.web import web  # noqa: PLC0415 - 30 MB a collector can save
    from gateway.web.store.schema import StoreFull  # noqa: PLC0415

    without = "no screens"

    async def serve() -> None:
        running.web = await stack.enter_async_context(web(running.site, visitors))

    async def serve_late() -> None:
        # Asks for no patience: once started, that would make the watchdog patient, too.
        await with_room(serve, StoreFull, without, Notifier({}))
        _log.warning("there is room, the board answers: %s", running.board_url)
        running.web_waits = False
        if running.is_ready:
            notifier.status(running.status)

    if running.parts == {Part.WEB}:
        await with_room(serve, StoreFull, without, notifier)
        return []
    try:
        await serve()
    except StoreFull:
        running.web_waits = True
        return [tasks.create_task(serve_late(), name="web.late")]
    return []
