"""No id names two facts and no part is booked twice, whatever happens to journal and place."""

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.vocabulary import Json
from gateway.journal import transfer
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.publish.places import Places
from gateway.publish.publisher import Publisher
from gateway.wire.topics import Place
from tests.support.broker import Broker, broker
from tests.support.clock import FakeClock
from tests.support.gateway_process import ServiceProcess
from tests.support.lone_site import lone_site
from tests.support.publishing import (
    EVENTS,
    TOPICS,
    Ear,
    Rest,
    listening,
    publishing,
    settings_for,
)
from tests.support.until import until
from tests.unit.collect.test_deriver import FIRST, Bench, bench
from tests.unit.journal.test_salvage import pages_of, spoil
from tests.unit.publish.test_moves import until_retained

__all__ = ["broker"]

HERE = Places(
    TOPICS,
    {name: Place("mg/v1", "suzhou", "stamping", "_", name) for name in ("press-07", "oven-1")},
)


@asynccontextmanager
async def gateway(
    directory: Path, broker: BrokerSettings, clock: FakeClock
) -> AsyncIterator[tuple[Bench, Publisher]]:
    """Deriver, journal and publisher as they work together, over one journal."""
    await asyncio.to_thread(directory.mkdir, exist_ok=True)
    async with bench(directory, clock=clock) as at:
        rest = Rest(begin_epoch=at.deriver.begin_series)
        async with publishing(broker, at.journal, rest, places=HERE) as publisher:
            yield at, publisher


async def produced(at: Bench, parts: int) -> None:
    """The machine made parts up to this reading, at a speed that can be believed."""
    at.clock.advance(30)
    await at.observe(changed={"press-07/good_parts": parts})


class Table:
    """What a consumer books: first count of a series nothing, then total - last total."""

    def __init__(self) -> None:
        self.ids: set[tuple[str, str]] = set()
        self.booked = 0
        self._totals: dict[tuple[str, ...], int] = {}

    def book(self, events: list[Json]) -> None:
        for event in events:
            id_ = (event["source"], event["id"])
            if event["type"] != "millgate.count.v1" or id_ in self.ids:
                continue
            self.ids.add(id_)
            data = event["data"]
            series = (event["source"], event["epoch"], event["subject"], data["counter"])
            if series not in self._totals:
                assert data["anomaly"] == "baseline"
            self.booked += data["total"] - self._totals.get(series, data["total"])
            self._totals[series] = data["total"]


def facts_by_id(events: list[Json]) -> dict[str, Any]:
    """Return id -> fact; fails where one id names two."""
    found: dict[str, Any] = {}
    for event in events:
        fact = {key: value for key, value in event.items() if key != "replay"}
        assert found.setdefault(event["id"], fact) == fact
    return found


async def heard_all(ear: Ear, at: Bench, publisher: Publisher) -> None:
    await until(lambda: publisher.stats().online)
    assert await publisher.drain(10)
    last = at.journal.head()
    await until(lambda: any(one["id"] == f"{at.journal.epoch}-{last}" for one in ear.events()))


