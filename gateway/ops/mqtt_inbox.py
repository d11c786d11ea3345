"""Messages that came in over one connection and were not taken yet, in order.

Of those with QoS 0, which nothing holds back, what is more than ``INBOX_LIMIT`` is dropped and
counted.
"""

import asyncio
from collections import deque

from gateway.ops.mqtt_terms import Message

INBOX_LIMIT = 1000


class Inbox:
    """Filled by a connection, emptied by who waits for it."""

    def __init__(self) -> None:
        self.dropped = 0
        self._messages: deque[Message] = deque()
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Keep a message if there is room for its kind."""
        if message.qos == 0 and len(self._messages) >= INBOX_LIMIT:
            self.dropped += 1
            return
        self._messages.append(message)
        self._arrived.set()

    async def changed(self) -> None:
        """Wait for a message, or to be woken."""
        self._arrived.clear()
        await self._arrived.wait()

    def wake(self) -> None:
        """Let who waits look again: nothing more may come."""
        self._arrived.set()

    def take(self, limit: int) -> list[Message]:
        """Return up to ``limit`` of those that are here."""
        return [self._messages.popleft() for _ in range(min(limit, len(self._messages)))]
