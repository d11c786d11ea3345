"""Whether links that were just opened bring anything: asked once, after an apply."""

import asyncio
from collections.abc import Awaitable, Collection

from drivers.contract import Batch
from gateway.collect.poller import Receiver


class FirstReads:
    """Stands before the receiver of new links and notes the first word of each."""

    def __init__(self, receiver: Receiver, links: Collection[str]) -> None:
        """``links`` are waited for."""
        self._receiver = receiver
        self._waiting = set(links)
        self._told = asyncio.Event()
        self.failures: dict[str, str] = {}
        """Link -> what went wrong last."""

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        """Note that a link answers; one that has nothing good to say does not count."""
        if link in self._waiting:
            if batch.covers and batch.bad.keys() >= batch.covers:
                self.failures[link] = ", ".join(sorted(set(batch.bad.values())))
            else:
                self._waiting.discard(link)
                self._told.set()
        return self._receiver.observe(link, batch)

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        """Note what went wrong; the link goes on trying."""
        self.failures[link] = str(err)
        await self._receiver.lose(link, err, failures)

    async def silent(self, within_s: float) -> dict[str, str]:
        """Return the links that have brought nothing good in time, and why."""
        try:
            async with asyncio.timeout(within_s):
                while self._waiting:
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            pass
        return {link: self.failures.get(link, "no answer") for link in sorted(self._waiting)}
