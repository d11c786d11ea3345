import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gateway.domain.vocabulary import State
from gateway.web.access import login
from gateway.web.access.roles import Role
from gateway.web.live import Board
from gateway.web.server import Address, WebServer, serve
from tests.support.board import NOW, FakeSource, press
from tests.support.until import until
from tests.support.web import Rig, web_rig


def tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


@asynccontextmanager
async def look(rig: Rig, server: WebServer) -> AsyncIterator[httpx.Response]:
    opened = await login.begin(rig.context, Role.VIEWER.value, "127.0.0.1")
    cookies = {"mg_session": opened.secret}
    url = f"{server.url}api/v1/stream"
    async with (
        httpx.AsyncClient(timeout=5, cookies=cookies) as client,
        client.stream("GET", url) as stream,
    ):
        yield stream


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    source = FakeSource()
    board = Board(source, refresh_s=0.01, now=lambda: NOW)
    async with web_rig(tmp_path, board=board) as rig:
        yield replace(rig, source=source)
    await board.close()


async def test_a_free_port_is_taken_and_the_page_answers(rig: Rig) -> None:
    async with await serve(rig.app, Address()) as server, httpx.AsyncClient() as client:
        assert server.url == f"http://127.0.0.1:{server.port}/"
        assert "<html" in (await client.get(server.url)).text


async def test_the_stream_says_hello_and_then_what_changed(rig: Rig) -> None:
    seen = []
    async with await serve(rig.app, Address()) as server, look(rig, server) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                seen.append(line)
                rig.source.show(press(State.FAULT))
            if line.startswith("data: ") and seen[-1] == "event: tiles":
                assert orjson.loads(line[6:])["set"]["press-07"]["state"] == "fault"
                break
    assert seen == ["event: hello", "event: tiles"]


async def test_closing_ends_open_streams_without_waiting_for_the_grace_time(rig: Rig) -> None:
    server = await serve(rig.app, Address())
    async with look(rig, server) as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        async with asyncio.timeout(1.5):
            await server.close()
        rest = [line async for line in lines]
    assert rest
    await asyncio.wait_for(server.wait(), 60)


async def test_a_looker_who_leaves_ends_his_stream(rig: Rig) -> None:
    before = tasks()
    async with await serve(rig.app, Address()) as server:
        streaming = len(tasks())
        async with look(rig, server) as stream:
            await anext(stream.aiter_lines())
        await until(lambda: len(tasks()) <= streaming)
    assert tasks() <= before


async def test_cancelling_the_owner_stops_the_server_and_leaves_nothing(rig: Rig) -> None:
    before = tasks()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def owner() -> None:
        async with await serve(rig.app, Address()) as server:
            port.set_result(server.port)
            await server.wait()

    task = asyncio.create_task(owner())
    taken = await asyncio.wait_for(port, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tasks() <= before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", taken)) != 0


async def test_a_taken_port_is_an_error_for_the_caller(rig: Rig) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="Address already in use"):
            await serve(rig.app, Address(port=port))


async def test_localhost_is_this_machine(rig: Rig) -> None:
    async with await serve(rig.app, Address("localhost")) as server:
        assert server.host == "127.0.0.1"
