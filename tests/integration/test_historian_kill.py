"""kill -9 of a historian between its commit and the acknowledgement, while events pass.

The broker does not keep all that it should for a consumer that vanishes and returns within
moments (mosquitto 2.0.11 never sends some of it); the historian asks for what is missing.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.ops.mqtt_terms import BrokerSettings
from gateway.wire.cloudevent import Envelope
from tests.support.broker import mosquitto
from tests.support.gateway_process import ServiceProcess
from tests.support.mqtt_tap import tapping
from tests.support.scripted_gateway import ScriptedGateway
from tests.support.stores import count_data, envelope
from tests.support.until import until

KILLS = 10
AHEAD = 300
"""So many events may wait for the historian: fewer than a broker keeps for one who is away."""
CHUNK = 20
START_S = 120.0
SITE = """\
site: plant
gateway: gw-01
timezone: UTC
mqtt: {{host: 127.0.0.1, port: {port}}}
historian: {{enabled: true, stores: [{{kind: sql, url: "sqlite:///data/history.db"}}]}}
"""


@dataclass
class Bench:
    """A gateway that never stops talking, and a historian that is killed again and again."""

    directory: Path
    gateway: ScriptedGateway
    historian: ServiceProcess
    published: int = 0
    acks_to_go: int | None = None
    """The historian dies before this acknowledgement from now; None: it lives."""
    unheard: list[str] = field(default_factory=list)
    """Events whose acknowledgement the broker never got."""
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledged(self, payload: bytes) -> None:
        """Kill the historian if it is time for it; the wire ends before the acknowledgement."""
        if self.acks_to_go is None:
            return
        self.acks_to_go -= 1
        if self.acks_to_go == 0:
            self.acks_to_go = None
            self.historian.strike()
            self.unheard.append(orjson.loads(payload)["id"])
            self.struck.set()
            raise ConnectionAbortedError

    async def kill_at(self, ack: int) -> None:
        """Let it acknowledge fewer than ``ack`` more events, then start it again."""
        self.struck.clear()
        self.acks_to_go = ack
        await until(self.struck.is_set, timeout_s=START_S)
        await self.historian.kill()
        assert self.query("SELECT count(*) FROM event WHERE id = ?", self.unheard[-1]) == [(1,)]
        await self.historian.start()

    async def talk(self, ended: asyncio.Event) -> None:
        """Publish until told to end, never more than `AHEAD` events before the historian."""

        def may_go_on() -> bool:
            return ended.is_set() or self.published - self.stored() < AHEAD

        while not ended.is_set():
            await until(may_go_on, timeout_s=START_S)
            first = self.published + 1
            events = [_event(n) for n in range(first, first + CHUNK)]
            self.gateway.journal(*events)
            await self.gateway.publish(events)
            self.published += CHUNK

    async def met(self) -> None:
        """Wait until the historian listens: it has the first event, whichever copy of it."""
        async with asyncio.timeout(START_S):
            self.gateway.journal(_event(1))
            while not self.stored():
                await self.gateway.publish([_event(1)])
                await asyncio.sleep(0.1)
        self.published = 1

    def stored(self) -> int:
        try:
            return int(self.query("SELECT count(*) FROM event")[0][0])
        except sqlite3.OperationalError:  # it has not made its tables yet
            return 0

    def query(self, sql: str, *values: object) -> list[Any]:
        path = self.directory / "data/history.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()


def _event(number: int) -> Envelope:
    """The counts of two machines in turn."""
    equipment = ("press-03", "oven-01")[number % 2]
    part = (number + 1) // 2
    return envelope("count", number, part, count_data(1, part), equipment=equipment)


@asynccontextmanager
async def bench(directory: Path) -> AsyncIterator[Bench]:
    with mosquitto() as broker:
        at = BrokerSettings(host=broker.host, port=broker.port)
        gateway, historian = ScriptedGateway(at), ServiceProcess("historian", directory)
        running = Bench(directory, gateway, historian)
        async with tapping(broker.port, running.acknowledged) as port, gateway.connected():
            (directory / "gateway.yaml").write_text(SITE.format(port=port), "utf-8")
            await historian.start()
            try:
                yield running
            finally:
                await historian.abandon()


@asynccontextmanager
async def talking(running: Bench) -> AsyncIterator[None]:
    ended = asyncio.Event()
    task = asyncio.create_task(running.talk(ended), name="talk")
    try:
        yield
    finally:
        ended.set()
        await task


@pytest.mark.fault(
    2,
    injection="kill -9 of the historian, 10 times, after a commit, as its acknowledgement leaves:"
    " the broker does not hear it",
    expectation="what was committed and not acknowledged comes again and is stored once",
)
@pytest.mark.timeout(900)
async def test_ten_kills_between_commit_and_acknowledgement(tmp_path: Path) -> None:
    chance = random.Random(11)
    async with bench(tmp_path) as running:
        await running.met()
        async with talking(running):
            for _ in range(KILLS):
                await running.kill_at(chance.randint(1, 150))
        await running.gateway.health()
        await until(lambda: running.stored() >= running.published, timeout_s=START_S)
        await running.historian.stop()
    assert len(running.historian.kills) == KILLS
    seqs = [seq for (seq,) in running.query("SELECT seq FROM event ORDER BY seq")]
    assert seqs == list(range(1, running.published + 1))
    counted = "SELECT equipment, count(*), sum(delta), max(total) FROM count_event GROUP BY 1"
    for _, rows, parts, last in running.query(counted):
        assert rows == parts == last
    assert running.query("SELECT sum(delta) FROM count_event") == [(running.published,)]
    assert running.query("SELECT count(*) FROM loss") == [(0,)]
