"""MQTT to a PostgreSQL that is killed, locked and sent what it cannot hold."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.shifts import Pattern, ShiftCalendar
from gateway.historian.asking import Asker
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, SqlSettings
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.sql import SqlStore
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.wire.cloudevent import Envelope
from tests.support.broker import mosquitto
from tests.support.postgres import Database, Postgres, postgres, postgres_server
from tests.support.scripted_gateway import ScriptedGateway
from tests.support.stores import SOURCE, START, count_data, envelope
from tests.support.until import until

__all__ = ["postgres"]

DAY_AND_NIGHT = ShiftCalendar(
    ZoneInfo("Asia/Shanghai"),
    dict.fromkeys(range(7), (Pattern("D", START.time(), START.time()),)),
)


@pytest.fixture
def at() -> Iterator[BrokerSettings]:
    with mosquitto() as broker:
        yield BrokerSettings(host=broker.host, port=broker.port)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    name = postgres.create()
    yield Database(postgres.url(name))
    postgres.drop(name)


@asynccontextmanager
async def historian(at: BrokerSettings, url: str) -> AsyncIterator[Historian]:
    settings = HistorianSettings(
        broker=at,
        site="plant",
        stores=(SqlSettings(url=url),),
        shifts=ShiftPlan(SOURCE, {"press-03": DAY_AND_NIGHT}),
    )
    ids = (f"test-{n}" for n in range(1000))
    running = Historian(
        settings,
        open_store=lambda: SqlStore.open(url, busy_timeout_ms=50),
        uniform=lambda low, _high: low + 0.02,
        asker=Asker(lambda: next(ids), settle_s=0.2, patience_s=0.5),
    )
    task = asyncio.create_task(running.run())
    try:
        await until(lambda: task.done() or running.stats().connected)
        yield running
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def counts(first: int, last: int) -> list[Envelope]:
    return [envelope("count", n, n, count_data(1, n)) for n in range(first, last + 1)]


def stored(database: Database) -> list[int]:
    return [seq for (seq,) in database.query("SELECT seq FROM event ORDER BY seq")]


async def has(database: Database, count: int) -> None:
    await until(lambda: len(stored(database)) >= count, timeout_s=90)
    assert stored(database) == list(range(1, count + 1))


async def test_duplicates_and_a_hole_leave_each_event_once(
    at: BrokerSettings, database: Database
) -> None:
    async with historian(at, database.url), ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 40))
        await gateway.publish(counts(1, 15) + counts(10, 15) + counts(30, 40))
        await has(database, 40)
    assert len(gateway.requests) == 1


@pytest.mark.fault(
    59,
    injection="PostgreSQL refuses one event of a batch",
    expectation="that one is a dead letter, all others are stored",
)
async def test_one_unstorable_event_costs_one_event(at: BrokerSettings, database: Database) -> None:
    bad = envelope("note", 41, 1, {"about": "x", "by": "y", "comment": "a zero: \x00"})
    async with historian(at, database.url), ScriptedGateway(at).connected() as gateway:
        await gateway.publish([*counts(1, 20), bad, *counts(21, 40)])
        await has(database, 40)
        await until(lambda: database.query("SELECT COUNT(*) FROM dead_letter") == [(1,)])


@pytest.mark.fault(
    58,
    injection="a table of the store of record is locked",
    expectation="nothing is stored meanwhile, all of it afterwards, each once",
)
async def test_a_locked_table_delays_and_loses_nothing(
    at: BrokerSettings, database: Database
) -> None:
    async with historian(at, database.url) as running, ScriptedGateway(at).connected() as gateway:
        with database.locked():
            await gateway.publish(counts(1, 30))
            await until(lambda: running.stats().store_outages == 1)
            assert stored(database) == []
        await has(database, 30)


@pytest.mark.fault(
    58,
    injection="PostgreSQL, the store of record, is killed with kill -9 while events come in",
    expectation="each event stands there once, in order",
)
async def test_a_killed_server_delays_and_loses_nothing(at: BrokerSettings) -> None:
    with postgres_server(sync=True) as server:
        database = Database(server.url(server.create()))
        async with (
            historian(at, database.url) as running,
            ScriptedGateway(at).connected() as gateway,
        ):
            await gateway.publish(counts(1, 30))
            await has(database, 30)
            await asyncio.to_thread(server.kill)
            await gateway.publish(counts(31, 60))
            await until(lambda: running.stats().store_outages == 1, timeout_s=90)
            await asyncio.to_thread(server.start)
            await has(database, 60)


async def test_the_shifts_are_planned_when_it_starts(
    at: BrokerSettings, database: Database
) -> None:
    days = "SELECT MIN(production_date), MAX(production_date), COUNT(*) FROM shift_window"
    async with historian(at, database.url):
        await until(lambda: database.query(days)[0][2] > 0)
    first, last, count = database.query(days)[0]
    assert timedelta(days=count - 1).days > 92 + 12
    assert first < last
