"""The example consumer's tables are those of the plant, whatever happens on the way."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import BrokerSettings, Session
from tests.support.broker import mosquitto
from tests.support.mes_bench import CONSUMER, ConsumerProcess, MesBench, mes_bench
from tests.support.unruly_broker import Rates
from tests.support.until import until

pytestmark = pytest.mark.alone

ORDER_TOPIC = "mg/v1/demo/stamping/line-1/{}/cmd/order"


async def _order(bench: MesBench, equipment: str, order_no: str) -> None:
    """Set an order as a MES does over a bad network: repeat it until it is in force."""
    command = orjson.dumps({"command_id": f"{equipment}-{order_no}", "order_no": order_no})
    settings, session = BrokerSettings(port=bench.far.port), Session(client_id="planner")

    def obeyed() -> bool:
        return any(order == order_no for (_, _, order) in bench.parts_journaled())

    async with connect(settings, session) as link:
        for _ in range(50):
            await link.publish(ORDER_TOPIC.format(equipment), command)
            try:
                await until(obeyed, timeout_s=1.0)
            except TimeoutError:
                continue
            return
    pytest.fail("the order is not in force")


async def _survive(bench: MesBench, disasters: int, seed: int) -> None:
    chance = random.Random(seed)
    kinds: list[Callable[[], Awaitable[None]]] = [
        bench.restart_gateway,
        bench.restart_consumer,
        lambda: bench.restart(bench.near),
        lambda: bench.restart(bench.far),
    ]
    if bench.gateway.clock_may_step:
        kinds.append(bench.step_clock)
    script = (kinds * disasters)[:disasters]
    chance.shuffle(script)
    await bench.gateway.start()
    await bench.consumer.start()
    await _order(bench, "conveyor-01", "WO-1")
    for disaster in script:
        await bench.more(chance.randint(30, 90))
        await disaster()
    await _order(bench, "conveyor-01", "WO-2")
    await bench.plant.freeze()
    await bench.settle()


def _judge(bench: MesBench) -> None:
    assert bench.problems == []
    assert bench.consumer.query("SELECT * FROM lost") == []
    assert sum(bench.parts().values()) > 100
    assert min(bench.relay.lost, bench.relay.doubled, bench.relay.held) > 0


async def _restore_an_older_backup(bench: MesBench) -> None:
    """Put back a copy of the journal made some time ago, as after a changed disk."""
    await bench.gateway.start()
    await bench.consumer.start()
    await bench.more(100)
    backup = bench.journal.with_name("backup.db")
    await asyncio.to_thread(_copy, bench.journal, backup)
    copied = bench.journaled()
    await bench.more(50)
    await bench.plant.freeze()
    await bench.settle()
    await _heard_beyond(bench, copied)
    await bench.gateway.kill()
    for suffix in ("", "-wal", "-shm"):
        bench.journal.with_name(bench.journal.name + suffix).unlink(missing_ok=True)
    shutil.copy(backup, bench.journal)
    await bench.gateway.start()
    await until(lambda: len(bench.epochs()) > 1, timeout_s=90)
    await bench.settle()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as journal, closing(sqlite3.connect(target)) as copy:
        journal.backup(copy)


async def _heard_beyond(bench: MesBench, seq: int) -> None:
    """Wait for a fresh word of the gateway that is beyond its old backup: its last one."""
    asked = datetime.now(UTC)
    health = "mg/v1/demo/_gateways/gw-01/health"
    session = Session(client_id="witness")
    async with connect(BrokerSettings(port=bench.near.port), session) as link:
        await link.subscribe([health])
        async with asyncio.timeout(60):
            while True:
                for message in await link.receive(10):
                    link.ack(message)
                    said = orjson.loads(message.payload)
                    newest = max(said["last_seq"].values())
                    if newest > seq + 20 and datetime.fromisoformat(said["at"]) > asked:
                        return


def test_the_example_is_short_and_needs_nothing_of_ours() -> None:
    source = CONSUMER.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 150
    assert "gateway." not in source
    assert "drivers." not in source


EVENT: dict[str, Any] = {
    "id": "t5k2m0-9f3a-1",
    "source": "/demo/gateways/gw-01",
    "type": "millgate.status.v1",
    "subject": "demo/stamping/line-1/press-01",
    "epoch": "t5k2m0-9f3a",
    "streamseq": 1,
    "data": {"order": None, "repeat": False, "state": "idle", "since": "2026-03-20T01:00:00.000Z"},
}
DATA = EVENT["data"]
CHANGES: list[dict[str, Any]] = [
    {"id": 1},
    {"id": "t5k2m0-9f3a-99999999999999999999"},
    {"streamseq": 2**64 - 1},
    {"streamseq": {}},
    {"subject": "demo"},
    {"data": None},
    {"data": {}},
    {"data": DATA | {"since": {}}},
    {"data": DATA | {"state": ["idle"]}},
]
UNFIT = [
    b"",
    b"\xff",
    b"[" * 100_000,
    b"7",
    *(orjson.dumps(EVENT | change) for change in CHANGES),
]


async def test_it_does_not_die_of_what_it_receives(tmp_path: Path) -> None:
    """Nor of two facts of one name: the first stands."""
    twice = [
        EVENT,
        EVENT | {"streamseq": 2, "data": DATA | {"state": "fault"}},
        EVENT | {"streamseq": 3, "id": "t5k2m0-9f3a-2", "data": DATA | {"state": "running"}},
    ]
    evt = "mg/v1/demo/stamping/line-1/press-01/evt/status"
    gateway = "mg/v1/demo/_gateways/gw-01/"
    with mosquitto() as broker:
        consumer = ConsumerProcess(broker.port, tmp_path / "mes.db")
        await consumer.start()
        settings = BrokerSettings(port=broker.port)
        async with connect(settings, Session(client_id="nonsense")) as link:
            birth = orjson.dumps({"epoch": EVENT["epoch"]})
            await link.publish(gateway + "birth", birth, retain=True)
            await until(lambda: consumer.query("SELECT 1 FROM series"), timeout_s=90)
            for payload in UNFIT:
                for topic in (evt, gateway + "health", gateway + "birth", gateway + "reply/x"):
                    await link.publish(topic, payload)
            for event in twice:
                await link.publish(evt, orjson.dumps(event))
            seen = "SELECT state FROM state ORDER BY seq"
            try:
                await until(lambda: consumer.query(seen) == [("idle",), ("running",)], timeout_s=90)
            finally:
                await consumer.kill()


@pytest.mark.timeout(900)
async def test_its_tables_are_right_after_every_kind_of_disaster(tmp_path: Path) -> None:
    async with mes_bench(tmp_path, seed=3) as bench:
        await _survive(bench, 8, seed=3)
        assert bench.parts() == bench.parts_journaled()
        await bench.check(overloaded=True)
        await bench.check_states()
        _judge(bench)


@pytest.mark.timeout(900)
@pytest.mark.fault(
    23,
    injection="the wall clock of the collecting process is set two hours forward, back, two hours"
    " back, right again (libfaketime), while machines run",
    expectation="each step is told, every part is booked once, states come in order and abut",
)
async def test_a_stepped_clock_changes_no_count_and_no_order_of_states(tmp_path: Path) -> None:
    """The stamps go with the clock: states are held against the journal, not the plant."""
    async with mes_bench(tmp_path, seed=4, clock_may_step=True) as bench:
        await _survive(bench, 5, seed=4)
        assert bench.parts() == bench.parts_journaled()
        assert bench.states() == bench.states_journaled()
        bench.check_abutting()
        steps = bench.clock_steps_journaled()
        assert {round(step / 1000) for step in steps} == {7200, -7200}
        await bench.check(overloaded=True)
        _judge(bench)


@pytest.mark.timeout(900)
@pytest.mark.fault(
    20,
    injection="the gateway is stopped and an older copy of its journal put in its place",
    expectation="a new epoch begins, nothing is booked twice, no id names two facts",
)
async def test_a_journal_from_an_older_backup_books_nothing_twice(tmp_path: Path) -> None:
    async with mes_bench(tmp_path, seed=5) as bench:
        await _restore_an_older_backup(bench)
        assert len(bench.epochs()) == 2
        await bench.check()
        await bench.check_states()
        bench.check_abutting()
        _judge(bench)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20))
async def test_its_tables_are_right_after_many_disasters(tmp_path: Path, seed: int) -> None:
    async with mes_bench(tmp_path, seed=100 + seed, rates=Rates(0.2, 0.2, 0.3)) as bench:
        await _survive(bench, 40, seed)
        assert bench.parts() == bench.parts_journaled()
        await bench.check(overloaded=True)
        await bench.check_states()
        _judge(bench)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10))
async def test_its_counts_are_right_under_a_clock_that_steps(tmp_path: Path, seed: int) -> None:
    rates = Rates(0.2, 0.2, 0.3)
    async with mes_bench(tmp_path, seed=200 + seed, rates=rates, clock_may_step=True) as bench:
        await _survive(bench, 30, seed)
        assert bench.parts() == bench.parts_journaled()
        assert bench.states() == bench.states_journaled()
        bench.check_abutting()
        await bench.check(overloaded=True)
        _judge(bench)
