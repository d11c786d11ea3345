"""The disk is full, slow, broken, read-only, or somebody sits on the file."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.journal.errors import JournalFailed
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.journal.space import WAL_MAX_BYTES
from tests.support.broker import Broker, broker
from tests.support.gateway_process import ServiceProcess
from tests.support.journal import SMALL, entry, open_journal, reading
from tests.support.journal_worker import FAILED, MACHINES, check, words
from tests.support.lone_site import lone_site
from tests.support.publishing import TOPICS, listening, publishing, settings_for
from tests.support.small_disk import fill, read_only, small_disk
from tests.support.until import until

__all__ = ["broker"]

ROUNDS = 40
TINY = 16 << 20
BALLAST = 6 << 20
"""Of the ratio that the defaults have: no less than what the log may hold."""
SLOW_US = 500_000


def work(
    place: Path, *inject: str, rounds: int = ROUNDS
) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """Let a worker append under these injected faults; return how it ended and its calls."""
    log = place.with_name("strace")
    faults = [word for one in inject for word in ("-e", f"inject={one}")]
    traced = ["-e", "trace=fdatasync,pwrite64"]
    strace = ["strace", "-f", "-y", "-o", str(log), *traced, *faults]
    worker = [sys.executable, "-m", "tests.support.journal_worker"]
    done = subprocess.run(
        [*strace, *worker, str(place / "j.db"), str(rounds)], check=False, capture_output=True
    )
    return done, log.read_text("ascii")


def check_goes_on(place: Path, done: subprocess.CompletedProcess[bytes]) -> None:
    """Nothing that was acknowledged is lost, and another start has it and goes on."""
    told = list(words(done.stdout))
    check(place / "j.db", told)
    after, _ = work(place, rounds=2)
    assert after.returncode == 0, after.stderr
    check(place / "j.db", [*told, *words(after.stdout)])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "disk"
    made.mkdir()
    return made


@pytest.mark.timeout(400)
@pytest.mark.fault(
    15,
    injection="fdatasync of the journal returns EIO (strace), at three different calls",
    expectation="the process ends; the next start checks the file, nothing acknowledged is lost",
)
@pytest.mark.parametrize("call", [20, 26, 33])
def test_a_flush_that_fails_ends_the_process(place: Path, call: int) -> None:
    done, _ = work(place, f"fdatasync:error=EIO:when={call}")
    assert done.returncode == FAILED, done.stderr
    assert b"SQLITE_IOERR" in done.stderr
    assert list(words(done.stdout))
    check_goes_on(place, done)


@pytest.mark.timeout(400)
@pytest.mark.fault(
    16,
    injection="a write to the journal's files returns EIO, or a short disk returns ENOSPC (strace)",
    expectation="EIO: the process ends, the next start goes on; ENOSPC: room is made and the"
    " append tried again; nothing acknowledged is lost",
)
@pytest.mark.parametrize(("error", "code"), [("EIO", FAILED), ("ENOSPC", 0)])
def test_a_write_that_fails(place: Path, error: str, code: int) -> None:
    done, _ = work(place, f"pwrite64:error={error}:when=300")
    assert done.returncode == code, done.stderr
    check_goes_on(place, done)


@pytest.mark.timeout(400)
@pytest.mark.fault(
    17,
    injection="each fdatasync takes 500 ms (strace)",
    expectation="callers share a flush, each waits for its own, nothing is lost",
)
def test_a_slow_disk_makes_larger_transactions(
    place: Path, record_property: Callable[[str, object], None]
) -> None:
    done, calls = work(place, f"fdatasync:delay_exit={SLOW_US}", rounds=7)
    assert done.returncode == 0, done.stderr
    told = list(words(done.stdout))
    check(place / "j.db", told)
    flushes = sum("fdatasync(" in line and "-wal>" in line for line in calls.splitlines())
    record_property("appends", len(told))
    record_property("flushes", flushes)
    assert flushes < len(told) == 7 * len(MACHINES)


@pytest.mark.fault(
    14,
    injection="somebody fills the disk while no broker is there; then room, and the broker",
    expectation="counts are kept, what went is named, all is delivered; disk_full holds until the"
    " ballast is back",
)
@pytest.mark.timeout(400)
async def test_after_a_full_disk_everything_is_delivered(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal.space.HOLD_S", 1.0)
    limits = Limits(ballast_bytes=BALLAST)
    with small_disk(tmp_path, TINY) as place:
        async with open_journal(place / "j.db", limits=limits) as journal:
            await journal.append([entry("press-03", counts=10)])
            theirs = fill(place, leave_bytes=1 << 20)
            for total in range(11, 250):
                readings = [reading(n, group="g" * 500) for n in range(30)]
                row = entry("press-03", total=total)
                await journal.append([row, Entry("press-03", readings)])
            await until(lambda: journal.standing().lost > 0)
            assert journal.standing().alarm == "disk_full"
            theirs.unlink()
            async with publishing(settings_for(broker), journal) as publisher:
                assert await publisher.drain(30)
            await until(lambda: journal.standing().alarm is None, timeout_s=20)
            assert (place / "j.db.ballast").stat().st_size == BALLAST
            rows = await journal.rows(0, 10_000)
    assert [row.streamseq for row in rows if row.type == "count"] == list(range(1, 250))
    gaps = [orjson.loads(row.data) for row in rows if row.type == "gap"]
    assert {gap["stream"] for gap in gaps} == {"reading"}


@pytest.mark.fault(
    13,
    injection="the collecting process starts on a disk without a byte",
    expectation="it waits and says so, and collects as soon as there is room",
)
@pytest.mark.timeout(400)
async def test_a_start_on_a_full_disk_waits_for_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, TINY) as place:
        site = lone_site(tmp_path / "site")
        gateway = site / "gateway.yaml"
        gateway.write_text(gateway.read_text("utf-8") + f"journal: {{path: {place}/j.db}}\n")
        theirs = fill(place)
        service = ServiceProcess("collect", site)
        try:
            await service.start()
            await until(lambda: "until there is room" in service.log.read_text(), timeout_s=30)
            theirs.unlink()
            await until(lambda: "running: collect" in service.log.read_text())
            await service.stop()
        finally:
            await service.abandon()


@pytest.mark.fault(
    12,
    injection="somebody's file takes the rest of the disk of a gateway that has just begun, its"
    " history beside its journal",
    expectation="it goes on, and health says disk_full until there is room",
)
@pytest.mark.timeout(400)
async def test_a_gateway_that_has_just_begun_survives_a_full_disk(
    broker: Broker, tmp_path: Path
) -> None:
    with small_disk(tmp_path, 80 << 20) as place:
        site = lone_site(tmp_path / "site", broker_port=broker.port)
        gateway = site / "gateway.yaml"
        text = gateway.read_text("utf-8").replace(
            "historian: {enabled: false}",
            f"historian: {{stores: [{{kind: sql, url: 'sqlite:///{place}/history.db'}}]}}",
        )
        gateway.write_text(text + f"journal: {{path: {place}/j.db}}\n")
        service = ServiceProcess("run", site)
        try:
            async with listening(settings_for(broker), TOPICS.health, client_id="alarm") as ear:

                def alarm() -> list[str | None]:
                    return [one["disk"]["alarm"] for one in ear.on(TOPICS.health)][-1:]

                await service.start()
                await service.ready()
                await until(lambda: alarm() == [None], timeout_s=60)
                told = ear.on(TOPICS.health)[-1]
                assert (told["drops"], told["merged"]) == (0, 0)
                theirs = fill(place)
                await until(lambda: alarm() == ["disk_full"], timeout_s=60)
                theirs.unlink()
                await until(lambda: (place / "j.db.ballast").stat().st_size == 32 << 20)
                assert service.runs
                await service.stop()
        finally:
            await service.abandon()


@pytest.mark.fault(
    18,
    injection="the file system is remounted read-only before a start",
    expectation="the process ends with exit code 1 and names the file",
)
@pytest.mark.timeout(400)
async def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path, TINY) as place:
        async with open_journal(place / "j.db") as journal:
            await journal.append([entry()])
        site = lone_site(tmp_path / "site")
        gateway = site / "gateway.yaml"
        gateway.write_text(gateway.read_text("utf-8") + f"journal: {{path: {place}/j.db}}\n")
        read_only(place)
        service = ServiceProcess("collect", site)
        try:
            await service.start()
            assert await service.ended() == 1
            said = service.log.read_text("utf-8")
        finally:
            await service.abandon()
    assert f"{place}/j.db" in said
    assert "Traceback" not in said


@pytest.mark.fault(
    18,
    injection="a write to the journal's files returns EROFS, as after an error (strace)",
    expectation="the process ends, nothing acknowledged is lost",
)
@pytest.mark.timeout(400)
def test_a_disk_that_turns_read_only_ends_the_process(place: Path) -> None:
    done, _ = work(place, "pwrite64:error=EROFS:when=300+")
    assert done.returncode == FAILED, done.stderr
    check(place / "j.db", list(words(done.stdout)))


def spoil(path: Path, pages: range) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * pages.start)
        file.write(Random(5).randbytes(4096 * len(pages)))


@pytest.mark.fault(
    19,
    injection="pages of the file are overwritten while it is in use; a reader meets them",
    expectation="nothing more is written; the next start puts the file aside and begins a new epoch"
    " with what can be read",
)
async def test_damage_that_a_reader_meets_is_not_written_on(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path) as journal:
        epoch = journal.epoch
        for total in range(1, 3000, 50):
            await journal.append([entry(counts=50, total=total)])
    async with open_journal(path) as journal:
        pages = path.stat().st_size // 4096
        spoil(path, range(20, pages - 2))
        with pytest.raises(JournalFailed, match="cannot be read"):
            await journal.rows(0, journal.head())
        with pytest.raises(JournalFailed):
            await asyncio.shield(journal.failed)
    async with open_journal(path, seed=2) as journal:
        assert journal.epoch != epoch
        assert journal.previous_epochs == (epoch,)
        assert journal.head() > 3000
    assert await asyncio.to_thread(lambda: list(tmp_path.glob("j.db.damaged-*")))


@pytest.mark.fault(
    21,
    injection="another program leaves a SELECT unfinished while 40 MB are written",
    expectation="alarm beyond 32 MB of log, with the name of the program; it ends with it",
)
@pytest.mark.timeout(400)
async def test_a_reader_that_does_not_finish_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path, limits=SMALL) as journal:
        await journal.append([entry()])
        holder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", HOLDER, str(path)), stdout=asyncio.subprocess.PIPE
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"reading\n"
        log = path.with_name("j.db-wal")
        heavy = reading(group="g" * 200_000)
        while log.stat().st_size < WAL_MAX_BYTES + (2 << 20):
            await journal.append([Entry("press-07", [heavy] * 20)])
        await until(lambda: "does not finish" in caplog.text, timeout_s=10)
        assert journal.standing().alarm == "log_held"
        (said,) = [record for record in caplog.records if "does not finish" in record.message]
        assert f"({holder.pid})" in str(vars(said)["users"])
        holder.kill()
        await holder.wait()
        for total in range(2, 400):
            await journal.append([entry(total=total)])  # it is put into the file by a commit
            await asyncio.sleep(0.02)
            if journal.standing().alarm is None:
                break
        assert journal.standing().alarm is None


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT * FROM event").fetchone()
print("reading", flush=True)
time.sleep(600)
"""
