import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from gateway.historian.ledger import Ledger, Series
from gateway.historian.record import Record, recording
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.store import Batch, Birth, StoreUnavailable, StoreUnusable, Unstorable
from gateway.wire.cloudevent import Envelope
from tests.support.stores import EPOCH, SOURCE, START, count_data, envelope


@dataclass
class FakeStore:
    """Fails as told, then takes what is not poisoned."""

    away: int = 0
    poison: frozenset[int] = frozenset()
    taken: list[int] = field(default_factory=list)
    births: list[str] = field(default_factory=list)
    dead: list[bytes] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    closed: bool = False

    def ledger(self) -> Ledger:
        return Ledger()

    def write(self, batch: Batch) -> None:
        self.threads.add(threading.current_thread().name)
        if self.away:
            self.away -= 1
            raise StoreUnavailable("fake", "away")
        if any(event.seq in self.poison for event in batch.events):
            raise Unstorable("fake", "poison")
        if any(birth.equipment == "bad" for birth in batch.births):
            raise Unstorable("fake", "poison")
        self.taken += [event.seq for event in batch.events]
        self.births += [birth.equipment for birth in batch.births]
        self.dead += [one.payload for one in batch.dead]

    def events_after(self, number: int, limit: int) -> Sequence[tuple[int, Envelope]]:
        raise NotImplementedError

    def cursors(self) -> Mapping[str, int]:
        raise NotImplementedError

    def advance(self, name: str, number: int) -> None:
        raise NotImplementedError

    def plan_shifts(self, plan: ShiftPlan, now: datetime) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed = True


async def no_sleep(_delay_s: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def over(store: FakeStore) -> AsyncIterator[Record]:
    async with recording(
        lambda: store, now=lambda: START, sleep=no_sleep, uniform=lambda low, _high: low
    ) as record:
        yield record


def counts(*seqs: int) -> list[Envelope]:
    return [envelope("count", n, n, count_data(1, n)) for n in seqs]


def birth(equipment: str) -> Birth:
    return Birth(SOURCE, equipment, equipment, {"x": equipment})


async def test_a_write_returns_after_the_commit_however_long_it_takes() -> None:
    store = FakeStore(away=5)
    async with over(store) as record:
        await record.write(counts(1, 2))
        assert store.taken == [1, 2]
        assert (record.outages, record.stalled) == (1, True)
        assert record.ledger.position(Series(SOURCE, EPOCH)) == 2


async def test_only_one_thread_touches_the_store_and_it_is_closed() -> None:
    store = FakeStore()
    async with over(store) as record:
        await asyncio.gather(*(record.write(counts(n)) for n in range(1, 20)))
    assert store.closed
    assert len(store.threads) == 1
    assert threading.current_thread().name not in store.threads


async def test_the_ledger_does_not_run_ahead_of_a_store_that_is_away() -> None:
    store = FakeStore(away=1000)
    async with over(store) as record:
        writing = asyncio.create_task(record.write(counts(1)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert record.ledger.marks == {}
        writing.cancel()
        await asyncio.wait([writing])
        assert record.ledger.marks == {}


async def test_what_can_never_be_stored_is_found_and_counts_as_received() -> None:
    store = FakeStore(poison=frozenset({7, 8}))
    async with over(store) as record:
        births = [birth("a"), birth("bad"), birth("b")]
        await record.write(counts(*range(1, 17)), births)
        assert sorted(store.taken) == [n for n in range(1, 17) if n not in {7, 8}]
        assert store.births == ["a", "b"]
        assert len(store.dead) == 3
        assert b'{"x":"bad"}' in store.dead
        assert record.ledger.position(Series(SOURCE, EPOCH)) == 16
        assert record.written.dead == 3


async def test_followers_are_woken_by_each_commit() -> None:
    async with over(FakeStore()) as record:
        first, second = record.follow(), record.follow()
        await record.write(counts(1))
        first.clear()
        assert second.is_set()
        await record.write(counts(2))
        assert first.is_set()


async def test_a_store_that_can_never_be_used_ends_it() -> None:
    def refuse() -> FakeStore:
        raise StoreUnusable("fake", "of a later version")

    with pytest.raises(StoreUnusable):
        async with recording(
            refuse, now=lambda: START, sleep=no_sleep, uniform=lambda low, _high: low
        ):
            pass
