"""A day without a broker, at 50 events a second: what a drained backlog looks like and takes."""

import asyncio
import gc
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from gateway.domain.events import Count
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import Session
from gateway.publish.publisher import Publisher
from tests.support.broker import Broker, mosquitto
from tests.support.clock import MORNING
from tests.support.journal import open_journal
from tests.support.publishing import EVENTS, Gate, publishing, settings_for
from tests.support.until import until

RATE_PER_S = 50
DAY_ROWS = 24 * 3600 * RATE_PER_S
SCALED_ROWS = 20_000
MACHINES = ("press-03", "oven-01")
AT_ONCE = 1000
FLAT_MB = 40.0
"""More than the read-ahead, the window and the newest rows in memory take, for any backlog."""
FLAT_TRACED_MB = 4.0
"""The same without what the allocator and SQLite keep; the scaled backlog takes thrice as much."""

Note = Callable[[str, object], None]


@pytest.mark.timeout(400)
@pytest.mark.fault(
    50,
    injection="no broker while 20,000 events come, a day scaled down; events go on while it drains",
    expectation="all delivered in order, none twice after deduplication; memory flat",
)
async def test_a_day_scaled_down(tmp_path: Path, record_property: Note) -> None:
    # What stays is told by its objects: 20,000 rows would hide in what a long run has freed.
    tracemalloc.start()
    try:
        in_use = Memory(traced_mb, FLAT_TRACED_MB)
        await day_without_a_broker(tmp_path, SCALED_ROWS, in_use, record_property)
    finally:
        tracemalloc.stop()


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.fault(
    50,
    injection="no broker while the 4.32 million events of a day at 50/s come, as fast as they go",
    expectation="all delivered in order, none twice after deduplication; memory flat",
)
async def test_a_day(tmp_path: Path, record_property: Note) -> None:
    rows = int(os.environ.get("MILLGATE_OUTAGE_ROWS", DAY_ROWS))
    await day_without_a_broker(tmp_path, rows, Memory(rss_mb, FLAT_MB), record_property)


@dataclass
class Reader:
    """A consumer that keeps nothing but what it needs to know that the order is right."""

    newest: int = 0
    repeats: int = 0
    out_of_order: int = 0

    def read(self, payload: bytes) -> None:
        seq = int(orjson.loads(payload)["id"].rpartition("-")[2])
        if seq <= self.newest:
            self.repeats += 1
            return
        self.out_of_order += seq != self.newest + 1
        self.newest = seq


@dataclass
class Memory:
    """The most that was in use since it was looked at first."""

    in_use_mb: Callable[[], float]
    flat_mb: float
    before_mb: float = 0.0
    outage_mb: float = 0.0
    highest_mb: float = 0.0

    def begin(self) -> None:
        gc.collect()
        self.before_mb = self.highest_mb = self.in_use_mb()

    def look(self) -> None:
        self.highest_mb = max(self.highest_mb, self.in_use_mb())

    def broker_is_back(self) -> None:
        self.outage_mb = self.highest_mb

    def judge(self) -> None:
        assert self.outage_mb - self.before_mb < self.flat_mb
        assert self.highest_mb - self.before_mb < self.flat_mb


async def day_without_a_broker(directory: Path, rows: int, memory: Memory, note: Note) -> None:
    gate = Gate()
    with mosquitto(extra=["max_queued_messages 0"]) as broker:
        async with (
            open_journal(directory / "journal.db") as journal,
            publishing(settings_for(broker), journal, timing=gate.timing) as publisher,
        ):
            await until(lambda: publisher.stats().online)
            await asyncio.to_thread(broker.kill)
            await until(lambda: not publisher.stats().online)
            memory.begin()
            await machines(journal, rows, memory)
            memory.broker_is_back()
            await asyncio.to_thread(broker.start)
            async with reading(broker) as reader:
                began_s = time.monotonic()
                gate.open.set()
                await drained(publisher, journal, memory)
                took_s = time.monotonic() - began_s
                await until(lambda: reader.newest >= journal.head(), timeout_s=120)
            size_mb = (directory / "journal.db").stat().st_size / 1e6
    note("rows", rows)
    note("rows/s", round(rows / took_s))
    note("MB before", round(memory.before_mb))
    note("MB more at most in the outage", round(memory.outage_mb - memory.before_mb, 1))
    note("MB more at most until drained", round(memory.highest_mb - memory.before_mb, 1))
    note("MB of journal", round(size_mb))
    assert reader.out_of_order == 0
    assert reader.newest >= rows
    memory.judge()


async def machines(journal: Journal, rows: int, memory: Memory) -> None:
    """Commit so many counts, 20 ms apart by their own clock."""
    for first in range(0, rows, AT_ONCE):
        batch = range(first, min(first + AT_ONCE, rows))
        entries = [
            Entry(name, [counted(n) for n in batch if n % len(MACHINES) == place])
            for place, name in enumerate(MACHINES)
        ]
        await journal.append([one for one in entries if one.events])
        memory.look()


def counted(number: int) -> Count:
    at = MORNING + timedelta(seconds=number / RATE_PER_S)
    return Count(at=at, counter="good", kind="good", delta=1, total=number, raw=number)


async def drained(publisher: Publisher, journal: Journal, memory: Memory) -> None:
    """Let events go on at their rate until there is no backlog."""
    while journal.head() - journal.cursor("mqtt") > RATE_PER_S:
        await journal.append([Entry(MACHINES[0], [counted(0)] * (RATE_PER_S // 10))])
        await asyncio.sleep(0.1)
        memory.look()
    assert await publisher.drain(60)


@asynccontextmanager
async def reading(broker: Broker) -> AsyncIterator[Reader]:
    reader = Reader()

    async def read() -> None:
        while True:
            for message in await link.receive(1000):
                reader.read(message.payload)
                link.ack(message)

    async with connect(settings_for(broker), Session(client_id="reader")) as link:
        await link.subscribe([EVENTS])
        task = asyncio.create_task(read(), name="reader")
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.wait([task])


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def traced_mb() -> float:
    now, _ = tracemalloc.get_traced_memory()
    return now / 1e6
