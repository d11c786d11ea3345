"""kill -9 of the collector at random moments: the store says what could be known."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.app.running import Part, Running, run
from gateway.demo.broker import broker
from gateway.demo.plant import PlantOptions, PlantProcess, plant
from gateway.demo.site import write_site
from gateway.settings.site import Site
from simulators.audit import AuditReport, audit
from tests.support.gateway_process import ServiceProcess
from tests.support.until import until

INTERVAL_MS = 200
HOLD_MS = 400
QUIET_S = 3.0


@dataclass
class Bench:
    """A plant, a broker, a historian in this process, and a collector that can be killed."""

    site: Site
    plant: PlantProcess
    collector: ServiceProcess

    def _number(self, database: str, query: str) -> int:
        path = self.site.path(f"data/{database}.db")
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                (number,) = connection.execute(query).fetchone()
        except sqlite3.OperationalError:
            return 0
        return int(number or 0)

    def journaled(self) -> int:
        return self._number("journal", "SELECT max(seq) FROM event")

    def stored(self) -> int:
        return self._number("history", "SELECT count(*) FROM event")

    async def committed_more(self) -> None:
        """Wait until the collector committed something new."""
        before = self.journaled()
        await until(lambda: self.journaled() > before, timeout_s=20)

    def stored_twice(self) -> int:
        return self._number("history", "SELECT count(*) - count(DISTINCT source || id) FROM event")

    async def settle(self) -> None:
        """Freeze the plant and wait until everything that can be known is stored."""
        await self.plant.freeze()
        loop = asyncio.get_running_loop()
        head, since_s = -1, loop.time()

        def quiet() -> bool:
            nonlocal head, since_s
            if (now := self.journaled()) != head:
                head, since_s = now, loop.time()
            return loop.time() - since_s > QUIET_S and self.stored() >= head

        await until(quiet, timeout_s=60)

    async def audited(self) -> AuditReport:
        truth = await self.plant.truth()
        history = self.site.path("data/history.db")
        return audit(truth, history, kills=self.collector.kills, heartbeat_s=INTERVAL_MS / 1000)


@asynccontextmanager
async def bench(directory: Path, scenario: str, seed: int) -> AsyncIterator[Bench]:
    options = PlantOptions(scenario=scenario, seed=seed, interval_ms=INTERVAL_MS, hold_ms=HOLD_MS)
    async with plant(options, directory) as machines, broker(directory) as mqtt:
        site = await asyncio.to_thread(
            write_site, directory / "site", machines.links, mqtt, options
        )
        collector = ServiceProcess("collect", site.directory)
        async with _historian(site):
            try:
                yield Bench(site, machines, collector)
            finally:
                await collector.abandon()


@asynccontextmanager
async def _historian(site: Site) -> AsyncIterator[None]:
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(site, [Part.HISTORIAN], on_ready=ready.set_result))
    try:
        yield
    finally:
        (await ready).stopping.set()
        await task


async def _killed(directory: Path, times: int, seed: int) -> tuple[Bench, AuditReport]:
    chance = random.Random(seed)
    async with bench(directory, "kill", seed) as gateway:
        await gateway.collector.start()
        for _ in range(times):
            await gateway.committed_more()
            await asyncio.sleep(chance.uniform(0.0, 1.2))
            await gateway.collector.kill()
            await asyncio.sleep(chance.uniform(0.0, 0.8))
            await gateway.collector.start()
        await gateway.settle()
        await gateway.collector.stop()
        return gateway, await gateway.audited()


def _judge(gateway: Bench, report: AuditReport, times: int) -> None:
    assert report.problems == []
    assert len(gateway.collector.kills) == times
    assert report.parts_observable == report.parts_stored > 0
    assert report.states_observable == report.states_stored > 0
    assert gateway.stored_twice() == 0


@pytest.mark.timeout(240)
async def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    _judge(*await _killed(tmp_path, 20, seed=7), 20)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
async def test_a_hundred_kills_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    _judge(*await _killed(tmp_path, 20, seed=100 + seed), 20)
