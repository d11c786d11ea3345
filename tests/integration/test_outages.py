"""Broker, historian and store fail: afterwards the store is the journal, each event once.

Every test also taps the wire: nothing is acknowledged before it can be read in the store.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from gateway.app.collector import cancelled
from gateway.domain.vocabulary import State
from gateway.historian.historian import Historian
from tests.support.outage_bench import Bench, outage_bench
from tests.support.until import until

# The limit: each takes seconds where nothing else runs.
pytestmark = [pytest.mark.timeout(400), pytest.mark.alone]

STATES = list(State)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with outage_bench(tmp_path) as ready:
        yield ready


@pytest.mark.fault(
    50,
    injection="kill -9 of a broker that holds 301 confirmed messages for a consumer that is away",
    expectation="the consumer finds them missing, asks the journal, and has each once",
)
async def test_a_broker_killed_with_what_it_had_confirmed(bench: Bench) -> None:
    await _one_hundred(bench)
    await bench.stop_historian()
    await bench.journal_counts(300)
    await bench.journal_status(State.FAULT)
    await bench.delivered()
    await asyncio.to_thread(bench.broker.kill)
    await asyncio.to_thread(bench.broker.start)
    assert len(bench.stored()) == 100
    bench.start_historian()
    await bench.complete(timeout_s=40)


async def test_five_thousand_events_pass_a_stopped_historian(bench: Bench) -> None:
    """Four thousand of them, a state among them, are dropped by the broker."""
    await _one_hundred(bench)
    await bench.stop_historian()
    await bench.journal_counts(2500)
    await bench.journal_status(State.FAULT)
    await bench.journal_counts(2498)
    await bench.journal_status(State.IDLE, "oven-01")
    await bench.delivered()
    bench.start_historian()
    await bench.complete(timeout_s=60)
    assert bench.publisher.stats().replayed > 3000  # the broker did drop them


@pytest.mark.parametrize(("patience_ms", "outages"), [(100, 1), (60_000, 0)])
async def test_a_locked_store_while_events_pass(
    bench: Bench, patience_ms: int, outages: int
) -> None:
    """A short lock only makes it slow; then too the broker queues, and drops what is too much.

    What the press said last is dropped; the oven's later words, which arrive, hide that.
    """
    bench.patience_ms = patience_ms
    historian = await _one_hundred(bench)
    await until(lambda: len(bench.acknowledged) == 100)
    with locked(bench.store):
        await bench.journal_counts(2500)
        await bench.journal_status(State.FAULT)
        await bench.journal_counts(500)
        await bench.delivered()
        await until(lambda: historian.stats().store_outages == outages)
        assert (len(bench.acknowledged), len(bench.stored())) == (100, 100)
    await until(lambda: len(bench.stored()) > 100)
    await bench.journal_counts(1, "oven-01")
    await bench.journal_status(State.IDLE, "oven-01")
    await bench.complete(timeout_s=60)
    assert bench.publisher.stats().replayed > 1000


async def _one_hundred(bench: Bench) -> Historian:
    """Begin as any day does: the historian has what there is."""
    historian = await bench.connected_historian()
    await bench.journal_counts(100)
    await bench.complete(timeout_s=20)
    return historian


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Let nobody else write, as a backup or somebody's tool does."""
    with closing(sqlite3.connect(store, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


async def _machines(bench: Bench, chance: Random) -> None:
    """Commit for ever, in bursts; states now and then."""
    while True:
        await bench.journal_counts(chance.randint(1, 40))
        if chance.random() < 0.05:
            equipment = chance.choice(["oven-01", "press-03"])
            await bench.journal_status(chance.choice(STATES), equipment)
        await asyncio.sleep(chance.uniform(0.0, 0.03))


async def _progress(bench: Bench, chance: Random) -> None:
    """Let a random number of events be journaled."""
    enough = bench.journal.head() + chance.randint(1, 400)
    await until(lambda: bench.journal.head() >= enough, timeout_s=90)


async def _killed_brokers(bench: Bench, chance: Random, rounds: int) -> None:
    for _ in range(rounds):
        await _progress(bench, chance)
        await asyncio.to_thread(bench.broker.kill)
        await _progress(bench, chance)
        await asyncio.to_thread(bench.broker.start)


async def _restarted_historians(bench: Bench, chance: Random, rounds: int) -> None:
    for _ in range(rounds):
        bench.start_historian()
        await _progress(bench, chance)
        await bench.stop_historian()
        await _progress(bench, chance)
    bench.start_historian()


async def _outages(directory: Path, seed: int, rounds: int) -> None:
    async with outage_bench(directory) as bench:
        machines = asyncio.create_task(_machines(bench, Random(seed)))
        async with asyncio.TaskGroup() as failures:
            failures.create_task(_killed_brokers(bench, Random(seed + 1), rounds))
            failures.create_task(_restarted_historians(bench, Random(seed + 2), rounds))
        await cancelled([machines])
        await bench.delivered()
        await bench.complete(timeout_s=60)


@pytest.mark.parametrize("seed", range(3))
async def test_broker_and_historian_at_random_moments(tmp_path: Path, seed: int) -> None:
    await _outages(tmp_path, seed, rounds=6)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 110))
async def test_broker_and_historian_for_long(tmp_path: Path, seed: int) -> None:
    await _outages(tmp_path, seed, rounds=60)
