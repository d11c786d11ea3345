"""A collector whose disk takes half a second for each flush."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from tests.faults.test_watchdog import HEALTHY
from tests.support.collecting import GATEWAY
from tests.support.config_site import write_site
from tests.support.gateway_process import ServiceProcess
from tests.support.modbus_device import COIL, HR, device
from tests.support.ports import free_port
from tests.support.until import until
from tests.support.within_bounds import taken

SLOW_US = 500_000
PERIOD_S = 1.0
"""Longer than a flush: who is read more often waits for what was read before to be kept."""
WATCHED_S = 15.0
KEPT = 0.8
PARTS_S = 0.05


@pytest.mark.soak
@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.fault(
    17,
    injection="each fdatasync of a collecting process takes 500 ms (strace), while a machine makes"
    " 20 parts a second and is read once a second",
    expectation="read on time (a period shorter than the flush becomes as long), memory within its"
    " bound, every part counted",
)
async def test_a_slow_disk_does_not_hold_up_reading(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    port = free_port()
    async with device() as plc:
        plc.put(COIL, 0, 1)
        plc.put(HR, 0, 0)
        files: dict[str, str | bytes] = {
            "gateway.yaml": f"{GATEWAY}metrics: {{port: {port}}}\n",
            "equipment/press-08.yaml": HEALTHY.format(port=plc.port).replace(
                "poll_interval_ms: 100", f"poll_interval_ms: {PERIOD_S * 1000:.0f}"
            ),
        }
        collector = ServiceProcess("collect", write_site(tmp_path / "site", files))
        try:
            await collector.start()
            await collector.ready()
            async with slow_flushes(collector.pid):
                before, began_s, parts = await reads(port), time.monotonic(), 0
                while time.monotonic() - began_s < WATCHED_S:
                    parts += 1
                    plc.put(HR, 0, parts)
                    await asyncio.sleep(PARTS_S)
                read = await reads(port) - before
                due = (time.monotonic() - began_s) / PERIOD_S
                (await taken(port)).judge()
            await until(lambda: counted(tmp_path / "site/data/journal.db") == parts)
            await collector.stop()
        finally:
            await collector.abandon()
    record_property("reads", round(read))
    record_property("due", round(due))
    assert read >= KEPT * due


async def reads(port: int) -> float:
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    (line,) = (one for one in text.splitlines() if one.startswith("millgate_link_replies_total{"))
    return float(line.rpartition(" ")[2])


@asynccontextmanager
async def slow_flushes(pid: int) -> AsyncIterator[None]:
    """Let each fdatasync of the process take longer, for as long as the context lasts."""
    inject = f"inject=fdatasync:delay_exit={SLOW_US}"
    strace = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject),
        *("-p", str(pid)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert strace.stderr is not None
    assert b"attached" in await strace.stderr.readline()
    try:
        yield
    finally:
        strace.terminate()  # it lets the process go
        await strace.communicate()


def counted(journal: Path) -> int:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        (total,) = connection.execute(
            "SELECT max(json_extract(CAST(data AS TEXT), '$.total')) FROM event"
        ).fetchone()
    return int(total)
