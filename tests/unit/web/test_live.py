import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.domain.vocabulary import State
from gateway.web.live import SILENT_S, Board
from gateway.web.source import SourceUnavailable
from tests.support.board import NOW, PRESS, FakeSource, press


@dataclass
class Clock:
    """Both clocks of a board, moved by hand."""

    passed_s: float = 0.0
    stepped_s: float = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s + self.stepped_s)

    def mono_s(self) -> float:
        return 1000 + self.passed_s


@dataclass
class Rig:
    source: FakeSource = field(default_factory=FakeSource)
    clock: Clock = field(default_factory=Clock)

    boards: list[Board] = field(default_factory=list)

    def board(self, **more: Any) -> Board:
        board = Board(self.source, now=self.clock.now, mono_s=self.clock.mono_s, **more)
        self.boards.append(board)
        return board

    def heartbeat(self) -> None:
        self.source.reading = replace(self.source.reading, alive_at=self.clock.now())


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    for board in rig.boards:
        await board.close()


async def test_however_many_look_the_source_is_read_once_in_a_refresh(rig: Rig) -> None:
    board = rig.board(refresh_s=1.0)
    await asyncio.gather(*(board.picture() for _ in range(20)))
    rig.clock.passed_s = 0.9
    await board.picture()
    assert rig.source.reads == 1
    rig.clock.passed_s = 1.0
    await board.picture()
    assert rig.source.reads == 2


async def test_the_revision_grows_only_with_a_change(rig: Rig) -> None:
    board = rig.board(refresh_s=0)
    first = await board.picture()
    again = await board.picture()
    assert again.rev == first.rev
    assert again.tiles is first.tiles
    rig.source.show(press(State.IDLE))
    assert (await board.picture()).rev == first.rev + 1


async def test_a_silent_collector_turns_every_tile_offline(rig: Rig) -> None:
    board = rig.board(refresh_s=0)
    assert (await board.picture()).tiles["press-07"].state is State.RUNNING
    rig.clock.passed_s = SILENT_S + 0.1
    picture = await board.picture()
    assert picture.tiles["press-07"].state is State.OFFLINE
    assert picture.tiles["press-07"].since == "2026-03-20T01:01:29.123Z"
    assert picture.collector["alive"] is False
    assert picture.collector["at"] == "2026-03-20T01:01:29.123Z"
    rig.heartbeat()
    assert (await board.picture()).tiles["press-07"].state is State.RUNNING


async def test_a_sign_of_life_from_long_before_the_board_began_is_no_life(rig: Rig) -> None:
    rig.clock.passed_s = 3600
    assert (await rig.board().picture()).collector["alive"] is False


async def test_a_journal_that_never_lived_shows_every_tile_offline(rig: Rig) -> None:
    rig.source.reading = replace(rig.source.reading, alive_at=None)
    picture = await rig.board().picture()
    assert picture.tiles["press-07"].state is State.OFFLINE
    assert picture.tiles["press-07"].since is None
    assert picture.collector == {"alive": False, "at": None, "problem": None, "problem_code": None}


@pytest.mark.parametrize("step_s", [-7200, 7200])
async def test_a_clock_step_neither_hides_a_dead_collector_nor_kills_a_living_one(
    rig: Rig, step_s: float
) -> None:
    board = rig.board(refresh_s=0)
    await board.picture()
    rig.clock.stepped_s = step_s
    assert (await board.picture()).collector["alive"] is True
    rig.heartbeat()
    assert (await board.picture()).collector["alive"] is True
    rig.clock.passed_s = SILENT_S + 1
    assert (await board.picture()).collector["alive"] is False


async def test_a_journal_that_cannot_be_read_is_named_and_the_last_board_stays(rig: Rig) -> None:
    board = rig.board(refresh_s=0)
    before = await board.picture()
    rig.source.failure = SourceUnavailable("journal.db: disk I/O error")
    picture = await board.picture()
    assert picture.collector["problem"] == "journal.db: disk I/O error"
    assert picture.tiles is before.tiles
    assert picture.rev == before.rev + 1


async def test_a_board_without_equipment_is_empty(rig: Rig) -> None:
    rig.source.cards = ()
    assert (await rig.board().picture()).tiles == {}


async def test_tiles_stand_in_the_order_of_the_configuration(rig: Rig) -> None:
    cards = [replace(PRESS, equipment=name) for name in ("zeta", "alpha", "mid")]
    rig.source.cards = cards
    assert list((await rig.board().picture()).tiles) == ["zeta", "alpha", "mid"]
