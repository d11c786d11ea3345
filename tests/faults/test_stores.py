"""Faults of the stores behind the historian: each ends with every store held against the journal.

The stores of record are real SQLite files and PostgreSQL servers, the chart stores a real
VictoriaMetrics and, where a real one cannot be made to misbehave, a stub.
"""

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path

import pytest

from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, InfluxSettings, SqlSettings
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.publish.publisher import Publisher
from simulators.link import Link
from tests.support.broker import mosquitto
from tests.support.journal import open_journal
from tests.support.outage_bench import HURRIED, Bench, outage_bench
from tests.support.postgres import Database
from tests.support.publishing import count, publishing
from tests.support.stores import VictoriaMetrics, victoria_metrics
from tests.support.stub_store import StubStore, stub_store
from tests.support.until import until

pytestmark = pytest.mark.timeout(400)

LONG_S = 60.0
"""What no test here takes, on a machine that does many things."""


@dataclass
class Way:
    """A journal, a broker and a historian in a process of their own settings."""

    broker: BrokerSettings
    journal: Journal
    publisher: Publisher
    url: str
    total: int = 0

    async def counts(self, number: int) -> None:
        """Commit so many counts, one second apart by their own clock."""
        rows = [count(total) for total in range(self.total, self.total + number)]
        self.total += number
        await self.journal.append([Entry("press-03", rows)])

    @property
    def database(self) -> Database:
        return Database(self.url)

    def stored(self) -> list[int]:
        rows = self.database.query("SELECT seq FROM event ORDER BY seq")
        return [seq for (seq,) in rows]

    async def complete(self) -> None:
        """Wait until the store of record is the journal: each event once, in order."""
        expected = list(range(1, self.journal.head() + 1))
        await until(lambda: self.stored() == expected, timeout_s=LONG_S)


@asynccontextmanager
async def way(directory: Path, url: str | None = None) -> AsyncIterator[Way]:
    """Run broker, journal and publisher."""
    with mosquitto() as broker:
        at = BrokerSettings(port=broker.port)
        async with (
            open_journal(directory / "journal.db") as journal,
            publishing(at, journal, timing=HURRIED) as publisher,
        ):
            yield Way(at, journal, publisher, url or f"sqlite:///{directory}/history.db")


@asynccontextmanager
async def historian(way: Way, *charts: InfluxSettings) -> AsyncIterator[Historian]:
    settings = HistorianSettings(
        broker=way.broker, site="suzhou", stores=(SqlSettings(url=way.url), *charts)
    )
    running = Historian(settings, sleep=hurried, uniform=lambda low, _high: low + 0.02)
    task = asyncio.create_task(running.run(), name="historian")
    try:
        await until(lambda: task.done() or running.stats().connected, timeout_s=LONG_S)
        yield running
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def hurried(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 1.0))


@pytest.fixture
def stub() -> Iterator[StubStore]:
    with stub_store() as running:
        yield running


@pytest.fixture
def metrics() -> Iterator[VictoriaMetrics]:
    with victoria_metrics() as running:
        yield running


def chart(url: str, timeout_s: float = 10.0) -> InfluxSettings:
    return InfluxSettings(url=url, org="o", bucket="b", timeout_s=timeout_s, max_future_s=1e9)


def totals(metrics: VictoriaMetrics) -> list[int]:
    """The totals it has, by time."""
    series = metrics.series("count_total")
    pairs = sorted(
        pair for one in series for pair in zip(one["timestamps"], one["values"], strict=True)
    )
    return [round(value) for _, value in pairs]


# --- 58


@pytest.mark.fault(
    58,
    injection="a chart store answers 500, then 429 with Retry-After, then not in time; a second and"
    " the store of record are well",
    expectation="the others go on meanwhile; afterwards it has every point",
)
async def test_a_chart_store_that_fails_holds_up_nobody_else(
    tmp_path: Path, stub: StubStore, metrics: VictoriaMetrics
) -> None:
    stub.status = 500
    async with (
        way(tmp_path) as all_,
        historian(all_, chart(stub.url, timeout_s=0.3), chart(metrics.url)) as running,
    ):
        for status, delay_s in ((500, 0.0), (429, 0.0), (204, 1.0)):
            seen = len(stub.answers)
            stub.status, stub.delay_s, stub.retry_after = status, delay_s, "1"
            await all_.counts(100)
            await all_.complete()
            await until(lambda: totals(metrics) == list(range(all_.total)), timeout_s=LONG_S)
            await until(lambda n=seen: len(stub.answers) > n, timeout_s=LONG_S)  # type: ignore[misc]
            assert running.stats().charts[chart(stub.url).name].points == 0
        stub.delay_s = 0.0
        await until(
            lambda: running.stats().charts[chart(stub.url).name].points == 300, timeout_s=LONG_S
        )
    assert len(set(stub.lines)) == 300
    assert running.stats().dead_letters == 0


