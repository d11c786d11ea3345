"""MQTT to the store, through everything that may go wrong between them."""

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.historian.asking import Asker
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, InfluxSettings, SqlSettings
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.wire.cloudevent import Envelope
from tests.support.broker import Broker, mosquitto
from tests.support.scripted_gateway import ROOT, TOPICS, ScriptedGateway
from tests.support.stores import (
    EPOCH,
    START,
    VictoriaMetrics,
    count_data,
    envelope,
    status_data,
    victoria_metrics,
)
from tests.support.until import until

OTHER_EPOCH = "t5k2m1-0000"


@pytest.fixture
def broker() -> Iterator[Broker]:
    with mosquitto(extra=["max_queued_messages 200"]) as running:
        yield running


@pytest.fixture
def at(broker: Broker) -> BrokerSettings:
    return BrokerSettings(host=broker.host, port=broker.port)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


class Site:
    """One historian that can be stopped and started again, and what is in its store."""

    def __init__(self, at: BrokerSettings, path: Path, *charts: InfluxSettings) -> None:
        self.path = path
        record = SqlSettings(url=f"sqlite:///{path}")
        stores: tuple[SqlSettings | InfluxSettings, ...] = (record, *charts)
        self.settings = HistorianSettings(broker=at, site="plant", stores=stores)
        self.historian = self._new()

    def _new(self) -> Historian:
        return Historian(
            self.settings,
            open_store=lambda: SqlStore.open(f"sqlite:///{self.path}", busy_timeout_ms=10),
            uniform=lambda low, _high: low + 0.02,
            asker=Asker(iter_ids(), settle_s=0.2, patience_s=0.5),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Historian]:
        self.historian = self._new()
        task = asyncio.create_task(self.historian.run())
        try:
            await until(lambda: task.done() or self.historian.stats().connected)
            yield self.historian
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    def query(self, sql: str) -> list[Any]:
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def seqs(self) -> list[int]:
        return [seq for (seq,) in self.query("SELECT seq FROM event ORDER BY number")]

    def has(self, count: int) -> bool:
        return self.query("SELECT COUNT(*) FROM event") == [(count,)]

    def marks(self) -> dict[tuple[str, str], int]:
        rows = self.query("SELECT equipment, type, streamseq FROM mark")
        return {(equipment, type_): number for equipment, type_, number in rows}


def iter_ids() -> Any:
    numbers = iter(range(1_000_000))
    return lambda: f"test-{random.getrandbits(32):08x}-{next(numbers)}"


async def reporting(gateway: ScriptedGateway, condition: Callable[[], bool]) -> None:
    """Publish the health again and again, as a gateway does, until the condition is true."""
    async with asyncio.timeout(60):
        while not condition():
            await gateway.health()
            await asyncio.sleep(0.1)


@pytest.fixture
def site(at: BrokerSettings, path: Path) -> Site:
    return Site(at, path)


def counts(first: int, last: int, *, equipment: str = "press-03") -> list[Envelope]:
    return [
        envelope("count", n, n, count_data(1, n), equipment=equipment)
        for n in range(first, last + 1)
    ]


async def test_duplicates_and_disorder_leave_each_event_once(
    site: Site, at: BrokerSettings
) -> None:
    events = counts(1, 50)
    mixed = random.Random(5).choices(events, k=80) + random.Random(6).sample(events, 50)
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        await gateway.publish(mixed)
        await until(lambda: site.has(50))
        await until(lambda: site.marks() == {("press-03", "count"): 50})
    assert sorted(site.seqs()) == list(range(1, 51))


async def test_a_hole_is_asked_for_and_filled(site: Site, at: BrokerSettings) -> None:
    async with site.running() as historian, ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 30))
        await gateway.publish(counts(1, 9) + counts(20, 30))
        await until(lambda: site.has(30))
        await until(lambda: site.marks() == {("press-03", "count"): 30})
        await until(lambda: historian.stats().holes == 0)
    (request,) = gateway.requests
    assert (request["from_seq"], request["to_seq"], request["epoch"]) == (10, 19, EPOCH)


async def test_a_gap_event_accounts_for_a_hole(site: Site, at: BrokerSettings) -> None:
    data = {"stream": "count", "from_streamseq": 3, "to_streamseq": 5, "count": 3}
    gap = envelope("gap", 9, 1, data | {"reason": "retention"})
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        await gateway.publish([*counts(1, 2), *counts(6, 8), gap])
        await until(lambda: site.marks().get(("press-03", "count")) == 8)
    assert gateway.requests == []


