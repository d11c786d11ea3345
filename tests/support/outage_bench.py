"""A real journal, publisher, broker, historian and store; broker, historian and store can fail.

The wire between historian and broker is tapped: ``Bench.too_early`` holds each event that was
acknowledged before it could be read in the store.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.domain.vocabulary import State
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, SqlSettings
from gateway.historian.sql import SqlStore
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.publish.publisher import Publisher
from gateway.publish.timing import Timing
from simulators.link import Link
from tests.support.broker import Broker, mosquitto
from tests.support.journal import open_journal
from tests.support.mqtt_tap import tapping
from tests.support.publishing import Rest, count, publishing, status
from tests.support.until import until

MAX_RATE_PER_S = 50_000
"""Replays asked for take a tenth of it: the thousands that a broker drops come again as fast
as the machine allows. With the default, 5000, four thousand of them alone would take 8 s."""
HEALTH_S = 1.0
"""A gateway says how far it is every ten seconds; here nobody has the time."""
RETRY_S = 0.05

Fact = tuple[str, int]
"""(epoch, seq)."""


async def _hurried(seconds: float) -> None:
    await asyncio.sleep(min(seconds, HEALTH_S))


HURRIED = Timing(sleep=_hurried, uniform=lambda _low, _high: RETRY_S)


@dataclass
class Bench:
    """One gateway's way into one store."""

    broker: Broker
    journal: Journal
    publisher: Publisher
    store: Path
    link: Link
    """Between publisher and broker."""
    set_aside: list[int] = field(default_factory=list)
    """Seqs of rows that no broker takes."""
    port: int = 0
    """Where the historian finds its broker: behind the tap."""
    patience_ms: int = 100
    """How long the historian waits for a locked store before it calls that an outage."""
    acknowledged: set[Fact] = field(default_factory=set)
    """What the historian has told the broker it has."""
    too_early: list[Fact] = field(default_factory=list)
    historian: Historian | None = None
    _task: "asyncio.Task[None] | None" = None
    _total: int = 0
    _reader: sqlite3.Connection | None = None

    async def journal_counts(
        self, number: int, equipment: str = "press-03", *, at_once: int = 50
    ) -> None:
        """Commit so many counts."""
        end = self._total + number
        while self._total < end:
            totals = range(self._total, min(self._total + at_once, end))
            self._total = totals.stop  # first: who is cancelled while it waits has committed
            await self.journal.append([Entry(equipment, [count(total) for total in totals])])

    async def journal_status(self, state: State, equipment: str = "press-03") -> None:
        """Commit a state; it is the newest of its stream for as long as the machine is quiet."""
        await self.journal.append([Entry(equipment, [status(state)])])

    async def delivered(self) -> None:
        """Wait until the broker has confirmed all that is journaled."""
        assert await self.publisher.drain(30), "the broker does not take it"

    def start_historian(self) -> None:
        """Start it; it is not waited for."""
        url = f"sqlite:///{self.store}"
        settings = HistorianSettings(
            broker=BrokerSettings(host=self.broker.host, port=self.port),
            site="suzhou",
            stores=(SqlSettings(url=url),),
        )
        self.historian = Historian(
            settings,
            open_store=lambda: SqlStore.open(url, busy_timeout_ms=self.patience_ms),
            sleep=_hurried,
            uniform=lambda _low, _high: RETRY_S,
        )
        self._task = asyncio.create_task(self.historian.run(), name="historian")

    async def connected_historian(self) -> Historian:
        """Start it and wait until it has subscribed."""
        self.start_historian()
        historian = self.historian
        assert historian is not None
        await until(lambda: historian.stats().connected, timeout_s=90)
        return historian

    async def stop_historian(self) -> None:
        """End it as the program does; nothing if it does not run."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def complete(self, *, timeout_s: float) -> None:
        """Wait until the store has as many events as the journal, then compare them all."""
        expected = self.journal.head() - len(self.set_aside)
        await until(lambda: self._stored_events() >= expected, timeout_s=timeout_s)
        rows = await self.journal.rows(0, self.journal.head())
        journaled = [(row.epoch, row.seq) for row in rows if row.seq not in self.set_aside]
        assert self.stored() == journaled
        assert self.query("SELECT COUNT(*) FROM count_event") == [(self._total,)]
        assert self.query("SELECT * FROM loss") == self.query("SELECT * FROM dead_letter") == []
        streams = (
            "SELECT MIN(streamseq), MAX(streamseq), COUNT(*) FROM event GROUP BY equipment, type"
        )
        assert all((first, last) == (1, n) for first, last, n in self.query(streams))
        assert self.too_early == []

    def stored(self) -> list[Fact]:
        """Return what is in the store by seq; a fact that stands there twice comes twice."""
        return self.query("SELECT epoch, seq FROM event ORDER BY seq")

    def query(self, query: str) -> list[Any]:
        """Return what the store answers; nothing while it has no such table."""
        try:
            with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def note_ack(self, payload: bytes) -> None:
        """Note what the historian acknowledges, at the moment when it does."""
        message = orjson.loads(payload)
        if "streamseq" not in message:
            return  # no event: what a gateway says of itself, or an answer
        fact = (message["epoch"], int(message["id"].rpartition("-")[2]))
        self.acknowledged.add(fact)
        if not self._can_be_read(message["source"], message["id"]):
            self.too_early.append(fact)

    def close(self) -> None:
        """Let go of the store."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _can_be_read(self, source: str, id_: str) -> bool:
        if self._reader is None:
            self._reader = sqlite3.connect(
                f"file:{self.store}?mode=ro", uri=True, isolation_level=None
            )
        key = (source, id_)
        found = self._reader.execute("SELECT 1 FROM event WHERE source = ? AND id = ?", key)
        return found.fetchone() is not None

    def _stored_events(self) -> int:
        return sum(number for (number,) in self.query("SELECT COUNT(*) FROM event"))


@asynccontextmanager
async def outage_bench(
    directory: Path,
    *,
    extra: Sequence[str] = (),
    acl: str | None = None,
    ack_timeout_s: float = 10,
    keepalive_s: int = 15,
) -> AsyncIterator[Bench]:
    """Run all but the historian; mosquitto keeps nothing and queues what it does by default."""
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(mosquitto(extra=extra, acl=acl))
        journal = await stack.enter_async_context(open_journal(directory / "journal.db"))
        link = await stack.enter_async_context(Link(broker.host, broker.port))
        through = BrokerSettings(
            port=link.listening, ack_timeout_s=ack_timeout_s, keepalive_s=keepalive_s
        )
        rest = Rest(append=journal.append)
        publisher = await stack.enter_async_context(
            publishing(through, journal, rest, timing=HURRIED, max_rate_per_s=MAX_RATE_PER_S)
        )
        bench = Bench(broker, journal, publisher, directory / "history.db", link)
        bench.port = await stack.enter_async_context(tapping(broker.port, bench.note_ack))
        stack.callback(bench.close)
        stack.push_async_callback(bench.stop_historian)
        yield bench
