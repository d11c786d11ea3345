"""A start with events that no broker has: how soon the collector is there, how fast they leave."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.row import Entry
from tests.support.broker import Broker, broker
from tests.support.gateway_process import ServiceProcess
from tests.support.journal import count, open_journal
from tests.support.lone_site import lone_site
from tests.support.until import until

__all__ = ["broker"]

READY_S = 10.0
DRAINED_PER_S = 500
"""The case states both."""
MACHINE = "press-07"
AT_ONCE = 1000
LONG_S = 1800.0

Record = Callable[[str, object], None]


@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.fault(
    9,
    injection="the collecting process starts with 5,000 rows that no broker has: once after an end"
    " in order, once after kill -9, when the whole file is checked; then the broker comes back",
    expectation="started in less than 10 s both times; all delivered, 500 events/s at least",
)
async def test_a_backlog_does_not_hold_up_the_start(
    broker: Broker, tmp_path: Path, record_property: Record
) -> None:
    await starts_with(5_000, broker, tmp_path, record_property)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.fault(
    9,
    injection="the same with 1,000,000 rows",
    expectation="started in less than 10 s both times; all delivered, 500 events/s at least",
)
async def test_a_million_rows_do_not_hold_up_the_start(
    broker: Broker, tmp_path: Path, record_property: Record
) -> None:
    await starts_with(1_000_000, broker, tmp_path, record_property)


async def starts_with(rows: int, broker: Broker, directory: Path, record: Record) -> None:
    lone_site(directory, broker_port=broker.port)
    await asyncio.to_thread(broker.kill)
    path = directory / "data/journal.db"
    await backlog(path, rows)
    collector = ServiceProcess("collect", directory)
    try:
        await collector.start()
        clean_s = await collector.ready()
        await collector.kill()
        assert number(path, "SELECT value FROM mark WHERE name = 'clean'") == 0
        await collector.start()
        checked_s = await collector.ready()
        assert number(path, "SELECT coalesce(max(seq), 0) FROM cursor WHERE name = 'mqtt'") == 0
        per_s = await drained(path, rows, broker)
        await collector.stop()
    finally:
        await collector.abandon()
    assert "journal damaged" not in collector.log.read_text(encoding="utf-8")
    record("rows", rows)
    record("seconds to the start", round(clean_s, 1))
    record("after kill -9", round(checked_s, 1))
    record("events/s", round(per_s))
    assert clean_s < READY_S
    assert checked_s < READY_S
    assert per_s > DRAINED_PER_S


async def backlog(path: Path, rows: int) -> None:
    """Leave so many counts in a journal that ended in order."""
    path.parent.mkdir(parents=True)
    async with open_journal(path) as journal:
        for first in range(1, rows, AT_ONCE):
            totals = range(first, first + AT_ONCE)
            await journal.append([Entry(MACHINE, [count(total) for total in totals])])
        assert journal.head() == rows


async def drained(path: Path, rows: int, broker: Broker) -> float:
    """Let the broker come back and take all; return how many it confirmed a second."""

    await asyncio.to_thread(broker.start)
    await until(lambda: "New client connected" in broker.log(), timeout_s=90)
    began_s = time.monotonic()
    query = "SELECT coalesce(max(seq), 0) FROM cursor WHERE name = 'mqtt'"
    await until(lambda: number(path, query) >= rows, timeout_s=LONG_S)
    return rows / (time.monotonic() - began_s)


def number(path: Path, query: str) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (found,) = connection.execute(query).fetchone()
    return int(found)
