"""What happens to the process: killed at the worst moment, paused, started twice, told to end."""

import asyncio
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gateway.journal import schema
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.journal.schema import MIGRATIONS, connect_writer, migrate
from tests.support.broker import Broker, broker
from tests.support.clock import MORNING
from tests.support.gateway_process import ServiceProcess
from tests.support.journal import count, entry, open_journal
from tests.support.lone_site import lone_site
from tests.support.plant_bench import plant_bench
from tests.support.powercut import cuts, trace
from tests.support.publishing import EVENTS, Ear, listening, settings_for
from tests.support.until import until

__all__ = ["broker"]

SENT_S = 0.2
PAUSE_S = 60.0
BLOCKED_S = 30.0
END_S = 10.0
BACKLOG = 20_000
SMALL = Limits(ballast_bytes=0)
Record = Callable[[str, object], None]


def marks(journal: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT name, value FROM mark").fetchall())


def delivered(journal: Path) -> int:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        (seq,) = connection.execute("SELECT seq FROM cursor WHERE name = 'mqtt'").fetchone()
    return int(seq)


def sent_twice(ear: Ear) -> int:
    ids = Counter((event["source"], event["id"]) for event in ear.events())
    return sum(number > 1 for number in ids.values())


@pytest.mark.timeout(400)
@pytest.mark.fault(
    2,
    injection="kill -9 after events were sent and before the broker, stopped for that time,"
    " confirms them; it delivers them nevertheless",
    expectation="sent again under the same id, stored once, nothing lost",
)
async def test_what_was_delivered_and_not_noted_is_sent_again_and_stored_once(
    tmp_path: Path, record_property: Record
) -> None:
    async with plant_bench(tmp_path, "kill", 3) as gateway:
        async with listening(settings_for(gateway.broker), "mg/v1/+/+/+/+/evt/#") as ear:
            await gateway.collector.start()
            await until(lambda: len(ear.messages) > 100, timeout_s=90)
            gateway.broker.suspend()
            await gateway.committed_more()
            await asyncio.sleep(SENT_S)
            await gateway.collector.kill()
            gateway.broker.resume()  # it finds what was sent to it, and delivers that
            await gateway.collector.start()
            await until(lambda: sent_twice(ear), timeout_s=90)
            record_property("sent twice", sent_twice(ear))
            await gateway.settle()
        await gateway.collector.stop()
        assert gateway.stored_twice() == 0
        assert (await gateway.audited()).problems == []


def _with_all_parts(site: Path) -> None:
    """Let `run` have the historian and the screens, too."""
    gateway = site / "gateway.yaml"
    text = gateway.read_text(encoding="utf-8")
    for off, on in {
        "historian: {enabled: false}": "historian: {enabled: true}",
        "web: {enabled: false}": "web: {port: 0}",
    }.items():
        assert off in text
        text = text.replace(off, on)
    gateway.write_text(text, encoding="utf-8")


async def _backlog(journal: Path) -> None:
    journal.parent.mkdir()
    async with open_journal(journal) as opened:
        for first in range(1, BACKLOG, 1000):
            counts = [count(total) for total in range(first, first + 1000)]
            await opened.append([Entry("press-07", counts)])


@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.fault(
    5,
    injection="SIGTERM to `collect`, then to `run` with all its parts, while the broker is stopped"
    " (SIGSTOP) with most of 20,000 rows still to deliver, and the machine does not answer",
    expectation="ends in less than 10 s, exit code 0, marked as ended in order, nothing left in the"
    " log of the database",
)
@pytest.mark.parametrize("parts", ["collect", "run"])
async def test_sigterm_ends_in_order_whoever_does_not_answer(
    broker: Broker, tmp_path: Path, record_property: Record, parts: str
) -> None:
    _with_all_parts(lone_site(tmp_path, broker_port=broker.port))
    journal = tmp_path / "data/journal.db"
    await _backlog(journal)
    service = ServiceProcess(parts, tmp_path)
    try:
        await service.start()
        async with listening(settings_for(broker), EVENTS) as ear:
            await service.ready()
            await until(lambda: ear.messages, timeout_s=90)
            broker.suspend()
        assert marks(journal)["clean"] == 0
        began_s = time.monotonic()
        await service.stop()
        took_s = time.monotonic() - began_s
    finally:
        broker.resume()
        await service.abandon()
    log = journal.with_name("journal.db-wal")
    assert not log.exists() or log.stat().st_size == 0
    assert marks(journal)["clean"] == 1
    assert marks(journal)["alive_ms"] > (time.time() - 60) * 1000
    assert delivered(journal) < BACKLOG
    record_property(f"seconds to the end of {parts}", round(took_s, 1))
    assert took_s < END_S


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.fault(
    6,
    injection="SIGSTOP of the collecting process for 60 s, then SIGCONT",
    expectation="an offline interval of that time, every part counted once",
)
async def test_a_paused_process_says_that_it_saw_nothing(tmp_path: Path) -> None:
    async with plant_bench(tmp_path, "kill", 5) as gateway:
        await gateway.collector.start()
        await gateway.committed_more()
        with gateway.collector.paused():
            await asyncio.sleep(PAUSE_S)
        await gateway.committed_more()
        await gateway.settle()
        await gateway.collector.stop()
        report = await gateway.audited()
    assert report.problems == []


@pytest.mark.fault(
    8,
    injection="the event loop does nothing until it is so",
    expectation="what was handed to the writer is committed meanwhile",
)
async def test_the_writer_commits_while_the_loop_is_blocked(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path) as journal:
        await journal.append([entry(total=1)])
        waiting = journal.append_soon([entry(total=2)])
        for _ in range(10):
            await asyncio.sleep(0)  # the turns in which the loop hands over
        with JournalReader(path) as beside:
            deadline_s = time.monotonic() + BLOCKED_S
            while beside.head() < 2:
                assert time.monotonic() < deadline_s, "the writer waited for the loop"
                time.sleep(0.01)  # noqa: ASYNC251 - blocking the loop is the point
        assert not waiting.done(), "nobody can have told the loop"
        assert await waiting == [2]


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.fault(
    22,
    injection="the collecting process may open no more files (prlimit); its broker restarts",
    expectation="collecting goes on, the broker is reached when there are descriptors again,"
    " nothing is lost",
)
async def test_without_descriptors_collecting_goes_on(tmp_path: Path) -> None:
    async with plant_bench(tmp_path, "kill", 13) as gateway:
        await gateway.collector.start()
        await until(lambda: gateway.stored() > 100, timeout_s=30)
        with gateway.collector.no_more_files():
            await asyncio.to_thread(gateway.broker.kill)
            await asyncio.to_thread(gateway.broker.start)
            stored = gateway.stored()
            await gateway.more(100)
            assert gateway.stored() <= stored + 100  # what was on its way
        await gateway.settle()
        await gateway.collector.stop()
        report = await gateway.audited()
    assert report.problems == []


def _of_version_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as past:
        past.setattr(schema, "MIGRATIONS", MIGRATIONS[:1])
        connection = connect_writer(path)
        migrate(connection)
        connection.execute("INSERT INTO state VALUES ('press-07', x'30')")
        connection.close()


@pytest.mark.timeout(400)
@pytest.mark.fault(
    10,
    injection="the system calls of a start that brings an old journal forward, cut off at each"
    " of them, as a kill or a power cut does",
    expectation="the old or the new schema, nothing lost; the next start goes on",
)
def test_a_migration_cut_off_leaves_one_version_or_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, spare = tmp_path / "disk", tmp_path / "spare"
    place.mkdir()
    _of_version_one(place / "j.db", monkeypatch)
    shutil.copytree(place, spare)
    worker = [sys.executable, "-m", "tests.support.journal_worker", str(place / "j.db"), "1"]
    calls = trace(worker, tmp_path / "strace", below=place)
    before = {str(place / file.name): file.read_bytes() for file in spare.iterdir()}
    versions: Counter[int] = Counter()
    for number, cut in enumerate(cuts(calls, 60, Random(3), before)):
        there = tmp_path / f"cut-{number}"
        there.mkdir()
        for path, content in cut.files.items():
            (there / Path(path).name).write_bytes(content)
        with closing(sqlite3.connect(there / "j.db")) as found:
            versions[schema.version_of(found)] += 1
        ledger, _ = open_ledger(
            there / "j.db", at=MORNING, limits=SMALL, randbelow=Random(1).randrange
        )
        assert ledger.states["press-07"].isdigit()
        assert schema.version_of(ledger.connection) == len(MIGRATIONS)
        ledger.close(MORNING)
        assert not list(there.glob("*.damaged-*"))
    assert {1, len(MIGRATIONS)} <= set(versions) <= set(range(1, len(MIGRATIONS) + 1))


@pytest.mark.timeout(400)
@pytest.mark.fault(
    11,
    injection="the collecting process is started twice on one directory",
    expectation="the second ends with exit code 1 and says why; the first goes on",
)
async def test_a_second_instance_ends_and_says_why(broker: Broker, tmp_path: Path) -> None:
    lone_site(tmp_path, broker_port=broker.port)
    first, second = ServiceProcess("collect", tmp_path), ServiceProcess("collect", tmp_path)
    try:
        await first.start()
        await until(lambda: (tmp_path / "data/control.sock").exists(), timeout_s=90)
        await second.start()
        assert await second.ended() == 1
        assert "another gateway process is using this journal" in second.log.read_text("utf-8")
        alive_ms = marks(tmp_path / "data/journal.db")["alive_ms"]
        await until(
            lambda: marks(tmp_path / "data/journal.db")["alive_ms"] > alive_ms, timeout_s=30
        )
        await first.stop()
    finally:
        await second.abandon()
        await first.abandon()
