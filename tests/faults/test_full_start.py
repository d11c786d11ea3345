"""A start of everything on a disk that somebody filled: nothing ends, all comes with the room."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.gateway_process import ServiceProcess
from tests.support.lone_site import lone_site
from tests.support.notified import Manager, manager
from tests.support.small_disk import fill, small_disk
from tests.support.until import until

DISK = 64 << 20
"""More than the ballast needs."""
LONG_S = 60.0
NOBODYS = "historian: {enabled: false}\nweb: {enabled: false}\n"
EVERYTHING = "historian: {{stores: [{{kind: sql, url: 'sqlite:///{disk}/history.db'}}]}}\n"
MISSED = "until there is room"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, DISK) as place:
        yield place


@pytest.fixture
def site(disk: Path) -> Path:
    """Configuration, journal, web.db and history, all on the disk."""
    directory = lone_site(disk / "site")
    gateway = directory / "gateway.yaml"
    ours = gateway.read_text("utf-8").replace(NOBODYS, EVERYTHING.format(disk=disk))
    gateway.write_text(f"{ours}web: {{port: 0}}\n", encoding="utf-8")
    return directory


@asynccontextmanager
async def started(name: str, site: Path, logs: Path, systemd: Manager) -> AsyncIterator["Start"]:
    service = ServiceProcess(
        name, site, logs=logs, more_environment={"NOTIFY_SOCKET": systemd.address}
    )
    try:
        await service.start()
        yield Start(service)
        await service.stop()
    finally:
        await service.abandon()


class Start:
    def __init__(self, service: ServiceProcess) -> None:
        self._service = service
        self._from = service.log.stat().st_size

    def log(self) -> str:
        return self._service.log.read_bytes()[self._from :].decode()

    async def says(self, words: str) -> None:
        await until(lambda: words in self.log() or not self._service.runs, timeout_s=LONG_S)
        assert words in self.log(), self.log()


def answers(log: str) -> bool:
    (url,) = set(re.findall(r"board[\w ]*: (http\S+)", log))
    return httpx.get(url, follow_redirects=True, timeout=LONG_S).is_success


def has_heard(systemd: Manager, heard: list[bytes], *words: bytes) -> Callable[[], bool]:
    def has() -> bool:
        heard.extend(systemd.heard())
        return any(all(word in said for word in words) for said in heard)

    return has


@pytest.mark.fault(
    13,
    injection="`millgate run` starts for the first time on a disk without a byte, and again after"
    " an orderly end",
    expectation="first it waits for room, and tells the service manager; then it collects at the"
    " cost of the ballast. The screens, which need room before that, are missed once in the log and"
    " come by themselves",
)
@pytest.mark.timeout(400)
async def test_a_whole_site_starts_on_a_full_disk(site: Path, disk: Path, tmp_path: Path) -> None:
    heard: list[bytes] = []
    with manager(tmp_path) as systemd:
        theirs = fill(disk)
        async with started("run", site, tmp_path, systemd) as first:
            await first.says(f"nothing is collected {MISSED}")
            told = has_heard(systemd, heard, b"STATUS=nothing is collected")
            await until(told, timeout_s=LONG_S)
            assert any(said.startswith(b"EXTEND_TIMEOUT_USEC=") for said in heard)
            assert not has_heard(systemd, heard, b"READY=1")()
            theirs.unlink()
            await first.says("running: collect, historian, web")
            await first.says("the board answers")
            assert first.log().count(MISSED) == 2  # once for the journal, once for the screens
        fill(disk)
        async with started("run", site, tmp_path, systemd) as second:
            await second.says("running: collect, historian, web")
            await second.says("the board answers")
            assert second.log().count(f"no screens {MISSED}") == 1
            assert f"nothing is collected {MISSED}" not in second.log()
            assert answers(second.log())


@pytest.mark.fault(
    13,
    injection="`millgate web` and `historian` start on a disk without a byte",
    expectation="each says once what it misses, `web` tells the service manager as well; both go on"
    " with the room",
)
@pytest.mark.timeout(400)
async def test_services_apart_wait_for_room(site: Path, disk: Path, tmp_path: Path) -> None:
    theirs = fill(disk)
    heard: list[bytes] = []
    with manager(tmp_path) as systemd:
        async with (
            started("web", site, tmp_path, systemd) as web,
            started("historian", site, tmp_path, systemd) as historian,
        ):
            await web.says(f"no screens {MISSED}")
            await historian.says("store of record is away")
            await until(has_heard(systemd, heard, b"STATUS=no screens"), timeout_s=LONG_S)
            theirs.unlink()
            await web.says("running: web")
            await historian.says("store of record is back")
            assert answers(web.log())
        assert web.log().count(MISSED) == 1
        assert historian.log().count("store of record is away") == 1
