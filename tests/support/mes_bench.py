"""A plant, a gateway, an unruly network and the example consumer, each of which may be killed."""

import asyncio
import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gateway.demo.broker import Broker as DemoBroker
from gateway.demo.plant import PlantOptions, PlantProcess, plant
from gateway.demo.site import write_site
from gateway.settings.site import Site
from simulators.audit_states import check_offline, check_states
from simulators.audit_store import Interval, Stored
from simulators.audit_view import Findings, Kill, View
from simulators.clock import wall_seconds
from simulators.strain import Strain, strain
from tests.support.broker import Broker, mosquitto
from tests.support.gateway_process import ServiceProcess
from tests.support.ports import HOST
from tests.support.unruly_broker import Rates, UnrulyRelay, unruly_relay
from tests.support.until import until

CONSUMER = Path(__file__).parents[2] / "examples/consumer.py"
INTERVAL_MS = 200
HOLD_MS = 400
QUIET_S = 2.0
TYPES = ("status", "count")

Parts = dict[tuple[str, str, str], float]
"""(equipment, counter, order_no) -> quantity."""


@dataclass
class ConsumerProcess:
    """The example as a MES runs it."""

    port: int
    database: Path
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.database.with_suffix(".log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(CONSUMER), HOST, str(self.port), str(self.database)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """Kill it with SIGKILL; it must have lived until now."""
        process, self._process = self._process, None
        if process is not None:
            assert process.returncode is None, self.database.with_suffix(".log").read_text("utf-8")
            process.kill()
            await process.wait()

    def query(self, query: str) -> list[Any]:
        return read(self.database, query)


@dataclass
class MesBench:
    """Everything between the machines and the MES's tables."""

    site: Site
    plant: PlantProcess
    gateway: ServiceProcess
    near: Broker
    far: Broker
    relay: UnrulyRelay
    consumer: ConsumerProcess
    strain: Strain
    problems: list[str] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.site.path(self.site.gateway.journal.path)

    def journaled(self) -> int:
        ((head,),) = read(self.journal, "SELECT max(seq) FROM event") or [(0,)]
        return head or 0

    def heads(self) -> dict[str, int]:
        """Return "equipment type" -> newest streamseq of the epoch in force in the journal."""
        rows = read(self.journal, "SELECT equipment, type, streamseq FROM stream")
        return {f"{equipment} {kind}": n for equipment, kind, n in rows if kind in TYPES}

    def epochs(self) -> list[str]:
        return [epoch for (epoch,) in read(self.journal, "SELECT epoch FROM epoch ORDER BY number")]

    def booked(self) -> dict[str, int]:
        """Return the same as the consumer has booked it."""
        epoch = self.epochs()[-1]
        rows = self.consumer.query("SELECT stream, streamseq FROM stream WHERE streamseq > 0")
        return {s.partition(f" {epoch} ")[2]: n for s, n in rows if f" {epoch} " in s}

    async def more(self, events: int) -> None:
        """Wait until so many more events are committed."""
        before = self.journaled()
        await until(lambda: self.journaled() >= before + events, timeout_s=90)

    async def restart_gateway(self) -> None:
        await self.gateway.kill()
        await self.gateway.start()

    async def step_clock(self) -> None:
        """Somebody sets the gateway's clock: two hours forward, back, two hours back, right."""
        for ahead_s in (7200, 0, -7200, 0):
            told = len(self.clock_steps_journaled())
            self.gateway.set_clock(ahead_s)
            await until(partial(self._clock_steps_exceed, told), timeout_s=90)
            await self.more(30)

    def _clock_steps_exceed(self, told: int) -> bool:
        return len(self.clock_steps_journaled()) > told

    async def restart_consumer(self) -> None:
        await self.consumer.kill()
        await self.consumer.start()

    async def restart(self, broker: Broker) -> None:
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)

    async def settle(self, timeout_s: float = 200.0) -> None:
        """Wait until a frozen plant is journaled and every event of it is booked."""
        loop = asyncio.get_running_loop()
        head, since_s = -1, loop.time()

        def settled() -> bool:
            nonlocal head, since_s
            if (now := self.journaled()) != head:
                head, since_s = now, loop.time()
            return loop.time() - since_s > QUIET_S and self.booked() == self.heads()

        await until(settled, timeout_s=timeout_s)

    def parts(self) -> Parts:
        rows = self.consumer.query("SELECT equipment, counter, order_no, quantity FROM parts")
        return {(equipment, counter, order): n for equipment, counter, order, n in rows if n}

    def parts_journaled(self) -> Parts:
        """Return the same by the deltas in the journal."""
        parts: Parts = defaultdict(float)
        query = "SELECT equipment, data FROM event WHERE type = 'count'"
        for equipment, data in read(self.journal, query):
            count = json.loads(data)
            order = count["order"]["order_no"] if count["order"] else ""
            parts[equipment, count["counter"], order] += count["delta"]
        return {key: quantity for key, quantity in parts.items() if quantity}

    def states(self) -> dict[str, list[tuple[str, str, str]]]:
        """Return equipment -> (epoch, state, since) in the order of the series."""
        query = "SELECT equipment, epoch, state, since FROM state ORDER BY epoch, seq"
        return _by_equipment(self.consumer.query(query))

    def states_journaled(self) -> dict[str, list[tuple[str, str, str]]]:
        """Return the same as it stands in the journal."""
        query = (
            "SELECT equipment, e.epoch, data ->> 'state', data ->> 'since'"
            " FROM event JOIN epoch AS e ON e.number = event.epoch"
            " WHERE type = 'status' AND NOT local AND NOT data ->> 'repeat' ORDER BY seq"
        )
        return _by_equipment(read(self.journal, query))

    def clock_steps_journaled(self) -> list[int]:
        """Return what the gateway noticed of its clock being set, in milliseconds forward."""
        query = "SELECT data ->> '$.clock.offset_ms' FROM event WHERE type = 'health'"
        return [step for (step,) in read(self.journal, query) if step is not None]

    def check_abutting(self) -> None:
        """No state of the consumer ends before it began."""
        self.problems += [
            f"{equipment}: {state} since {since} until {until}"
            for equipment, state, since, until in self.consumer.query(
                "SELECT equipment, state, since, until FROM state_interval WHERE until < since"
            )
        ]

    def refused(self) -> dict[tuple[str, str], float]:
        """Return what the gateway says it did not book, by (equipment, counter)."""
        refused: dict[tuple[str, str], float] = defaultdict(float)
        for equipment, data in read(
            self.journal, "SELECT equipment, data FROM event WHERE type = 'count'"
        ):
            count = json.loads(data)
            refused[equipment, count["counter"]] += count["refused"]
        return refused

    async def check(self, *, overloaded: bool = False) -> None:
        """Hold the consumer's tables against what could be known of the plant.

        On an ``overloaded`` machine samples come so late that a fast counter may have lapped:
        what is not booked must stand in ``refused`` to the last part.
        """
        truth = await self.plant.truth()
        refused = self.refused() if overloaded else {}
        booked: dict[tuple[str, str], float] = defaultdict(float)
        for (equipment, counter, _), quantity in self.parts().items():
            booked[equipment, counter] += quantity
        for name, machine in truth["machines"].items():
            for counter, seen in machine["observable"]["counters"].items():
                key = name, counter
                here = round(booked.pop(key, 0) + refused.get(key, 0), 6)
                if here != seen["total"]:
                    self.problems.append(f"{name} {counter}: {here}, not {seen['total']}")
        self.problems += [f"{key}: nobody made that" for key in booked]

    async def check_states(self) -> None:
        """Hold the consumer's intervals against what could be known of the plant."""
        truth, found = await self.plant.truth(), Findings()
        kills = [Kill(down.timestamp(), up.timestamp()) for down, up in self.gateway.kills]
        for name, machine in truth["machines"].items():
            late_s = self.strain.late_s + truth["late_s"]
            view = View(name, machine, truth, kills, INTERVAL_MS / 1000, late_s)
            stored = Stored(intervals=self._intervals(name))
            check_states(view, stored, found)
            check_offline(view, stored, found)
        self.problems += [*found.missing, *found.duplicated, *found.wrong, *found.not_admitted]

    def _intervals(self, equipment: str) -> list[Interval]:
        rows = self.consumer.query(
            "SELECT equipment, state, since, until FROM state_interval ORDER BY epoch, seq"
        )
        return [
            Interval(state, wall_seconds(since), None if end is None else wall_seconds(end))
            for name, state, since, end in rows
            if name == equipment
        ]


