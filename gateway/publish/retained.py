"""Retained messages: what the broker keeps for those who come later.

A refused one stops nothing: it is logged once per topic and counted, and events go on.
"""

import asyncio
import logging

from gateway.ops.mqtt_terms import Refused
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Sender

_log = logging.getLogger(__name__)


class Retained:
    """Keeps topics of one session up to date."""

    def __init__(self, sender: Sender, counts: Counts) -> None:
        self._sender = sender
        self._counts = counts

    async def start(
        self, topic: str, payload: bytes, content_type: str = "application/json"
    ) -> asyncio.Future[None]:
        """Send and return the future for `finish`. Raises ConnectionLost."""
        return await self._sender.send(topic, payload, retain=True, content_type=content_type)

    async def finish(self, topic: str, confirmed: asyncio.Future[None]) -> None:
        """Wait for the broker. Raises ConnectionLost."""
        try:
            await confirmed
        except Refused as err:
            self._counts.refused += 1
            if self._counts.not_retained.get(topic) != err.reason:
                _log.error("the broker refuses %s: %s", topic, err.reason)
                self._counts.not_retained[topic] = err.reason
        else:
            self._counts.not_retained.pop(topic, None)

    async def put(self, topic: str, payload: bytes, content_type: str = "application/json") -> None:
        """Send and wait for the broker. Raises ConnectionLost."""
        await self.finish(topic, await self.start(topic, payload, content_type))
