"""Values pushed, values polled and conditions of one session -> batches.

Promises:

- The first batch waits for the first value of every item the server accepted, for one
  keepalive at most. What is still missing then is bad: ``never_read``.
- The server may forget a message when the last batch made of it is committed.
- What is polled is in the batches like what is pushed; nobody outside can tell.
- After events got lost the server is asked for all its conditions again.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from drivers.contract import Batch, TagGroup
from drivers.opcua.alarms import ActiveConditions, Notice
from drivers.opcua.batches import Arrival, Change, Picture
from drivers.opcua.convert import Sample, Scaling, convert
from drivers.opcua.poll import Polling
from drivers.opcua.services import Connection, Message
from drivers.opcua.subscription import Subscription


class Alarms:
    """The lists of active conditions of a session, and the refreshes they need."""

    def __init__(
        self,
        connection: Connection,
        subscription: Subscription,
        make: Callable[[], ActiveConditions],
        *,
        refresh_s: float,
    ) -> None:
        """``refresh_s``: a refresh counts as over after this time."""
        self._connection = connection
        self._items = subscription.items
        self._make = make
        self._refresh_s = refresh_s
        self._lists: dict[str, ActiveConditions] = {}

    def take(self, key: str, notice: Notice) -> Change | None:
        """Take in an event; return the change of the tag's value, if any."""
        active = self._lists.get(key)
        return None if active is None else self._change(key, active.take(notice), notice.at)

    def lose(self) -> None:
        """Messages got lost, and events perhaps with them."""
        for active in self._lists.values():
            active.lose()

    async def refresh(self) -> list[Change]:
        """Ask for all conditions where that is due; return what can be told without."""
        dead = [key for key, active in self._lists.items() if active.is_dead]
        for key in dead:
            del self._lists[key]
        if dead:
            await self._items.replace(dead)
        new, self._items.new_conditions = self._items.new_conditions, []
        for key in new:
            self._lists[key] = self._make()
        due = [key for key, active in self._lists.items() if active.wants_refresh]
        told = [await self._refresh(key) for key in dict.fromkeys((*new, *due))]
        told += [self._change(key, active.overdue(), None) for key, active in self._lists.items()]
        return [change for change in told if change is not None]

    async def _refresh(self, key: str) -> Change | None:
        active, numbers = self._lists[key], self._items.subscription_of(key)
        if numbers is None:
            return None
        active.await_refresh(self._refresh_s)
        if await self._connection.refresh(*numbers):
            return None
        active.no_refresh()
        return self._change(key, active.value(), None)

    def _change(self, key: str, sample: Sample | None, at: datetime | None) -> Change | None:
        if sample is None:
            return None
        self._items.hear(key)
        return Change(key, sample, at)


class OpcUaSession:
    """Batches of one session, in the order the server sent its values."""

    def __init__(
        self,
        subscription: Subscription,
        polling: Polling,
        alarms: Alarms,
        picture: Picture,
        scalings: Mapping[str, Scaling],
        *,
        wait_until_mono_s: float,
    ) -> None:
        """``wait_until_mono_s``: the first batch waits no longer for first values."""
        self._subscription = subscription
        self._polling = polling
        self._alarms = alarms
        self._picture = picture
        self._scalings = scalings
        self._wait_until_mono_s = wait_until_mono_s
        self._ready: deque[Batch] = deque()
        self._held: list[Change] = []
        self._unsafe: list[tuple[int, int]] = []
        self._skipped = 0

    async def read(self, due: Collection[TagGroup]) -> Batch:  # noqa: ARG002  the server pushes
        """Return the next batch; an empty one at least every ``keepalive_s``."""
        while not self._ready:
            self._held += await self._alarms.refresh()
            await self._poll()
            if self._ready:
                break
            news = await self._subscription.next(self._polling.due_s)
            if isinstance(news, Message):
                self._take(news)
                self._give(news.arrived)
            elif news is not None:
                self._give(news)
        return self._ready.popleft()

    async def _poll(self) -> None:
        polled = await self._polling.read_due()
        if polled is not None:
            news, arrived = polled
            for key, raw in news:
                sample = convert(raw.value, raw.status, self._scalings[key])
                self._held.append(Change(key, sample, raw.source_at))
            self._give(arrived)

    def _take(self, message: Message) -> None:
        key_of = self._subscription.items.key_of
        scalings = self._scalings
        self._held.extend(
            Change(key, convert(value, status, scalings[key]), source_at)
            for handle, value, status, source_at in message.raws
            if (key := key_of(handle)) is not None
        )
        for handle, notice in message.notices:
            key = key_of(handle)
            change = None if key is None else self._alarms.take(key, notice)
            if change is not None:
                self._held.append(change)
        self._skipped += message.skipped
        if message.skipped:
            self._alarms.lose()
        if message.tells:
            self._unsafe.append((message.subscription, message.sequence))

    def _give(self, arrived: Arrival) -> None:
        waits = self._subscription.items.awaits_first_values or self._polling.awaits_first_values
        if waits and arrived.mono_s < self._wait_until_mono_s:
            return
        self._wait_until_mono_s = 0.0
        self._picture.refuse(self._subscription.items.refused)
        release = partial(self._subscription.acknowledge, tuple(self._unsafe))
        self._ready.extend(
            self._picture.batches(self._held, arrived, skipped=self._skipped, acknowledge=release)
        )
        self._held, self._unsafe, self._skipped = [], [], 0
