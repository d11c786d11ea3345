"""A journal in memory: what the publisher needs of it, without a disk."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import orjson

from gateway.domain.events import Event
from gateway.journal.identity import IdentityChange, Places
from gateway.journal.lineage import Life, Lineage, Rival
from gateway.journal.row import Row, StreamHead

EPOCH = "t5k2m0-9f3a"


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


class FakeWatch:
    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._event = asyncio.Event()

    def tell(self, equipment: set[str]) -> None:
        self._changed |= equipment
        self._event.set()

    async def changed(self) -> set[str]:
        await self._event.wait()
        self._event.clear()
        changed, self._changed = self._changed, set()
        return changed


class FakeJournal:
    """Follows `gateway.publish.source.Source`; ``commit`` is the transaction."""

    def __init__(self, epoch: str = EPOCH, *, life: str = "1-original") -> None:
        self.epoch = epoch
        self.lineage = Lineage((Life(1, life, 0),))
        self.previous_epochs: tuple[str, ...] = ()
        self.kept: list[Row] = []
        self.advances: list[int] = []
        self.durable: dict[str, bytes] = {}
        self._cursors: dict[str, int] = {}
        self._head = 0
        self._streamseqs: dict[tuple[str, str], int] = {}
        self._watches: list[FakeWatch] = []
        self._places: Places = {}

    def commit(self, equipment: str, *events: Event, local: bool = False) -> list[int]:
        """Append ``events``; returns their seqs."""
        return [self._append(equipment, event, local=local) for event in events]

    def _append(self, equipment: str, event: Event, *, local: bool) -> int:
        self._head += 1
        streamseq = 0
        if not local:
            key = (equipment, event.type)
            streamseq = self._streamseqs[key] = self._streamseqs.get(key, 0) + 1
        self.kept.append(
            Row(
                seq=self._head,
                equipment=equipment,
                type=event.type,
                part=getattr(event, "group", ""),
                streamseq=streamseq,
                time_ms=milliseconds(event.at),
                recorded_ms=milliseconds(event.at) + 20,
                local=local,
                data=orjson.dumps(event.data()),
                epoch=self.epoch,
            )
        )
        for watch in self._watches:
            watch.tell({equipment})
        return self._head

    async def begin_epoch(self, reason: str, rival: Rival) -> None:
        """As the journal does for a copy; ``reason`` is for people."""
        assert reason
        assert rival.epoch == self.epoch
        self.new_epoch("t5k2m1-0000")

    def new_epoch(self, epoch: str) -> None:
        self.previous_epochs = (*self.previous_epochs, self.epoch)
        self.epoch = epoch
        self._streamseqs.clear()

    def forget_before(self, seq: int) -> None:
        """What retention does."""
        self.kept = [row for row in self.kept if row.seq >= seq]

    async def advance(self, cursor: str, seq: int) -> None:
        self.advances.append(seq)
        self._cursors[cursor] = seq

    def cursor(self, name: str) -> int:
        return self._cursors.get(name, 0)

    def head(self) -> int:
        return self._head

    def heads(self, equipment: str) -> Mapping[str, StreamHead]:
        return {
            row.type: StreamHead(row.streamseq, row.seq)
            for row in self.kept
            if row.equipment == equipment and not row.local
        }

    def state(self, equipment: str) -> bytes | None:
        return self.durable.get(equipment)

    def last_seqs(self) -> Mapping[str, int]:
        return {row.type: row.seq for row in self.kept if not row.local}

    def first_seq(self) -> int:
        return self.kept[0].seq if self.kept else self._head + 1

    async def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        end = self._head if upto is None else upto
        return [row for row in self.kept if after < row.seq <= end][:limit]

    async def rows_between(
        self, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Row]:
        first_ms, last_ms = milliseconds(start), milliseconds(end)
        return [row for row in self.kept if row.seq > after and first_ms <= row.time_ms <= last_ms][
            :limit
        ]

    def places(self) -> Places:
        return dict(self._places)

    async def identify(self, change: IdentityChange) -> None:
        self._places |= change.occupied
        for topic in change.vacated:
            del self._places[topic]
        for topic, equipment in self._places.items():
            if equipment is not None and equipment == change.retired:
                self._places[topic] = None

    def watch(self) -> FakeWatch:
        watch = FakeWatch()
        self._watches.append(watch)
        return watch