@pytest.mark.fault(
    58,
    injection="VictoriaMetrics is killed with kill -9 right after it confirmed 100 points, and"
    " started again on what it has on its disk; once the historian ends as well",
    expectation="what it confirmed last is fed again: it has every point",
)
@pytest.mark.parametrize("alone", [True, False], ids=["the store", "and the historian"])
async def test_a_chart_store_that_is_killed(
    tmp_path: Path, metrics: VictoriaMetrics, *, alone: bool
) -> None:
    at = chart(metrics.url)
    async with way(tmp_path) as all_:
        async with historian(all_, at) as running:
            await all_.counts(100)
            await until(lambda: running.stats().charts[at.name].points == 100, timeout_s=LONG_S)
            await asyncio.to_thread(metrics.kill)
            if alone:
                await all_.counts(10)
                await until(lambda: running.stats().charts[at.name].is_away, timeout_s=LONG_S)
                await asyncio.to_thread(metrics.start)
                await until(lambda: totals(metrics) == list(range(110)), timeout_s=LONG_S)
        if not alone:
            await asyncio.to_thread(metrics.start)
            async with historian(all_, at):
                await until(lambda: totals(metrics) == list(range(100)), timeout_s=LONG_S)


# --- 59


@pytest.mark.fault(
    59,
    injection="one point of 400 makes a chart store answer 400 to the whole request",
    expectation="refused requests at most log2(n)+1; that point a dead letter, all others stored",
)
async def test_one_point_that_is_refused(tmp_path: Path, stub: StubStore) -> None:
    stub.poison = "total=137.0"
    async with way(tmp_path) as all_, historian(all_, chart(stub.url)) as running:
        await all_.counts(400)
        await all_.complete()
        name = chart(stub.url).name
        await until(lambda: running.stats().charts[name].points == 399, timeout_s=LONG_S)
        await until(lambda: running.stats().dead_letters == 1, timeout_s=LONG_S)
        ((letter,),) = all_.database.query("SELECT COUNT(*) FROM dead_letter")
    assert letter == 1
    assert len(stub.lines) == len(set(stub.lines)) == 399
    assert stub.answers.count(400) <= ceil(log2(400)) + 1


# --- 60


@pytest.mark.fault(
    60,
    injection="VictoriaMetrics takes the points, its 204 is lost and the connection reset",
    expectation="sent again, and each point stands there once",
)
async def test_an_answer_of_a_chart_store_that_is_lost(
    tmp_path: Path, metrics: VictoriaMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Link("127.0.0.1", metrics.port) as link, way(tmp_path) as all_:
        through = chart(f"http://127.0.0.1:{link.listening}", timeout_s=2.0)
        async with historian(all_, through) as running:
            link.faults.swallow_answers = True
            await all_.counts(100)
            await until(lambda: totals(metrics), timeout_s=LONG_S)
            await link.cut()
            await until(lambda: running.stats().charts[through.name].is_away, timeout_s=LONG_S)
            link.faults.swallow_answers = False
            await link.cut()
            await until(
                lambda: running.stats().charts[through.name].points == 100, timeout_s=LONG_S
            )
    assert totals(metrics) == list(range(100))


# --- 61


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with outage_bench(tmp_path) as ready:
        yield ready


@pytest.mark.fault(
    61,
    injection="the store of record is replaced by its copy of an hour ago",
    expectation="it asks the journal for what it does not have, by itself, and has it all again",
)
async def test_a_store_restored_from_an_old_backup(bench: Bench, tmp_path: Path) -> None:
    await bench.connected_historian()
    await bench.journal_counts(200)
    await bench.complete(timeout_s=LONG_S)
    await bench.stop_historian()
    backup = tmp_path / "backup.db"
    await asyncio.to_thread(back_up, bench.store, backup)
    await bench.connected_historian()
    await bench.journal_counts(600)
    await bench.complete(timeout_s=LONG_S)
    await bench.stop_historian()
    bench.close()
    await asyncio.to_thread(restore, backup, bench.store)
    assert len(bench.stored()) == 200
    bench.too_early.clear()
    await bench.connected_historian()
    await bench.complete(timeout_s=LONG_S)


def back_up(store: Path, backup: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))


def restore(backup: Path, store: Path) -> None:
    for beside in store.parent.glob(f"{store.name}*"):
        beside.unlink()
    shutil.copyfile(backup, store)