async def test_a_request_without_an_answer_is_repeated(site: Site, at: BrokerSettings) -> None:
    async with site.running(), ScriptedGateway(at, mute=1).connected() as gateway:
        gateway.journal(*counts(1, 9))
        await gateway.publish(counts(1, 4) + counts(8, 9))
        await until(lambda: site.has(9), timeout_s=90)
    assert len(gateway.requests) == 2


async def test_what_the_journal_no_longer_has_is_a_loss_logged_once(
    site: Site, at: BrokerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.running(), ScriptedGateway(at, first_seq=6).connected() as gateway:
        gateway.journal(*counts(6, 12))
        await gateway.publish(counts(9, 12))
        await until(lambda: site.has(7))
        await until(lambda: any(request["from_seq"] == 6 for request in gateway.requests))
        # A loss is believed only after a report that is younger than the replay.
        await reporting(gateway, lambda: site.marks() == {("press-03", "count"): 12})
    assert site.query("SELECT type, from_streamseq, to_streamseq FROM loss") == [("count", 1, 5)]
    assert [r.levelno for r in caplog.records if "lost for ever" in r.message] == [logging.ERROR]


async def test_a_tail_the_broker_lost_is_found_by_the_health(
    site: Site, at: BrokerSettings
) -> None:
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 20))
        await gateway.publish(counts(1, 12))
        await gateway.health()
        await until(lambda: site.has(20))


async def test_a_new_historian_gets_the_whole_journal(site: Site, at: BrokerSettings) -> None:
    async with ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 300))
        await gateway.publish(counts(1, 300))  # nobody listens
        await gateway.health()
        async with site.running():
            await until(lambda: site.has(300))


async def test_a_backlog_that_was_not_sent_yet_is_not_asked_for(
    site: Site, at: BrokerSettings
) -> None:
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 50))
        await gateway.publish(counts(1, 10))
        await gateway.health(sent_seq=10)
        await until(lambda: site.has(10))
        await asyncio.sleep(0.6)
        assert gateway.requests == []


async def test_stopped_while_five_thousand_events_pass(site: Site, at: BrokerSettings) -> None:
    async with ScriptedGateway(at).connected() as gateway:
        async with site.running():
            gateway.journal(*counts(1, 10))
            await gateway.publish(counts(1, 10))
            await until(lambda: site.has(10))
        gateway.journal(*counts(11, 5010))
        for start in range(11, 5011, 100):
            await gateway.publish(counts(start, start + 99))
        await gateway.health()
        async with site.running():
            await until(lambda: site.has(5010), timeout_s=90)
            await until(lambda: site.marks() == {("press-03", "count"): 5010})


async def test_a_quiet_machine_beside_a_busy_one_loses_nothing(
    site: Site, at: BrokerSettings
) -> None:
    """The broker drops the quiet one's last event; the busy one's newer ones hide it."""
    async with ScriptedGateway(at).connected() as gateway:
        quiet = envelope("count", 11, 1, count_data(0, 0), equipment="oven-01")
        busy = [envelope("count", n, n - 1, count_data(1, n)) for n in range(12, 20)]
        gateway.journal(*counts(1, 10), quiet, *busy)
        async with site.running():
            await gateway.publish(counts(1, 10))
            await until(lambda: site.has(10))
        await gateway.publish(busy)
        await gateway.health()
        async with site.running():
            await until(lambda: site.has(19))


async def test_killed_between_commit_and_acknowledgement(site: Site, at: BrokerSettings) -> None:
    async with ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 40))
        async with site.running():
            pass
        store = SqlStore.open(f"sqlite:///{site.path}")
        committed = counts(1, 25)
        store.write(Batch(committed, store.ledger().plan(committed)))
        store.close()
        await gateway.publish(counts(1, 40))
        async with site.running() as historian:
            await until(lambda: historian.stats().messages >= 40)
        assert site.seqs() == list(range(1, 41))


