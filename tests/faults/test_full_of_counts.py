"""More counts than the journal has room for, and no broker to take them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.domain.events import Count
from gateway.domain.vocabulary import Order
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, SqlSettings
from gateway.journal.journal import Journal
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from tests.support.broker import Broker, broker
from tests.support.clock import MORNING
from tests.support.journal import open_journal
from tests.support.publishing import publishing, settings_for, status
from tests.support.small_disk import small_disk
from tests.support.until import until

__all__ = ["broker"]

MACHINES = ("press-03", "oven-01")
BEFORE, PARTS = 200, 6000
DISK_BYTES = 4 << 20
LONG_S = 60


def made(total: int) -> Count:
    """The part of this number; each thousand is an order of its own."""
    at = MORNING + timedelta(seconds=total)
    order = Order(f"WO-{total // 1000}")
    return Count(
        at=at, counter="good", kind="good", delta=1, total=total, raw=total, order=order,
        window_from=at - timedelta(seconds=1), cycle_time_ms=1000,
    )  # fmt: skip


async def make(journal: Journal, parts: range, *, at_once: int = 25) -> None:
    for first in range(parts.start, parts.stop, at_once):
        counts = [made(n) for n in range(first, min(first + at_once, parts.stop))]
        await journal.append([Entry(machine, counts) for machine in MACHINES])


@asynccontextmanager
async def recording(broker: Broker, store: Path) -> AsyncIterator[Historian]:
    stores = (SqlSettings(url=f"sqlite:///{store}"),)
    settings = HistorianSettings(broker=settings_for(broker), site="suzhou", stores=stores)
    historian = Historian(settings, uniform=lambda _low, _high: 0.02)
    task = asyncio.create_task(historian.run())
    try:
        await until(lambda: historian.stats().connected, timeout_s=LONG_S)
        yield historian
    finally:
        task.cancel()
        await asyncio.wait([task])


def query(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.fault(
    12,
    injection="no broker, and a disk of 4 MB for twice as many counts as it holds; a restart"
    " meanwhile; then the broker and the historian",
    expectation="counts become fewer: not a part is missing in the sums of any order, totals go on,"
    " each number that is gone is named, nothing that was sent before has changed",
)
@pytest.mark.timeout(400)
async def test_counts_become_fewer_and_no_part_is_lost(
    broker: Broker, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    store, limits = tmp_path / "h.db", Limits(ballast_bytes=1 << 20)
    with small_disk(tmp_path, DISK_BYTES) as place:
        async with recording(broker, store) as historian:
            async with open_journal(place / "j.db", limits=limits) as journal:
                async with publishing(settings_for(broker), journal) as publisher:
                    await journal.append([Entry(machine, [status()]) for machine in MACHINES])
                    await make(journal, range(1, BEFORE))
                    assert await publisher.drain(30)
                before = journal.head()
                await make(journal, range(BEFORE, PARTS // 2))
            async with open_journal(place / "j.db", limits=limits) as journal:
                await make(journal, range(PARTS // 2, PARTS + 1))
                await until(lambda: journal.standing().merged > 0)
                assert journal.standing().lost == 0
                async with publishing(settings_for(broker), journal) as publisher:
                    assert await publisher.drain(30)
                    kept = [row.type for row in await journal.rows(before, 100_000)]
                    await has_all(store, historian, journal.head())
    assert kept.count("count") < PARTS
    check(store)
    record_property("parts", 2 * PARTS)
    record_property("counts delivered", len(query(store, "SELECT 1 FROM count_event")))
    first = [total for seq, total in query(store, "SELECT seq, total FROM count_event")]
    assert sorted(first)[: 2 * (BEFORE - 1)] == sorted([*range(1, BEFORE)] * 2)


async def has_all(store: Path, historian: Historian, newest: int) -> None:
    """Wait until the store has everything, and each number is there or named."""
    found = "SELECT MAX(seq) FROM event"
    await until(lambda: query(store, found) == [(newest,)], timeout_s=LONG_S)
    await until(lambda: historian.stats().holes == 0, timeout_s=LONG_S)


def check(store: Path) -> None:
    """Each part stands in the sums of its order, by increments and by totals."""
    by_order = "SELECT equipment, order_no, SUM(delta), SUM(quantity) FROM count_booked"
    assert query(store, f"{by_order} GROUP BY 1, 2 ORDER BY 1, 2") == [
        (machine, f"WO-{n}", parts, parts)
        for machine in sorted(MACHINES)
        for n, parts in enumerate([999, *[1000] * (PARTS // 1000 - 1), 1])
    ]
    assert query(store, "SELECT * FROM loss") == query(store, "SELECT * FROM dead_letter") == []
    gaps = query(store, "SELECT data FROM event WHERE type = 'gap'")
    assert {orjson.loads(data)["reason"] for (data,) in gaps} == {"merged"}
