"""A driver that blocks the loop or breaks, in a process that a service manager watches over."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import troubled_driver
from tests.support.collecting import GATEWAY
from tests.support.config_site import write_site
from tests.support.gateway_process import ServiceProcess
from tests.support.modbus_device import COIL, HR, Device, device
from tests.support.notified import Manager, manager
from tests.support.until import until

pytestmark = pytest.mark.timeout(400)

Record = Callable[[str, object], None]
WATCHDOG_S = 1.5
LONG_S = 30.0
TROUBLED = """\
equipment: press-07
area: stamping
line: line-1
links: {{plc: {{protocol: troubled, directory: "{directory}"}}}}
tags: {{run: {{}}}}
status: [{{state: running, when: run}}]
"""
HEALTHY = """\
equipment: press-08
area: stamping
line: line-1
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, poll_interval_ms: 100}}
tags: {{run: {{address: "coil:0"}}, parts: {{address: "hr:0", type: uint16}}}}
status: [{{state: running, when: run}}]
counters: {{good: {{tag: parts, kind: good, modulus: 65536, max_rate_per_s: 100}}}}
"""


@dataclass
class Watched:
    """A collector with a troubled and a healthy machine, and what systemd would hear."""

    directory: Path
    service: ServiceProcess
    manager: Manager
    plc: Device

    def heard(self) -> list[bytes]:
        """Return what was said since the last call."""
        return self.manager.heard()

    def log(self) -> str:
        return self.service.log.read_text(encoding="utf-8")

    def total(self, equipment: str) -> int:
        journal = self.directory / "data/journal.db"
        query = (
            "SELECT max(json_extract(CAST(data AS TEXT), '$.total')) FROM event WHERE equipment = ?"
        )
        try:
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
                (total,) = connection.execute(query, (equipment,)).fetchone()
        except sqlite3.OperationalError:
            return -1
        return -1 if total is None else int(total)

    async def counts(self, parts: int) -> None:
        """Let the healthy machine make parts and wait until they are in the journal."""
        self.plc.put(HR, 0, parts)
        await until(lambda: self.total("press-08") == parts, timeout_s=LONG_S)


@asynccontextmanager
async def watched(directory: Path) -> AsyncIterator[Watched]:
    python_path = troubled_driver.install(directory / "packages")
    async with device() as plc:
        plc.put(COIL, 0, 1)
        plc.put(HR, 0, 0)
        site = write_site(
            directory / "site",
            {
                "gateway.yaml": GATEWAY,
                "equipment/press-07.yaml": TROUBLED.format(directory=directory),
                "equipment/press-08.yaml": HEALTHY.format(port=plc.port),
            },
        )
        with manager(directory) as systemd:
            service = ServiceProcess(
                "collect",
                site,
                more_environment={
                    "PYTHONPATH": python_path,
                    "NOTIFY_SOCKET": systemd.address,
                    "WATCHDOG_USEC": str(round(WATCHDOG_S * 1_000_000)),
                },
            )
            try:
                await service.start()
                gateway = Watched(site, service, systemd, plc)
                await until(lambda: gateway.total("press-08") == 0, timeout_s=LONG_S)
                yield gateway
            finally:
                await service.abandon()


@pytest.mark.soak
@pytest.mark.fault(
    8,
    injection="a driver of another package sleeps for 5 s on the event loop of a running process",
    expectation="the watchdog hears no beat meanwhile, the log names the place and the time, then"
    " all goes on: every part of the other machine counted",
)
@pytest.mark.fault(
    5,
    injection="SIGTERM to the watched process",
    expectation="STOPPING is said, exit code 0 in less than 10 s",
)
async def test_a_blocked_loop_is_named_and_its_watchdog_goes_hungry(
    tmp_path: Path, record_property: Record
) -> None:
    async with watched(tmp_path) as gateway:
        await gateway.counts(1)
        said = gateway.heard()
        assert b"READY=1\nSTATUS=running: collect" in said
        await until(lambda: b"WATCHDOG=1" in gateway.heard(), timeout_s=LONG_S)
        (tmp_path / troubled_driver.BLOCK).touch()
        await until(lambda: "stands still" in gateway.log(), timeout_s=LONG_S)
        gateway.heard()
        await asyncio.sleep(1.0)  # the rest of the 5 s is longer
        assert gateway.heard() == []
        await gateway.counts(2)
        await until(lambda: b"WATCHDOG=1" in gateway.heard(), timeout_s=LONG_S)
        await until(lambda: "turns again" in gateway.log(), timeout_s=LONG_S)
        (place,) = re.findall(r"the event loop stands still; it is in (\S+ \S+)", gateway.log())
        (seconds,) = re.findall(r"the event loop turns again after ([\d.]+) s", gateway.log())
        record_property("named", place.rpartition(":")[0])
        record_property("seconds", float(seconds))
        assert place.startswith("support/troubled_driver.py:")
        assert place.endswith(" read")
        async with asyncio.timeout(10):
            await gateway.service.stop()
        assert b"STOPPING=1" in gateway.heard()


async def test_a_defect_costs_its_own_link_only(tmp_path: Path) -> None:
    async with watched(tmp_path) as gateway:
        await gateway.counts(1)
        (tmp_path / troubled_driver.BREAK).touch()
        await until(lambda: "it starts again in" in gateway.log(), timeout_s=LONG_S)
        assert "link press-07.plc failed" in gateway.log()
        assert "ZeroDivisionError: as asked for" in gateway.log()
        await gateway.counts(2)
        await gateway.counts(3)
        await gateway.service.stop()
