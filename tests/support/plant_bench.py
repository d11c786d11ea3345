"""A plant, a broker, a historian in this process, and a collector that can be killed."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app.running import Part, Running, run
from gateway.demo.broker import Broker as DemoBroker
from gateway.demo.plant import PlantOptions, PlantProcess, plant
from gateway.demo.site import write_site
from gateway.settings.site import Site
from simulators.audit import AuditReport, audit
from simulators.strain import Strain, strain
from tests.support.broker import Broker, mosquitto
from tests.support.gateway_process import ServiceProcess
from tests.support.ports import free_port
from tests.support.until import until
from tests.support.within_bounds import Taken, taken

INTERVAL_MS = 200
HOLD_MS = 400
QUIET_S = 3.0
BEATS = 20


@dataclass
class PlantBench:
    """What runs, and what it must come to."""

    site: Site
    plant: PlantProcess
    collector: ServiceProcess
    broker: Broker
    strain: Strain
    metrics_port: int

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
        await until(lambda: self.journaled() > before, timeout_s=120)

    async def more(self, events: int) -> None:
        """Wait until so many more events are committed."""
        before = self.journaled()
        await until(lambda: self.journaled() >= before + events, timeout_s=60)

    def _journal_column(self, query: str) -> list[Any]:
        path = self.site.path("data/journal.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return [said for (said,) in connection.execute(query).fetchall()]

    def clock_steps(self) -> list[int]:
        """Return what the gateway noticed of its clock being set, in milliseconds forward."""
        query = "SELECT data ->> '$.clock.offset_ms' FROM event WHERE type = 'health' ORDER BY seq"
        return [step for step in self._journal_column(query) if step is not None]

    def time_qualities(self) -> list[str]:
        """Return what each event says of its stamp, in order."""
        return self._journal_column("SELECT data ->> 'timequality' FROM event ORDER BY seq")

    def forget_boot(self) -> None:
        """Let the collector, which does not run, find that the machine was started anew."""
        with closing(sqlite3.connect(self.site.path("data/journal.db"))) as connection:
            connection.execute("UPDATE state SET state = json_set(state, '$.boot_id', 'another')")
            connection.commit()

    async def check_counts(self) -> None:
        """Every part that could be seen is stored, and no other; whatever the stamps say."""
        report = await self.audited()
        assert report.parts_stored == report.parts_observable > 0

    async def knows_every_counter(self) -> None:
        """Wait until each has its baseline on the disk: what it counts from is no more in doubt."""
        machines = (await self.plant.truth())["machines"].values()
        counters = sum(len(machine["observable"]["counters"]) for machine in machines)
        query = (
            "SELECT count(DISTINCT equipment || ' ' || (data ->> 'counter'))"
            " FROM event WHERE type = 'count'"
        )
        await until(lambda: self._number("journal", query) >= counters, timeout_s=120)

    def stored_twice(self) -> int:
        return self._number("history", "SELECT count(*) - count(DISTINCT source || id) FROM event")

    async def settle(self) -> None:
        """Freeze the plant and wait until everything that can be known is stored.

        The collector must have kept within its bounds.
        """
        await self.plant.freeze()
        loop = asyncio.get_running_loop()
        head, since_s = -1, loop.time()

        def quiet() -> bool:
            nonlocal head, since_s
            if (now := self.journaled()) != head:
                head, since_s = now, loop.time()
            return loop.time() - since_s > QUIET_S and self.stored() >= head

        await until(quiet, timeout_s=120)
        (await self.taken()).judge()

    async def keeps_time(self) -> None:
        """Hold the collector's loop to its bound while it works; only for tests run alone."""
        before = after = await self.taken()
        late_s = 0.0
        while after.beats < before.beats + BEATS:
            late_s = max(late_s, await asyncio.to_thread(_late_s))
            after = await self.taken()
        after.judge_loop(before, late_s)

    async def taken(self) -> Taken:
        """Return what the collector takes of the machine."""
        return await taken(self.metrics_port)

    async def audited(self) -> AuditReport:
        """Hold the store against the truth; the collector was away as its process knows."""
        truth = await self.plant.truth()
        said = truth | {"kills": self.collector.kills, "strain_late_s": self.strain.late_s}
        self.site.path("truth.json").write_text(json.dumps(said, default=str), encoding="utf-8")
        history = self.site.path("data/history.db")
        return audit(
            truth,
            history,
            kills=self.collector.kills,
            heartbeat_s=INTERVAL_MS / 1000,
            late_s=self.strain.late_s,
        )


@asynccontextmanager
async def plant_bench(
    directory: Path, scenario: str, seed: int, *, clock_may_step: bool = False
) -> AsyncIterator[PlantBench]:
    options = PlantOptions(scenario=scenario, seed=seed, interval_ms=INTERVAL_MS, hold_ms=HOLD_MS)
    with mosquitto() as mqtt:
        async with plant(options, directory) as machines:
            site = await asyncio.to_thread(
                write_site,
                directory / "site",
                machines.links,
                DemoBroker("mosquitto", mqtt.port),
                options,
            )
            metrics_port = _told_at(site)
            collector = ServiceProcess("collect", site.directory, clock_may_step=clock_may_step)
            async with _historian(site), strain(directory) as late:
                try:
                    yield PlantBench(site, machines, collector, mqtt, late, metrics_port)
                finally:
                    await collector.abandon()


def _late_s() -> float:
    """Return by how much this machine is late, at worst in a second, for who only waits."""
    worst_s = 0.0
    for _ in range(20):
        began_s = time.monotonic()
        time.sleep(0.05)
        worst_s = max(worst_s, time.monotonic() - began_s - 0.05)
    return worst_s


def _told_at(site: Site) -> int:
    """Let the collector serve its metrics; return the port."""
    path, port = site.directory / "gateway.yaml", free_port()
    path.write_text(f"{path.read_text('utf-8')}metrics: {{port: {port}}}\n", encoding="utf-8")
    return port


@asynccontextmanager
async def _historian(site: Site) -> AsyncIterator[None]:
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(site, [Part.HISTORIAN], on_ready=ready.set_result))
    try:
        yield
    finally:
        (await ready).stopping.set()
        await task
