import asyncio
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.app import watched
from gateway.app.running import Part, Running, run
from gateway.app.watched import WRITER_SILENT_S, journal_check
from gateway.journal.journal import Journal
from gateway.settings.load import load
from gateway.settings.site import Site
from tests.support.config_site import write_site
from tests.support.ports import free_port
from tests.unit.app.test_history import SITE


def site(directory: Path, metrics: str) -> Site:
    gateway = SITE["gateway.yaml"] + f"mqtt: {{port: {free_port()}}}\nweb: {{enabled: false}}\n"
    return load(write_site(directory, {**SITE, "gateway.yaml": gateway + metrics}))


async def page(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return text


async def test_a_running_site_tells_of_all_its_parts(tmp_path: Path) -> None:
    shown: list[str] = []

    def ready(running: Running) -> None:
        async def look() -> None:
            assert running.metrics_port is not None
            shown.append(await page(running.metrics_port))
            running.stopping.set()

        tasks.append(asyncio.ensure_future(look()))

    tasks: list[asyncio.Future[None]] = []
    await run(site(tmp_path, "metrics: {port: 0}\n"), Part, on_ready=ready)
    await asyncio.gather(*tasks)
    lines = shown[0].splitlines()
    for line in (
        'millgate_link_up{link="press-07.plc"} 0.0',
        "millgate_publish_connected 0.0",
        "millgate_historian_connected 0.0",
        "millgate_loop_blocked_total 0.0",
    ):
        assert line in lines
    assert any(line.startswith("millgate_journal_commit_seconds_bucket{le=") for line in lines)
    assert any(line.startswith('millgate_journal_bytes{file="wal"} ') for line in lines)


@pytest.mark.parametrize("asked", ["", "metrics: {{port: {port}}}\n"])
async def test_without_a_port_the_site_runs_all_the_same(
    tmp_path: Path, asked: str, caplog: pytest.LogCaptureFixture
) -> None:
    def ready(running: Running) -> None:
        assert running.metrics_port is None
        running.stopping.set()

    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with caplog.at_level(logging.ERROR):
        await run(site(tmp_path, asked.format(port=port)), [Part.COLLECT], on_ready=ready)
    taken.close()
    said = [record.getMessage() for record in caplog.records if record.name == watched.__name__]
    assert [sentence.partition(":")[0] for sentence in said] == (["no metrics"] if asked else [])


def journal(silent_s: float) -> Any:
    pulse = SimpleNamespace(turned_mono_s=time.monotonic() - silent_s)
    return SimpleNamespace(pulse=lambda: pulse)


def test_a_writer_that_does_not_come_back_is_not_well() -> None:
    assert journal_check(cast("Journal", journal(1.0)))() is None
    said = journal_check(cast("Journal", journal(WRITER_SILENT_S + 7.0)))()
    assert said == "its writer has not come back from the disk for 27 s"
