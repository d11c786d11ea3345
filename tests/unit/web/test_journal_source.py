from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.domain.durable import dump
from gateway.domain.equipment import step
from gateway.domain.events import Status
from gateway.domain.facts import Fact, Observation, Started
from gateway.domain.rules import EquipmentRules, TagRule
from gateway.domain.state import Durable, EquipmentState, Moment, OpenStatus
from gateway.domain.vocabulary import State
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.web.journal_source import JournalBoardSource
from gateway.web.live import Board
from gateway.web.source import SiteCard, SourceUnavailable
from tests.support.board import NOW, OVEN, PRESS, ago

SITE = SiteCard("suzhou", "gw-01")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[Journal]:
    journal = Journal.open(path, now=lambda: NOW, limits=Limits(ballast_bytes=0))
    yield journal
    await journal.close()


@pytest.fixture
def source(path: Path) -> Iterator[JournalBoardSource]:
    with JournalReader(path) as reader:
        yield JournalBoardSource(reader, site=SITE, cards=[PRESS, OVEN])


def entry(state: State) -> Entry:
    began = Moment(ago(60), None)
    durable = Durable("press-07", status=OpenStatus(state, began))
    event = Status(at=began.at, since=began.at, state=state, cause="sample")
    return Entry("press-07", [event], dump(EquipmentState(durable)))


async def test_the_board_shows_what_the_journal_committed(
    journal: Journal, source: JournalBoardSource
) -> None:
    await journal.append([entry(State.RUNNING)])
    board = Board(source, refresh_s=0, now=lambda: NOW)
    picture = await board.picture()
    assert [tile.state for tile in picture.tiles.values()] == [State.RUNNING, State.OFFLINE]
    assert (picture.epoch, picture.head_seq) == (journal.epoch, journal.head())
    assert picture.collector["alive"] is True
    await journal.append([entry(State.FAULT)])
    assert (await board.picture()).tiles["press-07"].state is State.FAULT
    await board.close()


async def test_after_a_start_a_link_is_on_its_way_up_until_it_answers(
    journal: Journal, source: JournalBoardSource
) -> None:
    rules = EquipmentRules("press-07", tags={"run": TagRule("run", "plc", "default")})
    board = Board(source, refresh_s=0, now=lambda: NOW)
    state = EquipmentState.new("press-07")
    answers = Observation("plc", NOW, 2.0, frozenset({"run"}), {"run": True})
    facts: list[Fact] = [
        Started(NOW, 1.0, "boot", None),
        answers,
        Started(NOW, 1.0, "other", NOW),
        answers,
    ]
    shown = []
    for fact in facts:
        state, events = step(state, fact, rules)
        await journal.append([Entry("press-07", events, dump(state))])
        shown += [link.state for link in (await board.picture()).tiles["press-07"].links]
    assert shown == ["starting", "online", "starting", "online"]
    await board.close()


async def test_a_state_is_decoded_again_only_when_it_changed(
    journal: Journal, source: JournalBoardSource
) -> None:
    await journal.append([entry(State.RUNNING)])
    first = source.read().snapshots["press-07"]
    assert source.read().snapshots["press-07"] is first
    await journal.append([entry(State.IDLE)])
    assert source.read().snapshots["press-07"]["status"]["state"] == "idle"


def test_a_journal_that_is_not_there_yet_is_one_without_facts(source: JournalBoardSource) -> None:
    reading = source.read()
    assert (reading.alive_at, reading.head_seq, reading.snapshots) == (None, 0, {})


def test_a_file_that_is_no_journal_is_unavailable(path: Path, source: JournalBoardSource) -> None:
    path.write_bytes(b"no database, just a text that somebody put here" * 100)
    with pytest.raises(SourceUnavailable, match="not a database"):
        source.read()


async def test_a_state_nobody_understands_is_named(
    journal: Journal, source: JournalBoardSource
) -> None:
    await journal.append([Entry("press-07", state=b'{"equipment": 7}')])
    with pytest.raises(SourceUnavailable, match="press-07"):
        source.read()
