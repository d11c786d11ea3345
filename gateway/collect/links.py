"""The links of one gateway: a poller and a guarded task for each.

- Closing some of them leaves the others as they are: their sessions, their tasks, and the
  moments at which they are read.
- A link is closed when its session has ended, not before.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from gateway.collect.guard import guard
from gateway.collect.poller import Poller


class Links:
    """Owns the tasks of the pollers."""

    def __init__(self, pollers: Iterable[Poller]) -> None:
        """Nothing runs yet."""
        self._pollers = {poller.link: poller for poller in pollers}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    @property
    def pollers(self) -> Collection[Poller]:
        """One for each link there is now."""
        return self._pollers.values()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Read all of them in ``tasks`` from now on."""
        self._group = tasks
        for poller in self._pollers.values():
            self._run(poller)

    def open(self, pollers: Iterable[Poller]) -> None:
        """Read these too."""
        for poller in pollers:
            self._pollers[poller.link] = poller
            self._run(poller)

    async def close(self, links: Collection[str]) -> None:
        """Read these no more; return when their sessions have ended."""
        gone = [self._tasks.pop(link) for link in links if link in self._tasks]
        for link in links:
            self._pollers.pop(link, None)
        await cancelled(gone)

    async def stop(self) -> None:
        """Read nothing any more."""
        await self.close(list(self._pollers))

    def _run(self, poller: Poller) -> None:
        if self._group is not None:
            self._tasks[poller.link] = self._group.create_task(
                guard(poller.link, poller.run, poller.failed, asyncio.sleep),
                name=f"poll[{poller.link}]",
            )


async def cancelled(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """End tasks that run until cancelled, and wait for their clean-up."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
