"""The publisher on the journal it was made for: what is on the disk is what arrives."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.publish.pump import CURSOR
from gateway.publish.source import Source
from tests.support.broker import Broker, broker
from tests.support.publishing import (
    EVENTS,
    TOPICS,
    Rest,
    count,
    listening,
    publishing,
    settings_for,
    status,
)
from tests.support.until import until

__all__ = ["broker"]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await asyncio.to_thread(Journal.open, tmp_path / "journal.db", now=SYSTEM_CLOCK.now)
    yield opened
    await opened.close()


def entry(*totals: int, local: bool = False) -> Entry:
    return Entry("press-03", [count(total) for total in totals], local=local)


async def test_what_was_committed_arrives_in_order(broker: Broker, journal: Journal) -> None:
    source: Source = journal
    settings = settings_for(broker)
    await journal.append([entry(*range(100))])
    await journal.append([entry(1000, local=True)])
    async with listening(settings, EVENTS) as ear, publishing(settings, source) as publisher:
        await until(lambda: publisher.stats().online)
        for total in range(100, 120):
            await journal.append([entry(total)])
        assert await publisher.drain(10)
        await until(lambda: len(ear.messages) == 120)
    assert ear.totals() == list(range(120))
    assert [event["streamseq"] for event in ear.events()] == list(range(1, 121))
    assert journal.cursor(CURSOR) == journal.head() == 121


async def test_the_cursor_outlives_the_process(broker: Broker, tmp_path: Path) -> None:
    settings, path = settings_for(broker), tmp_path / "journal.db"
    for start in (0, 10):
        journal = await asyncio.to_thread(Journal.open, path, now=SYSTEM_CLOCK.now)
        await journal.append([entry(*range(start, start + 10))])
        async with listening(settings, EVENTS) as ear, publishing(settings, journal) as publisher:
            assert await publisher.drain(10)
            await until(lambda ear=ear: len(ear.messages) == 10)  # type: ignore[misc]
        assert ear.totals() == list(range(start, start + 10))
        await journal.close()


async def test_a_consumer_gets_what_it_missed(broker: Broker, journal: Journal) -> None:
    settings = settings_for(broker)
    async with publishing(settings, journal) as publisher:
        await journal.append([entry(*range(30)), Entry("oven-01", [status()])])
        assert await publisher.drain(10)
        async with listening(settings, EVENTS, TOPICS.reply("r-1")) as ear:
            request = b'{"command_id": "r-1", "from_seq": 11, "types": ["count"]}'
            await ear.link.publish(TOPICS.cmd_replay, request)
            await until(lambda: ear.on(TOPICS.reply("r-1")))
    assert ear.totals() == list(range(10, 30))
    assert ear.on(TOPICS.reply("r-1"))[0]["count"] == 20


def back_up(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as journal, closing(sqlite3.connect(target)) as copy:
        journal.backup(copy)


async def test_a_copied_journal_says_nothing_under_the_old_name(
    broker: Broker, tmp_path: Path
) -> None:
    """Not live and not by replay, and however far it went before it met the broker."""
    settings, rest = settings_for(broker), Rest()
    original = await asyncio.to_thread(Journal.open, tmp_path / "a.db", now=SYSTEM_CLOCK.now)
    await original.append([entry(1)])
    await asyncio.to_thread(back_up, tmp_path / "a.db", tmp_path / "b.db")
    await original.append([entry(2, 3)])
    async with listening(settings, TOPICS.health) as ear, publishing(settings, original, rest):
        await until(lambda: ear.on(TOPICS.health))
    copy = await asyncio.to_thread(Journal.open, tmp_path / "b.db", now=SYSTEM_CLOCK.now)
    await copy.append([entry(4, 5, 6, 7)])
    old = copy.epoch
    rest.begin_epoch = copy.new_epoch
    reply = TOPICS.reply("all")
    async with (
        listening(settings, EVENTS, reply) as ear,
        publishing(settings, copy, rest) as publisher,
    ):
        await until(lambda: len(rest.rivals) == 1)
        await copy.append([entry(8)])
        await until(lambda: publisher.stats().online)
        assert await publisher.drain(10)
        await until(lambda: ear.totals() == [1, 8])
        request = orjson.dumps({"command_id": "all", "epoch": old, "from_seq": 1})
        await ear.link.publish(TOPICS.cmd_replay, request)
        await until(lambda: ear.on(reply))
        assert ear.on(reply)[0]["count"] == 1
    assert ear.totals() == [1, 8, 1]
    assert copy.epoch != old == original.epoch
    gaps = [event["data"] for event in ear.events() if event["type"] == "millgate.gap.v1"]
    assert [gap["count"] for gap in gaps] == [4]
    await original.close()
    await copy.close()
