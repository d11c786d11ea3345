"""The historian behind the real publisher: what the one sends, the other has."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.vocabulary import State
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, SqlSettings
from gateway.ops.mqtt_terms import BrokerSettings
from tests.support.broker import Broker, mosquitto
from tests.support.fake_journal import FakeJournal
from tests.support.publishing import count, publishing, settings_for, status
from tests.support.until import until


@pytest.fixture
def broker() -> Iterator[Broker]:
    with mosquitto(extra=["max_queued_messages 100"]) as running:
        yield running


@asynccontextmanager
async def recording(broker: BrokerSettings, path: Path) -> AsyncIterator[Historian]:
    stores = (SqlSettings(url=f"sqlite:///{path}"),)
    settings = HistorianSettings(broker=broker, site="suzhou", stores=stores)
    historian = Historian(settings, uniform=lambda _low, _high: 0.02)
    task = asyncio.create_task(historian.run())
    try:
        await until(lambda: historian.stats().connected)
        yield historian
    finally:
        task.cancel()
        await asyncio.wait([task])


def query(path: Path, sql: str) -> list[Any]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_passed_while_it_was_away_is_replayed(
    broker: Broker, tmp_path: Path, protocol: str
) -> None:
    journal, at, path = FakeJournal(), settings_for(broker, protocol=protocol), tmp_path / "h.db"
    async with publishing(at, journal) as publisher:
        journal.commit("press-03", status(), count(0))
        journal.commit("oven-01", status(State.IDLE), local=True)  # never leaves the gateway
        async with recording(at, path):
            await until(lambda: query(path, "SELECT COUNT(*) FROM event") == [(2,)])
        for first in range(1, 600, 50):
            journal.commit("press-03", *(count(n) for n in range(first, first + 50)))
        journal.commit("oven-01", status(State.FAULT))
        assert await publisher.drain(10)
        async with recording(at, path) as historian:
            journal.commit("press-03", count(601))
            await until(lambda: query(path, "SELECT COUNT(*) FROM event") == [(604,)], timeout_s=90)
            await until(lambda: historian.stats().holes == 0)
    totals = query(path, "SELECT total FROM count_event ORDER BY seq")
    assert [total for (total,) in totals] == list(range(602))
    assert query(path, "SELECT equipment, state FROM current_state ORDER BY 1") == [
        ("oven-01", "fault"),
        ("press-03", "running"),
    ]
    assert query(path, "SELECT equipment, name_zh FROM equipment") == [("press-03", "3号冲床")]
    assert query(path, "SELECT * FROM loss") == []
    assert query(path, "SELECT * FROM dead_letter") == []
