"""One chart store behind a scripted server: what it refuses, when it is away, what it is sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.historian.charts import ChartFeed
from gateway.historian.influx import ChartStore, ChartsUnavailable, LinesRefused
from gateway.historian.record import Record, recording
from gateway.historian.settings import InfluxSettings
from gateway.historian.sql import SqlStore
from gateway.historian.store import StoreUnusable
from gateway.historian.unsettled import FIRST_S
from gateway.wire.cloudevent import Envelope
from tests.support.clock import FakeClock
from tests.support.postgres import Database
from tests.support.stores import START, count_data, envelope, status_data
from tests.support.until import until

SETTINGS = InfluxSettings(url="http://127.0.0.1:1", org="o", bucket="b")


@dataclass
class FakeCharts:
    """Takes lines; ``answers`` are raised first, lines with ``poison`` are refused."""

    answers: list[Exception] = field(default_factory=list)
    poison: str = "never"
    taken: list[str] = field(default_factory=list)
    requests: int = 0
    closed: bool = False

    def write(self, lines: Sequence[str]) -> None:
        self.requests += 1
        if self.answers:
            raise self.answers.pop(0)
        if any(self.poison in line for line in lines):
            raise LinesRefused("HTTP 400: bad")
        self.taken += lines

    def close(self) -> None:
        self.closed = True


async def no_sleep(_delay_s: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def record_of(database: Database) -> AsyncIterator[Record]:
    async with recording(
        lambda: SqlStore.open(database.url),
        now=lambda: datetime.now(UTC),
        uniform=lambda low, _high: low,
    ) as record:
        yield record


@asynccontextmanager
async def feeding(
    record: Record,
    charts: FakeCharts,
    settings: InfluxSettings = SETTINGS,
    clock: FakeClock | None = None,
) -> AsyncIterator[ChartFeed]:
    def open_store(_settings: InfluxSettings) -> ChartStore:
        return charts

    clock = clock or FakeClock(START + timedelta(hours=1))
    feed = ChartFeed(settings, record, clock, no_sleep, lambda low, _high: low, open_store)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert charts.closed


def counts(first: int, last: int, *, name: str = "press-03") -> list[Envelope]:
    return [
        envelope("count", n, n, count_data(1, n), equipment=name) for n in range(first, last + 1)
    ]


def reached(feed: ChartFeed, number: int) -> Callable[[], bool]:
    return lambda: feed.stats.number == number


async def test_an_outage_is_waited_for_and_nothing_is_skipped(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    charts = FakeCharts([ChartsUnavailable("down")] * 3)
    async with record_of(database) as record, feeding(record, charts) as feed:
        await record.write(counts(1, 30))
        await until(reached(feed, 30))
    assert len(charts.taken) == 30
    assert [entry.message.rpartition(" is ")[2] for entry in caplog.records] == [
        "away: down",
        "back",
    ]


async def test_one_bad_line_costs_one_line(database: Database) -> None:
    charts = FakeCharts(poison="total=17.0")
    async with record_of(database) as record, feeding(record, charts) as feed:
        await record.write(counts(1, 64))
        await until(reached(feed, 64))
        assert feed.stats.refused == 1
        assert record.written.dead == 1
    assert len(charts.taken) == 63
    assert charts.requests <= 2 * 6 + 1


async def test_what_the_store_would_drop_silently_is_not_sent(database: Database) -> None:
    charts = FakeCharts()
    settings = InfluxSettings(url="u", org="o", bucket="b", max_future_s=60, max_age_s=7200)
    times = [START - timedelta(hours=2), START, START + timedelta(hours=2)]
    events = [envelope("count", n, n, count_data(1, n), at=at) for n, at in enumerate(times, 1)]
    async with record_of(database) as record, feeding(record, charts, settings) as feed:
        await record.write(events)
        await until(reached(feed, 3))
        assert feed.stats.refused == 2
    assert len(charts.taken) == 1


async def test_after_a_restart_it_goes_on_where_all_is_settled_and_beside_its_points(
    database: Database,
) -> None:
    idle = status_data("idle", START)
    first, second = (envelope("status", n, n, idle, at=START) for n in (1, 2))
    clock = FakeClock(START + timedelta(hours=1))
    charts = FakeCharts()
    async with record_of(database) as record:
        async with feeding(record, charts, clock=clock) as feed:
            await record.write([first])
            await until(reached(feed, 1))
            clock.advance(2 * FIRST_S)
            await record.write([second])
            await until(reached(feed, 2))
            assert await record.cursors() == {SETTINGS.name: 1}
        again = FakeCharts()
        async with feeding(record, again, clock=clock) as feed:
            await until(reached(feed, 2))
    assert again.taken == charts.taken[1:]
    assert again.taken[0].endswith(f" {round(START.timestamp() * 1000) + 1}")


async def test_what_it_confirmed_last_is_fed_again_when_it_is_back(database: Database) -> None:
    idle = status_data("idle", START)
    old, *late = (envelope("status", n, n, idle, at=START) for n in range(1, 4))
    clock = FakeClock(START + timedelta(hours=1))
    charts = FakeCharts()
    async with record_of(database) as record, feeding(record, charts, clock=clock) as feed:
        await record.write([old])
        await until(reached(feed, 1))
        clock.advance(2 * FIRST_S)
        for n, event in enumerate(late, 2):
            await record.write([event])
            await until(reached(feed, n))
        clock.advance(3600)  # nobody looks for an hour: it may have died right after the last
        confirmed = list(charts.taken)
        charts.answers = [ChartsUnavailable("down")]
        await record.write(counts(4, 4))
        await until(lambda: len(charts.taken) == 7 and feed.stats.number == 4)
    assert len(set(confirmed)) == 3
    assert charts.taken[3:] == [charts.taken[-1], *confirmed[1:], charts.taken[-1]]


async def test_who_asks_for_less_is_fed_nothing_again(database: Database) -> None:
    charts = FakeCharts()
    async with record_of(database) as record, feeding(record, charts) as feed:
        await record.write(counts(1, 3))
        await until(reached(feed, 3))
        charts.answers = [ChartsUnavailable("HTTP 429", has_too_much=True)] * 2
        await record.write(counts(4, 5))
        await until(reached(feed, 5))
        await record.write(counts(6, 6))
        await until(reached(feed, 6))
    assert len(charts.taken) == len(set(charts.taken)) == 6


async def test_a_token_file_that_is_missing_is_said(database: Database, tmp_path: Path) -> None:
    settings = InfluxSettings(url="u", org="o", bucket="b", token_file=tmp_path / "none")
    async with record_of(database) as record:
        clock = FakeClock(START)
        feed = ChartFeed(settings, record, clock, no_sleep, lambda low, _high: low)
        with pytest.raises(StoreUnusable, match="none"):
            await feed.run()