@pytest.mark.fault(
    20,
    injection="the journal is deleted and the gateway started again",
    expectation="a later epoch begins with a baseline, no id names two facts, nothing comes twice",
)
async def test_a_deleted_journal_begins_at_a_baseline(broker: Broker, tmp_path: Path) -> None:
    settings, clock = settings_for(broker), FakeClock()
    async with listening(settings, EVENTS) as ear:
        async with gateway(tmp_path / "a", settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/run": True})
            await produced(at, 160)
            await heard_all(ear, at, publisher)
            epoch = at.journal.epoch
        await asyncio.to_thread((tmp_path / "a/j.db").unlink)
        async with gateway(tmp_path / "a", settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/good_parts": 170, "press-07/run": True})
            await produced(at, 175)
            await heard_all(ear, at, publisher)
            assert at.journal.epoch > epoch
        facts_by_id(ear.events())
        table = Table()
        table.book(ear.events())
    assert table.booked == 60 + 5


@pytest.mark.fault(
    19,
    injection="a journal with events that were not sent is damaged: an index, or pages with events",
    expectation="what can be read is sent under its ids, the rest told by number; totals go on in"
    " a new epoch from a baseline; no id names two facts, no part is booked twice",
)
@pytest.mark.parametrize("table", ["event_time", "event"])
async def test_a_damaged_journal_is_sent_as_far_as_it_can_be_read(
    broker: Broker, tmp_path: Path, table: str
) -> None:
    settings, clock, path = settings_for(broker), FakeClock(), tmp_path / "a/j.db"
    async with listening(settings, EVENTS) as ear:
        async with gateway(tmp_path / "a", settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/run": True})
            await produced(at, 160)
            await heard_all(ear, at, publisher)
        async with bench(tmp_path / "a", clock=clock) as at:
            await at.observe(changed=FIRST | {"press-07/good_parts": 160, "press-07/run": True})
            for parts in range(161, 221):
                await produced(at, parts)
        await asyncio.to_thread(spoil_table, path, table)
        async with gateway(tmp_path / "a", settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/good_parts": 230, "press-07/run": True})
            await produced(at, 235)
            await heard_all(ear, at, publisher)
        told = facts_by_id(ear.events()).values()
    table_ = Table()
    table_.book(ear.events())
    gone = sum(
        fact["data"]["count"]
        for fact in told
        if fact["data"].get("reason") == "corruption" and fact["data"]["stream"] == "count"
    )
    made = 60 + 60 + 5
    assert gone == 0 if table == "event_time" else 0 < gone < 60
    assert made - gone <= table_.booked <= made  # a later total has the parts of a lost count
    (total,) = [fact["data"]["total"] for fact in told if fact["data"].get("raw") == 235]
    assert total == made


def spoil_table(path: Path, table: str) -> None:
    """Overwrite pages of a table's middle, and let the next start check the file."""
    pages = pages_of(path, table)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE mark SET value = 0 WHERE name = 'clean'")
        connection.commit()
    spoil(path, pages[-3:-1] or pages)


async def test_a_copied_journal_books_nothing_twice(broker: Broker, tmp_path: Path) -> None:
    settings, clock = settings_for(broker), FakeClock()
    original, copied = tmp_path / "a", tmp_path / "b"
    async with listening(settings, EVENTS) as ear:
        async with gateway(original, settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/run": True})
            await produced(at, 160)
            await heard_all(ear, at, publisher)
        shutil.copytree(original, copied)
        async with gateway(original, settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/good_parts": 160})
            await produced(at, 170)
            await heard_all(ear, at, publisher)
            epoch = at.journal.epoch
        async with gateway(original, settings, clock) as (at, publisher):  # its health is retained
            await heard_all(ear, at, publisher)
        async with gateway(copied, settings, clock) as (at, publisher):
            await until(lambda: at.journal.epoch != epoch)
            await at.observe(changed=FIRST | {"press-07/good_parts": 170})
            await produced(at, 175)
            await heard_all(ear, at, publisher)
            assert at.journal.previous_epochs == (epoch,)
        facts_by_id(ear.events())
        table = Table()
        table.book(ear.events())
    assert table.booked == 60 + 10 + 5


async def test_a_spare_box_goes_on_where_the_old_one_stood(broker: Broker, tmp_path: Path) -> None:
    settings, clock = settings_for(broker), FakeClock()
    archive = tmp_path / "a.mgj"
    async with listening(settings, EVENTS) as ear:
        async with gateway(tmp_path / "a", settings, clock) as (at, publisher):
            await at.observe(changed=FIRST | {"press-07/run": True})
            await produced(at, 160)
            await heard_all(ear, at, publisher)
            await asyncio.to_thread(broker.kill)
            await produced(at, 170)  # known to this box only, and to its export
            await asyncio.to_thread(
                transfer.export,
                tmp_path / "a/j.db",
                archive,
                site="suzhou",
                gateway="gw-01",
                files={},
                left_out=[],
                program="0.1.0",
                at=clock.now(),
            )
            total = at.deriver.state("press-07").durable.counters["good"].total
            epoch = at.journal.epoch
        await asyncio.to_thread(broker.start)
        heard = ear.events()
    with transfer.opened(archive, tmp_path) as (_, place):
        new = transfer.adopt(
            place / "journal.db", tmp_path / "b/j.db", reason="import", at=clock.now()
        )
    async with (
        listening(settings, EVENTS) as ear,
        gateway(tmp_path / "b", settings, clock) as (at, publisher),
    ):
        await at.observe(changed=FIRST | {"press-07/good_parts": 170})
        await produced(at, 175)
        await heard_all(ear, at, publisher)
        assert at.journal.epoch == new > epoch
        assert at.deriver.state("press-07").durable.counters["good"].total == total + 5
        heard += ear.events()
    facts_by_id(heard)
    assert {event["epoch"] for event in heard} == {epoch, new}
    table = Table()
    table.book(heard)
    assert table.booked == total + 5


@pytest.mark.timeout(400)
async def test_a_retired_equipment_leaves_nothing_at_the_broker(
    broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(broker)
    lone_site(tmp_path, broker_port=broker.port, equipment=["press-07", "press-08"])
    service = ServiceProcess("collect", tmp_path)
    try:
        await service.start()
        await until_said(settings, "mg/v1/suzhou/+/+/press-07/birth")
        assert await millgate("retire", tmp_path, "press-07") == 1, "it is configured"
        lone_site(tmp_path, broker_port=broker.port, equipment=["press-08"])
        assert await millgate("retire", tmp_path, "press-07") == 1, "it is still being read"
        await service.stop()
        await service.start()
        await until_said(settings, "mg/v1/suzhou/+/+/press-07/birth")
        await until(lambda: (tmp_path / "data/control.sock").exists(), timeout_s=90)
        assert await millgate("retire", tmp_path, "press-07") == 0
        assert await until_retained(settings, "mg/v1/suzhou/+/+/press-07/#", 0) == {}
        await until_said(settings, "mg/v1/suzhou/+/+/press-08/birth")
        await service.stop()
    finally:
        await service.abandon()


@pytest.mark.timeout(400)
async def test_a_moved_equipment_is_at_its_new_place_only(broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(broker)
    service = ServiceProcess("collect", tmp_path)
    try:
        for area in ("stamping", "welding"):
            lone_site(tmp_path, broker_port=broker.port, area=area)
            await service.start()
            await until_said(settings, f"mg/v1/suzhou/{area}/+/press-07/state/status")
            await service.stop()
        assert await until_retained(settings, "mg/v1/suzhou/stamping/#", 0) == {}
    finally:
        await service.abandon()


async def until_said(settings: BrokerSettings, topic: str) -> None:
    """Wait until something stands at ``topic``."""
    async with listening(settings, topic, client_id="waiting") as ear:
        await until(lambda: any(one.payload for one in ear.messages), timeout_s=90)


async def millgate(*arguments: object) -> int:
    """Run a command as a person does; return its exit code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway"), *(str(one) for one in arguments)
    )
    return await process.wait()
