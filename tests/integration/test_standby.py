"""Two brokers, one at a time; and two historians, each with a part of the plant."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gateway.historian.asking import Asker
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, SqlSettings
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.publish.publisher import Publisher
from gateway.wire.topics import PlaceFilter
from tests.support.broker import Broker, mosquitto
from tests.support.journal import open_journal
from tests.support.outage_bench import HURRIED
from tests.support.postgres import Database
from tests.support.publishing import TOPICS, count, listening, publishing, settings_for
from tests.support.until import until

pytestmark = pytest.mark.timeout(400)
LONG_S = 60.0
PATIENCE_S = 0.3


@pytest.fixture
def brokers() -> Iterator[tuple[Broker, Broker]]:
    with mosquitto() as first, mosquitto() as second:
        yield first, second


async def hurried(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.5))


@asynccontextmanager
async def historian(
    url: str, brokers: tuple[Broker, ...], name: str = "", *places: str
) -> AsyncIterator[Historian]:
    first, *others = (settings_for(broker) for broker in brokers)
    settings = HistorianSettings(
        broker=first,
        standbys=tuple(others),
        patience_s=PATIENCE_S,
        site="suzhou",
        places=tuple(PlaceFilter.read(place) for place in places),
        client_id=f"historian-{name}",
        stores=(SqlSettings(url=url),),
    )
    ids = (f"{name}-{number}" for number in range(100_000))
    running = Historian(
        settings,
        sleep=hurried,
        uniform=lambda low, _high: low + 0.05,
        asker=Asker(lambda: next(ids), settle_s=0.2, patience_s=2, is_part=bool(places)),
    )
    task = asyncio.create_task(running.run(), name=f"historian {name}")
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def publishing_to(
    journal: Journal, first: Broker, *standbys: Broker
) -> AbstractAsyncContextManager[Publisher]:
    return publishing(
        settings_for(first),
        journal,
        timing=HURRIED,
        standbys=tuple(settings_for(one) for one in standbys),
        patience_s=PATIENCE_S,
    )


def seqs(url: str) -> list[int]:
    """What is stored; nothing while there is no such table."""
    try:
        return [seq for (seq,) in Database(url).query("SELECT seq FROM event ORDER BY seq")]
    except OperationalError:
        return []


async def commit(journal: Journal, equipment: str, first: int, last: int) -> None:
    rows = [count(total) for total in range(first, last + 1)]
    await journal.append([Entry(equipment, rows)])


async def test_a_standby_serves_while_the_first_is_away_and_is_left_again(
    brokers: tuple[Broker, Broker], tmp_path: Path
) -> None:
    first, second = brokers
    url = f"sqlite:///{tmp_path}/history.db"
    async with (
        open_journal(tmp_path / "journal.db") as journal,
        publishing_to(journal, first, second) as publisher,
        historian(url, brokers),
        listening(settings_for(second), TOPICS.online, client_id="watch") as watch,
    ):
        await commit(journal, "press-03", 1, 100)
        await until(lambda: seqs(url) == list(range(1, 101)), timeout_s=LONG_S)
        await asyncio.to_thread(first.kill)
        await commit(journal, "press-03", 101, 200)
        await until(lambda: publisher.stats().on_standby, timeout_s=LONG_S)
        await until(lambda: seqs(url) == list(range(1, 201)), timeout_s=LONG_S)
        await asyncio.to_thread(first.start)
        await until(lambda: not publisher.stats().on_standby, timeout_s=LONG_S)
        await until(lambda: publisher.stats().online, timeout_s=LONG_S)
        await commit(journal, "press-03", 201, 300)
        assert await publisher.drain(LONG_S)
        await until(lambda: seqs(url) == list(range(1, 301)), timeout_s=LONG_S)
        said = [one["online"] for one in watch.on(TOPICS.online)]
    assert (said[0], set(said[1:])) == (True, {False})
    assert Database(url).query("SELECT COUNT(*) FROM loss") == [(0,)]


async def test_what_the_first_took_into_its_grave_is_asked_for_at_the_standby(
    brokers: tuple[Broker, Broker], tmp_path: Path
) -> None:
    first, second = brokers
    url = f"sqlite:///{tmp_path}/history.db"
    async with (
        open_journal(tmp_path / "journal.db") as journal,
        publishing_to(journal, first, second) as publisher,
    ):
        await commit(journal, "press-03", 1, 150)
        assert await publisher.drain(LONG_S)
        await asyncio.to_thread(first.kill)  # it had confirmed all, and nobody has it
        async with historian(url, brokers) as running:
            await until(lambda: seqs(url) == list(range(1, 151)), timeout_s=LONG_S)
            assert running.stats().replays_asked > 0


async def test_two_historians_divide_a_plant_and_each_knows_what_it_misses(
    brokers: tuple[Broker, Broker], tmp_path: Path
) -> None:
    broker, _ = brokers
    press, oven = (f"sqlite:///{tmp_path}/{name}.db" for name in ("press", "oven"))
    odd, even = list(range(1, 401, 2)), list(range(2, 401, 2))
    async with (
        open_journal(tmp_path / "journal.db") as journal,
        publishing_to(journal, broker) as publisher,
    ):

        async def alternate(first: int, last: int) -> None:
            for total in range(first, last + 1):
                equipment = "press-03" if total % 2 else "oven-01"
                await journal.append([Entry(equipment, [count(total)])])

        async with (
            historian(press, (broker,), "press", "stamping/#") as stamping,
            historian(oven, (broker,), "oven", "_/#") as baking,
        ):
            await alternate(1, 100)
            await until(lambda: seqs(press) == odd[:50], timeout_s=LONG_S)
            await until(lambda: seqs(oven) == even[:50], timeout_s=LONG_S)
        await alternate(101, 300)
        assert await publisher.drain(LONG_S)
        await asyncio.to_thread(broker.kill)  # with what it had queued for both
        await asyncio.to_thread(broker.start)
        async with (
            historian(press, (broker,), "press", "stamping/#") as stamping,
            historian(oven, (broker,), "oven", "_/#") as baking,
        ):
            await until(lambda: seqs(press) == odd[:150], timeout_s=LONG_S)
            await until(lambda: seqs(oven) == even[:150], timeout_s=LONG_S)
            await alternate(301, 400)
            await until(lambda: seqs(press) == odd, timeout_s=LONG_S)
            await until(lambda: seqs(oven) == even, timeout_s=LONG_S)
            assert stamping.stats().holes == baking.stats().holes == 0
    for url in (press, oven):
        assert Database(url).query("SELECT COUNT(*) FROM loss") == [(0,)]
        assert Database(url).query("SELECT COUNT(*) FROM dead_letter") == [(0,)]
