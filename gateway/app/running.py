"""One site as a running program: the parts asked for, started and stopped in order."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.app.collector import Collector, cancelled, collector
from gateway.app.visitors import Visitors
from gateway.app.watched import journal_check, metrics
from gateway.ops.heart import Heart
from gateway.ops.notify import Notifier
from gateway.settings.site import Site

if TYPE_CHECKING:
    from gateway.historian.historian import Historian
    from gateway.web.server import WebServer


class Part(StrEnum):
    """The three services; one process may run any of them."""

    COLLECT = "collect"
    HISTORIAN = "historian"
    WEB = "web"


@dataclass
class Running:
    """What runs, for whoever watches it."""

    site: Site
    heart: Heart
    collector: Collector | None = None
    historian: "Historian | None" = None
    web: "WebServer | None" = None
    metrics_port: int | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def board_url(self) -> str | None:
        """Where a browser finds the board."""
        return None if self.web is None else self.web.url


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
    wanted = frozenset(parts)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = Running(site, Heart(notifier or Notifier({})))
        # First: it also answers while the collector waits for room on the disk.
        if Part.WEB in wanted and site.gateway.web.enabled:
            from gateway.app.web import web  # noqa: PLC0415 - 30 MB a collector can save

            running.web = await stack.enter_async_context(web(site, visitors))
        if Part.COLLECT in wanted:
            running.collector = await stack.enter_async_context(collector(site))
            running.heart.checks["journal"] = journal_check(running.collector.journal)
            running.collector.start(tasks)
        writing: list[asyncio.Task[None]] = []
        if Part.HISTORIAN in wanted and site.gateway.historian.enabled:
            from gateway.app.history import follow_shifts, historian  # noqa: PLC0415 - SQLAlchemy

            running.historian = one = historian(site)
            writing.append(tasks.create_task(one.run(), name="historian"))
            following = follow_shifts(site, one)
            writing.append(tasks.create_task(following, name="historian.following"))
        # Not before: while it starts, a process loads code on its loop.
        await stack.enter_async_context(running.heart.beating())
        running.metrics_port = await stack.enter_async_context(
            metrics(site, running.heart, running.collector, running.historian)
        )
        on_ready(running)
        await running.stopping.wait()
        if running.collector is not None:
            await running.collector.stop()
        await cancelled(writing)