def _by_equipment(rows: list[Any]) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for equipment, epoch, state, since in rows:
        found[equipment].append((epoch, state, since))
    return dict(found)


def read(database: Path, query: str) -> list[Any]:
    """Return the rows; none as long as there is no such table."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


@asynccontextmanager
async def mes_bench(
    directory: Path, seed: int, rates: Rates | None = None, *, clock_may_step: bool = False
) -> AsyncIterator[MesBench]:
    options = PlantOptions(scenario="kill", seed=seed, interval_ms=INTERVAL_MS, hold_ms=HOLD_MS)
    with mosquitto() as near, mosquitto(extra=["max_queued_messages 50"]) as far:
        async with (
            plant(options, directory) as machines,
            unruly_relay(near.port, far.port, seed, rates) as relay,
            strain(directory) as late,
        ):
            broker = DemoBroker("mosquitto", near.port)
            site = await asyncio.to_thread(
                write_site, directory / "site", machines.links, broker, options
            )
            gateway = ServiceProcess("collect", site.directory, clock_may_step=clock_may_step)
            consumer = ConsumerProcess(far.port, directory / "mes.db")
            bench = MesBench(site, machines, gateway, near, far, relay, consumer, late)
            try:
                yield bench
            finally:
                await consumer.kill()
                await gateway.abandon()