async def test_a_locked_store_delays_and_loses_nothing(
    site: Site, at: BrokerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.running() as historian, ScriptedGateway(at).connected() as gateway:
        gateway.journal(*counts(1, 1500))
        locker = sqlite3.connect(site.path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        for start in range(1, 1500, 100):
            await gateway.publish(counts(start, start + 99))
        await until(lambda: historian.stats().store_outages == 1)
        assert site.seqs() == []
        locker.close()
        await reporting(gateway, lambda: site.has(1500))  # the first may be dropped too
        await until(lambda: site.marks() == {("press-03", "count"): 1500})
    away = [record.message for record in caplog.records if "store of record" in record.message]
    assert len(away) == 2


async def test_a_killed_broker_that_forgot_everything(
    site: Site, at: BrokerSettings, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.running() as historian:
        async with ScriptedGateway(at).connected() as gateway:
            await gateway.publish(counts(1, 5))
            await until(lambda: site.has(5))
        await asyncio.to_thread(broker.kill)
        await until(lambda: not historian.stats().connected)
        await asyncio.to_thread(broker.start)
        async with ScriptedGateway(at).connected() as gateway:
            gateway.journal(*counts(1, 30))  # 6 to 20 were confirmed and died with the broker
            await gateway.publish(counts(21, 30))
            await gateway.health()
            await until(lambda: site.has(30))
    lines = [record.message for record in caplog.records if "broker" in record.message]
    assert [line.rpartition(" is ")[2].split(":")[0] for line in lines] == ["away", "back"]


async def test_two_epochs_are_two_series(site: Site, at: BrokerSettings) -> None:
    new = [envelope("count", n, n, count_data(1, n), epoch=OTHER_EPOCH) for n in range(1, 6)]
    async with site.running():
        async with ScriptedGateway(at).connected() as gateway:
            await gateway.publish(counts(1, 8))
        async with ScriptedGateway(at, epoch=OTHER_EPOCH).connected() as gateway:
            gateway.journal(*new)
            await gateway.publish([new[0], new[4]])
            await until(lambda: site.has(13))
    marks = site.query("SELECT epoch, streamseq FROM mark ORDER BY epoch")
    assert marks == [(EPOCH, 8), (OTHER_EPOCH, 5)]


async def test_births_fill_the_dictionary(site: Site, at: BrokerSettings) -> None:
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        birth = {"name": {"zh": "7号冲床", "en": "Press 07"}, "dictionary_rev": "1"}
        await gateway.say(f"{ROOT}/plant/stamping/line-1/press-07/birth", birth)
        await gateway.say(TOPICS.birth, {"equipment": ["press-07"]})
        find = "SELECT source, equipment, subject, name_zh, name_en FROM equipment"
        await until(lambda: site.query(find))
    subject = "plant/stamping/line-1/press-07"
    assert site.query(find) == [(TOPICS.source, "press-07", subject, "7号冲床", "Press 07")]


async def test_what_is_no_event_becomes_a_dead_letter(site: Site, at: BrokerSettings) -> None:
    async with site.running() as historian, ScriptedGateway(at).connected() as gateway:
        await gateway.say(f"{ROOT}/plant/a/b/press-03/evt/count", {"no": "event"}, retain=False)
        await gateway.publish(counts(1, 1))
        await until(lambda: site.has(1))
        await until(lambda: historian.stats().dead_letters == 1)
    ((topic, payload),) = site.query("SELECT topic, payload FROM dead_letter")
    assert (topic, payload) == (f"{ROOT}/plant/a/b/press-03/evt/count", b'{"no":"event"}')


async def test_one_unstorable_event_costs_one_event(site: Site, at: BrokerSettings) -> None:
    bad = envelope("note", 500, 1, {"about": "x", "by": "y", "comment": {"not": "a text"}})
    async with site.running(), ScriptedGateway(at).connected() as gateway:
        await gateway.publish([*counts(1, 20), bad, *counts(21, 40)])
        await until(lambda: site.has(40))
        await until(lambda: ("press-03", "note") in site.marks())
    assert site.marks() == {("press-03", "count"): 40, ("press-03", "note"): 1}
    assert len(site.query("SELECT * FROM dead_letter")) == 1


@pytest.fixture
def victoria() -> Iterator[VictoriaMetrics]:
    with victoria_metrics() as server:
        yield server


async def test_charts_follow_the_record(
    at: BrokerSettings, path: Path, victoria: VictoriaMetrics
) -> None:
    charts = InfluxSettings(url=victoria.url, org="factory", bucket="millgate")
    site = Site(at, path, charts)
    states = [
        envelope("status", 31 + n, 1 + n, status_data("idle", START), at=START) for n in (0, 1)
    ]
    async with ScriptedGateway(at).connected() as gateway:
        async with site.running():
            await gateway.publish(counts(1, 10))
            await until(lambda: site.has(10))
            await asyncio.to_thread(victoria.stop)
            await gateway.publish([*counts(11, 30), *states])
            await until(lambda: site.has(32))
        await asyncio.to_thread(victoria.start)
        async with site.running() as historian:
            await until(lambda: historian.stats().charts[charts.name].number == 32)
    await until(lambda: _values(victoria, "count_total") == [float(n) for n in range(1, 31)])
    (status,) = victoria.series('status_state_code{equipment="press-03"}')
    start_ms = round(START.timestamp() * 1000)
    assert status["timestamps"] == [start_ms, start_ms + 1]
    assert status["metric"]["gateway"] == "gw-01"


def _values(victoria: VictoriaMetrics, name: str) -> list[float]:
    found = victoria.series(name)
    return found[0]["values"] if found else []
