"""The process dies while a configuration is applied: one or the other is in force, never half."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app.recovery import take_back
from gateway.control import client
from gateway.journal.lock import FileLock
from gateway.settings.files import changed
from gateway.settings.revision import Draft, Revision
from gateway.settings.revisions import Revisions, revisions_of
from tests.support.apply_worker import NEW, apply, head
from tests.support.config_site import write_site
from tests.support.gateway_process import ServiceProcess
from tests.support.modbus_device import HR, Device
from tests.support.reload_site import GATEWAY, NOBODY, devices, equipment, machine
from tests.support.until import until

START_S = 30.0


@pytest.fixture
def start(tmp_path: Path) -> Revisions:
    kept = revisions_of(write_site(tmp_path / "start"))
    kept.add(Revision(head(1), kept.on_disk()))
    return kept


@pytest.mark.fault(
    65,
    injection="kill -9 at every single step of an apply on the disk, and of taking it back",
    expectation="after the next start all files are the old ones, or the new revision is complete",
)
def test_a_kill_at_any_step_leaves_the_old_or_the_new(start: Revisions, tmp_path: Path) -> None:
    before = start.on_disk()
    after = changed(before, NEW)
    subprocess.run([sys.executable, "-m", "tests.support.apply_worker", tmp_path], check=True)
    seen: dict[int, int] = {}
    places = [place for place in tmp_path.iterdir() if place != start.directory]
    for place in places:
        take_back(place)
        kept = revisions_of(place)
        current = kept.current()
        assert current is not None, place
        assert kept.on_disk() == {1: before, 2: after}[current.number], place
        assert kept.get(current.number).files == kept.on_disk(), place
        assert not list(kept.folder.glob("pending*")), place
        assert not list(place.rglob(".*.new")), place
        seen[current.number] = seen.get(current.number, 0) + 1
    assert seen[1] > 20, seen
    assert seen[2] >= 5, seen


def test_nothing_is_taken_back_under_a_running_collector(start: Revisions) -> None:
    after = changed(start.on_disk(), NEW)
    start.begin(Revision(head(2), after), start.on_disk())
    lock = FileLock(start.journal)
    take_back(start.directory)
    assert start.on_disk() == after
    lock.release()
    take_back(start.directory)
    assert start.on_disk() != after
    apply(start)
    take_back(start.directory)
    assert start.on_disk() == after


@pytest.mark.timeout(400)
@pytest.mark.fault(
    65,
    injection="kill -9 of the collector while a changed link is waited for, after the files "
    "were written",
    expectation="the next start runs with the revision before; SIGHUP then applies edits",
)
async def test_a_killed_collector_comes_back_with_the_version_before(tmp_path: Path) -> None:
    async with devices("press-1", "press-2") as plant:
        files: dict[str, str | bytes] = {"gateway.yaml": GATEWAY.format(broker=NOBODY)}
        files |= {equipment(name): machine(name, one.port) for name, one in plant.items()}
        write_site(tmp_path, files)
        service, kept = ServiceProcess("collect", tmp_path), revisions_of(tmp_path)
        press = plant["press-1"]
        try:
            await service.start()
            await until(lambda: all(one.asked for one in plant.values()), timeout_s=START_S)
            before = kept.on_disk()
            await killed_while_it_waits(service, press)
            assert kept.on_disk() != before
            reads = len(press.asked)
            await service.start()
            await until(lambda: len(press.asked) > reads, timeout_s=START_S)
            assert (kept.on_disk(), kept.numbers()) == (before, [1])
            press.put(HR, 7, 500)
            moved = machine("press-1", press.port, ("hr:0", "hr:7"))
            (tmp_path / equipment("press-1")).write_text(moved)
            service.send(signal.SIGHUP)
            await until(lambda: kept.numbers() == [1, 2], timeout_s=START_S)
            assert kept.get(2).head.by == "SIGHUP"
            assert 7 in {asked.start for asked in press.asked}
            await service.stop()
        finally:
            await service.abandon()


async def killed_while_it_waits(service: ServiceProcess, press: Device) -> None:
    """Give it a link to where nobody answers, and kill it before it takes that back."""
    draft = Draft(1, {equipment("press-1"): machine("press-1", NOBODY).encode()}, "li")
    asking = asyncio.create_task(client.apply(service.directory / "data/control.sock", draft))
    await until(lambda: press.connections == 0, timeout_s=START_S)
    await service.kill()
    with pytest.raises(client.NoCollector):
        await asking
