"""The retained ``state/*`` of every equipment, beside the events.

- On connect every equipment's newest state is published, before any backlog.
- After a change it follows at once, but at most once a second per equipment.
- Only kinds that changed are sent; all are sent again before their ``valid_until``.
- Equipment in commissioning is never mentioned.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import NoReturn

import orjson

from gateway.domain.vocabulary import Json
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.publish.retained import Retained
from gateway.publish.source import Source
from gateway.publish.timing import Timing
from gateway.wire.cloudevent import CONTENT_TYPE, encode_snapshot
from gateway.wire.topics import state_topic

SnapshotsOf = Callable[[str], Mapping[str, Json]]
"""equipment -> kind -> data, from its newest durable state; empty if there is none."""

VALID_S = 600.0
MIN_INTERVAL_S = 1.0
_REFRESH_S = VALID_S / 2

# The streams whose newest event says how new a kind is. An order cuts the status.
_STREAMS = {
    "status": ("status",),
    "counters": ("count",),
    "faults": ("fault",),
    "health": ("health",),
    "order": ("status",),
    "usage": ("status", "count", "note"),
}


class Snapshots:
    """Publishes states. One for the life of the process; the rest once a session."""

    def __init__(
        self,
        journal: Source,
        places: Places,
        counts: Counts,
        *,
        snapshots_of: SnapshotsOf,
        timing: Timing,
    ) -> None:
        self._journal = journal
        self._places = places
        self._counts = counts
        self._snapshots_of = snapshots_of
        self._timing = timing
        self._watch = journal.watch()
        self._said: dict[str, tuple[int, int]] = {}
        """Topic -> what it said in this session: the newest seq and a hash of the data."""
        self._shown: dict[str, bytes | None] = {}
        """equipment -> the durable state that was looked at last."""
        self._next_s: dict[str, float] = {}
        """equipment -> when it may be published again."""

    async def publish_all(self, sender: Sender) -> None:
        """Publish every equipment as for a new session. Raises ConnectionLost."""
        self._said.clear()
        self._shown.clear()
        await self._publish(sender, self._places.live)

    async def publish_anew(self, sender: Sender, equipment: Iterable[str]) -> None:
        """Publish these wherever they are now. Raises ConnectionLost."""
        for name in (names := list(equipment)):
            self._shown.pop(name, None)
        await self._publish(sender, names)

    async def run(self, sender: Sender) -> None:
        """Follow the journal for ever. Raises ConnectionLost, in a group."""
        dirty: set[str] = set()
        wake = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(dirty, wake), name="snapshots.listen")
            tasks.create_task(self._refresh(sender), name="snapshots.refresh")
            tasks.create_task(self._follow(sender, dirty, wake), name="snapshots.follow")

    async def _listen(self, dirty: set[str], wake: asyncio.Event) -> NoReturn:
        """Note whose state changed; most commits hold readings only, and leave it as it was."""
        while True:
            changed = await self._watch.changed() & self._places.live.keys()
            if news := {name for name in changed if not self._is_shown(name)}:
                dirty |= news
                wake.set()

    async def _follow(self, sender: Sender, dirty: set[str], wake: asyncio.Event) -> NoReturn:
        clock = self._timing.clock
        while True:
            await wake.wait()
            wake.clear()
            while dirty:
                now_s = clock.mono_s()
                ready = {name for name in dirty if self._next_s.get(name, now_s) <= now_s}
                dirty -= ready
                self._next_s |= dict.fromkeys(ready, now_s + MIN_INTERVAL_S)
                await self._publish(sender, ready)
                if dirty:
                    # Also one that changed for the first time while the others were sent.
                    first_s = min(self._next_s.get(name, now_s) for name in dirty)
                    await self._timing.sleep(max(0.0, first_s - clock.mono_s()))

    async def _refresh(self, sender: Sender) -> NoReturn:
        while True:
            await self._timing.sleep(_REFRESH_S)
            await self.publish_all(sender)

    async def _publish(self, sender: Sender, equipment: Iterable[str]) -> None:
        retained = Retained(sender, self._counts)
        under_way = []
        for name in equipment:
            if name not in self._places.live or self._is_shown(name):
                continue  # gone, or in commissioning, by now
            self._shown[name] = self._journal.state(name)
            for topic, payload in self._news(name):
                confirmed = await retained.start(topic, payload, CONTENT_TYPE)
                under_way.append((topic, confirmed))
        for topic, confirmed in under_way:
            await retained.finish(topic, confirmed)

    def _is_shown(self, equipment: str) -> bool:
        """Whether the state is the very object of the last time."""
        state = self._journal.state(equipment)
        return state is not None and state is self._shown.get(equipment)

    def _news(self, equipment: str) -> Iterable[tuple[str, bytes]]:
        place = self._places.live[equipment]
        heads = self._journal.heads(equipment)
        now = self._timing.clock.now()
        for kind, data in self._snapshots_of(equipment).items():
            head_seq = max((heads[name].seq for name in _STREAMS[kind] if name in heads), default=0)
            topic = state_topic(place, kind)
            said = (head_seq, hash(orjson.dumps(data)))
            if self._said.get(topic) == said:
                continue
            self._said[topic] = said
            payload = encode_snapshot(
                kind,
                data,
                head_seq=head_seq,
                source=self._places.topics.source,
                place=place,
                epoch=self._journal.epoch,
                at=now,
                valid_until=now + timedelta(seconds=VALID_S),
            )
            yield topic, payload
