import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from gateway.domain.vocabulary import State
from gateway.web.access.caller import Caller
from gateway.web.access.roles import Role
from gateway.web.live import Board
from gateway.web.streams import MayLook, Streams
from tests.support.board import NOW, FakeSource, press
from tests.support.until import until

WALL, DESK = (Caller(name, Role.VIEWER, "127.0.0.1", session=b"1") for name in ("wall", "desk"))


@dataclass
class Rig:
    """A board whose clocks are moved by hand; the streams' own clock ticks fast."""

    source: FakeSource = field(default_factory=FakeSource)
    passed_s: float = 0.0
    made: list[tuple[Board, Streams]] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def streams(
        self, may_look: MayLook | None = None, *, refresh_s: float = 0.01, beat_s: float = 2.0
    ) -> Streams:
        board = Board(
            self.source, refresh_s=refresh_s, now=self.now, mono_s=lambda: 1000 + self.passed_s
        )
        streams = Streams(board, may_look, beat_s=beat_s)
        self.made.append((board, streams))
        return streams

    @property
    def board(self) -> Board:
        return self.made[-1][0]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    for board, streams in rig.made:
        await streams.close()
        await board.close()


async def message(stream: AsyncIterator[bytes]) -> tuple[str, Any]:
    async with asyncio.timeout(60):
        text = (await anext(stream)).decode()
    lines = dict(line.split(": ", 1) for line in text.split("\n") if line)
    return lines["event"], orjson.loads(lines["data"])


async def test_a_stream_begins_with_everything(rig: Rig) -> None:
    async with aclosing(rig.streams().stream()) as stream:
        said = await anext(stream)
    assert said.startswith(b"retry: 2000\n\nevent: hello\ndata: ")
    data = orjson.loads(said.split(b"data: ")[1])
    assert data["now"] == "2026-03-20T01:01:29.123Z"
    assert data["site"] == {"site": "suzhou", "gateway": "gw-01", "timezone": "Asia/Shanghai"}
    assert [tile["equipment"] for tile in data["tiles"]] == ["press-07", "oven-01"]
    assert data["tiles"][0]["state"] == "running"
    assert data["collector"] == {"alive": True, "at": None, "problem": None, "problem_code": None}


async def test_a_change_is_sent_once_and_alone(rig: Rig) -> None:
    async with aclosing(rig.streams(beat_s=0).stream()) as stream:
        await message(stream)
        rig.source.show(press(State.FAULT))
        rig.passed_s = 1
        event, data = await message(stream)
        while event == "beat":
            event, data = await message(stream)
        assert event == "tiles"
        assert data["set"] == {
            "press-07": {"state": "fault"},
        }
        assert data["del"] == []
        assert (await message(stream))[0] == "beat"


async def test_a_reader_who_is_late_is_sent_the_newest_state_only(rig: Rig) -> None:
    streams = rig.streams()
    async with aclosing(streams.stream()) as slow, aclosing(streams.stream()) as quick:
        _, hello = await message(slow)
        await message(quick)
        for total in range(13, 20):
            rig.source.show(press(State.RUNNING, total))
            rig.passed_s += 1
            _, seen = await message(quick)
            assert seen["set"]["press-07"]["counters"][0]["total"] == total
        rig.source.show(press(State.FAULT, 20))
        rig.passed_s += 1
        event, data = await message(slow)
    assert event == "tiles"
    assert data["rev"] == hello["rev"] + 8
    assert data["set"]["press-07"]["state"] == "fault"
    assert data["set"]["press-07"]["counters"][0]["total"] == 20


async def test_all_who_saw_the_same_are_sent_the_very_same_bytes(rig: Rig) -> None:
    streams = rig.streams()
    async with aclosing(streams.stream()) as one, aclosing(streams.stream()) as other:
        await message(one)
        await message(other)
        rig.source.show(press(State.FAULT))
        rig.passed_s = 1
        async with asyncio.timeout(60):
            said = await asyncio.gather(anext(one), anext(other))
    assert said[0] is said[1]
    assert rig.source.reads == 2


async def test_nobody_is_told_of_what_he_did_not_ask_for(rig: Rig) -> None:
    async with aclosing(rig.streams().stream(frozenset({"faults"}))) as stream:
        _, hello = await message(stream)
        assert "tiles" not in hello
        rig.source.show(press(State.IDLE))
        rig.passed_s = 2
        assert (await message(stream))[0] == "beat"


async def test_nothing_new_gives_a_beat_with_the_servers_time(rig: Rig) -> None:
    async with aclosing(rig.streams().stream()) as stream:
        await message(stream)
        rig.passed_s = 2.0
        event, data = await message(stream)
    assert event == "beat"
    assert data["now"] == "2026-03-20T01:01:31.123Z"


async def test_the_end_ends_every_stream_at_once(rig: Rig) -> None:
    streams = rig.streams(refresh_s=60)
    async with aclosing(streams.stream()) as stream:
        await message(stream)
        waiting = asyncio.ensure_future(anext(stream))
        streams.end()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 30)


async def test_all_who_look_are_asked_about_at_once(rig: Rig) -> None:
    asked: list[Collection[Caller]] = []

    async def may_look(callers: Collection[Caller]) -> Collection[Caller]:
        asked.append(callers)
        return {DESK}

    streams = rig.streams(may_look)
    async with (
        aclosing(streams.stream(caller=WALL)) as wall,
        aclosing(streams.stream(caller=WALL)) as again,
        aclosing(streams.stream(caller=DESK)) as desk,
    ):
        for stream in (wall, again, desk):
            await message(stream)
        rig.passed_s = 2.0
        ended = [asyncio.ensure_future(anext(stream)) for stream in (wall, again)]
        assert (await message(desk))[0] == "beat"
        for end in ended:
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(end, 30)
    assert asked == [{WALL, DESK}]


async def test_nobody_looks_on_when_it_cannot_be_said_who_may(rig: Rig) -> None:
    async def may_look(_: Collection[Caller]) -> Collection[Caller]:
        message = "web.db: disk I/O error"
        raise OSError(message)

    streams = rig.streams(may_look, beat_s=0)
    async with aclosing(streams.stream(caller=WALL)) as stream:
        await message(stream)
        with pytest.raises(OSError, match="disk I/O error"):
            await message(stream)
    assert streams.lookers == 0


async def test_the_clock_stops_when_nobody_looks_and_goes_on_for_the_next(rig: Rig) -> None:
    streams = rig.streams(beat_s=0)
    before = asyncio.all_tasks()
    for _ in range(2):
        async with aclosing(streams.stream()) as stream:
            await message(stream)
            assert (await message(stream))[0] == "beat"
            assert "web.streams" in {one.get_name() for one in asyncio.all_tasks() - before}
        await until(lambda: asyncio.all_tasks() <= before)
