"""The push targets of a site: beside the publisher, out of the way of collecting.

They follow the configuration. A target that is new begins, one that is gone is stopped and
forgotten, one that changed goes on from where it was; the others notice nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any

from gateway.app import translate
from gateway.collect.guard import guard
from gateway.collect.links import cancelled
from gateway.journal.journal import Journal
from gateway.journal.row import Row
from gateway.push.settings import PushTarget
from gateway.settings.site import Site
from gateway.wire.topics import GatewayTopics, Place

if TYPE_CHECKING:
    from gateway.push.courier import Courier


class Pushing:
    """Owns a courier for each target, and the task it runs in."""

    def __init__(
        self,
        site: Site,
        journal: Journal,
        place_of: Callable[[str], Place],
        set_aside: Callable[[Row, str], Awaitable[None]],
    ) -> None:
        """Nothing is sent before `start`. The journal was opened with the site's readers."""
        self._journal = journal
        self._place_of = place_of
        self._set_aside = set_aside
        self._couriers = {
            target.name: self._courier(site, target) for target in translate.push_targets(site)
        }
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def couriers(self) -> "Collection[Courier]":
        """One for each target there is now."""
        return self._couriers.values()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to push; a journal that fails ends ``tasks``."""
        self._tasks = tasks
        for name in self._couriers:
            self._begin(name)

    async def become(self, site: Site) -> None:
        """Go over to the targets of ``site``. Raises JournalError."""
        before = {name: courier.target for name, courier in self._couriers.items()}
        after = {target.name: target for target in translate.push_targets(site)}
        if before == after:
            return
        ended = [name for name, target in before.items() if after.get(name) != target]
        await cancelled([self._running.pop(name) for name in ended if name in self._running])
        for name in ended:
            del self._couriers[name]
        await self._journal.keep_readers(translate.readers(site))
        for name in after.keys() - self._couriers.keys():
            self._couriers[name] = self._courier(site, after[name])
            self._begin(name)

    async def stop(self) -> None:
        """End all of them where they are."""
        await cancelled(list(self._running.values()))

    def _begin(self, name: str) -> None:
        if self._tasks is not None:
            serving = _serving(self._couriers[name])
            self._running[name] = self._tasks.create_task(serving, name=f"push[{name}]")

    def _courier(self, site: Site, target: PushTarget) -> "Courier":
        # an HTTP library that others save
        from gateway.push.courier import Courier, Ports  # noqa: PLC0415
        from gateway.push.dead import DeadLetters  # noqa: PLC0415

        gateway = site.gateway
        source = GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway).source
        ports = Ports(source=source, place_of=self._place_of, set_aside=self._set_aside)
        folder = site.path(gateway.journal.path).parent / "push"
        dead = DeadLetters(folder / f"{target.name}.dead.jsonl")
        return Courier(target, self._journal, ports, dead)


async def _serving(courier: "Courier") -> None:
    """Serve one target for ever; a defect in it costs nobody else anything."""
    name = f"push {courier.target.name}"
    await guard(name, courier.serve, courier.failed, asyncio.sleep)
