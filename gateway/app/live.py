"""The configuration that runs now, and how another one takes its place.

- Only links that changed are closed and opened; every other keeps its session and the moments
  at which it is read.
- Facts of the change are one transaction (`Deriver.reconfigure`).
- What left the configuration keeps its place at the broker, offline, until it is retired.
"""

import asyncio
from collections.abc import Collection, Iterable

from gateway.app import translate
from gateway.app.pushing import Pushing
from gateway.collect.deriver import Deriver
from gateway.collect.first_reads import FirstReads
from gateway.collect.links import Links
from gateway.collect.poller import Poller, Receiver
from gateway.collect.shared import SharedThings
from gateway.collect.waker import Waker
from gateway.journal.journal import Journal
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.publish.publisher import Publisher
from gateway.settings.diff import SiteDiff
from gateway.settings.site import LinkConfig, Site
from gateway.wire.topics import MISSING, Place


class LiveSite:
    """Owns the links; knows who else has to follow."""

    def __init__(self, site: Site, journal: Journal, deriver: Deriver) -> None:
        """Nothing is opened yet; `publisher` and `pushing` are set by whoever makes them."""
        self.site = site
        self.publisher: Publisher | None = None
        self.pushing: Pushing | None = None
        self._journal = journal
        self._deriver = deriver
        self._shared = SharedThings()
        self._waker = Waker(SYSTEM_CLOCK)
        self._departed: dict[str, Place] = {}
        self.links = Links(self._pollers(site.links, deriver))

    def release(self) -> None:
        """Let go of what the links had in common; they are closed."""
        self._shared.close()

    def answering(self) -> frozenset[tuple[str, str]]:
        """Return protocol and endpoint of every link that has a session, and its name."""
        online = {poller.link for poller in self.links.pollers if poller.stats.online}
        links = [link for name, link in self.site.links.items() if name in online]
        return frozenset(pair for link in links for pair in _known_as(link))

    def read_over(self, equipment: str) -> Collection[Poller]:
        """Return the pollers that read an equipment."""
        config = self.site.equipment.get(equipment)
        links = frozenset[str]() if config is None else config.links
        return [poller for poller in self.links.pollers if poller.link in links]

    async def become(self, after: Site, diff: SiteDiff) -> FirstReads:
        """Go over to ``after``; return what tells whether the links answer that should."""
        answering = self.answering()
        expected = [
            name for name in diff.reopened if not answering.isdisjoint(_known_as(after.links[name]))
        ]
        before, self.site = self.site, after
        await self._tell_publisher(before, diff)
        if self.pushing is not None:
            await self.pushing.become(after)
        await self.links.close(diff.closed)
        self._shared.release(diff.closed)
        rules = {name: config.rules for name, config in after.equipment.items()}
        await self._deriver.reconfigure(rules, diff.reopened, changed=diff.equipment.changed)
        first_reads = FirstReads(self._deriver, expected)
        self.links.open(self._pollers(diff.reopened, first_reads))
        return first_reads

    def place_of(self, equipment: str) -> Place:
        """Return where it is spoken about; one nobody configured any more is on no line."""
        config, mqtt = self.site.equipment.get(equipment), self.site.gateway.mqtt
        if config is not None:
            return translate.place(self.site, config)
        nowhere = Place(mqtt.root, self.site.gateway.site, MISSING, MISSING, equipment)
        return self._departed.get(equipment, nowhere)

    async def forget(self, equipment: str) -> None:
        """Give up the place of an equipment that was retired."""
        if self._departed.pop(equipment, None) is not None:
            await self._publish_at(())

    async def _tell_publisher(self, before: Site, diff: SiteDiff) -> None:
        here = before.equipment
        for name in diff.equipment.removed:
            if here[name].stage == "live":
                self._departed[name] = translate.place(before, here[name])
        for name in diff.equipment.added:
            self._departed.pop(name, None)
        if diff.equipment:
            await self._publish_at((*diff.equipment.added, *diff.equipment.changed))

    async def _publish_at(self, changed: Collection[str]) -> None:
        if self.publisher is None:
            return
        epoch, previous = self._journal.epoch, self._journal.previous_epochs
        places = await asyncio.to_thread(
            translate.places, self.site, epoch, previous, dict(self._departed)
        )
        await self.publisher.follow(places, changed)

    def _pollers(self, links: Iterable[str], receiver: Receiver) -> list[Poller]:
        chosen, every = set(links), list(self.site.links.values())
        return [
            Poller(
                link.name,
                link.driver(self._shared.of(link.protocol, link.name)),
                receiver,
                clock=SYSTEM_CLOCK,
                sleep=asyncio.sleep,
                until=self._waker.until,
                share=number / len(every),
            )
            for number, link in enumerate(every)
            if link.name in chosen
        ]


def _known_as(link: LinkConfig) -> set[tuple[str, str]]:
    """A link is the same to a person if it leads to the same place or has the same name."""
    return {(link.protocol, link.endpoint), ("", link.name)}
