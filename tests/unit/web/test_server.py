import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from gateway.domain.vocabulary import State
from gateway.web.app import create_app
from gateway.web.live import Board
from gateway.web.server import BoardServer, NotLoopback, serve
from tests.support.board import NOW, FakeSource, press
from tests.support.until import until


def tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


@asynccontextmanager
async def look(server: BoardServer) -> AsyncIterator[httpx.Response]:
    url = f"{server.url}api/v1/stream"
    async with httpx.AsyncClient(timeout=5) as client, client.stream("GET", url) as stream:
        yield stream


def app_of(source: FakeSource) -> Any:
    return create_app(source, board=Board(source, refresh_s=0.01, now=lambda: NOW))


async def test_a_free_port_is_taken_and_the_page_answers() -> None:
    async with await serve(app_of(FakeSource())) as server, httpx.AsyncClient() as client:
        assert server.url == f"http://127.0.0.1:{server.port}/"
        assert "<html" in (await client.get(server.url)).text


async def test_the_stream_says_hello_and_then_what_changed() -> None:
    source = FakeSource()
    seen = []
    async with await serve(app_of(source)) as server, look(server) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                seen.append(line)
                source.show(press(State.FAULT))
            if line.startswith("data: ") and seen[-1] == "event: tiles":
                assert orjson.loads(line[6:])["set"]["press-07"]["state"] == "fault"
                break
    assert seen == ["event: hello", "event: tiles"]


async def test_closing_ends_open_streams_without_waiting_for_the_grace_time() -> None:
    source = FakeSource()
    server = await serve(app_of(source))
    async with look(server) as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        async with asyncio.timeout(1.5):
            await server.close()
        rest = [line async for line in lines]
    assert rest
    await asyncio.wait_for(server.wait(), 1)


async def test_a_looker_who_leaves_ends_his_stream() -> None:
    before = tasks()
    async with await serve(app_of(FakeSource())) as server:
        streaming = len(tasks())
        async with look(server) as stream:
            await anext(stream.aiter_lines())
        await until(lambda: len(tasks()) <= streaming)
    assert tasks() <= before


async def test_cancelling_the_owner_stops_the_server_and_leaves_nothing() -> None:
    before = tasks()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def owner() -> None:
        async with await serve(app_of(FakeSource())) as server:
            port.set_result(server.port)
            await server.wait()

    task = asyncio.create_task(owner())
    taken = await asyncio.wait_for(port, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tasks() <= before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", taken)) != 0


async def test_a_taken_port_is_an_error_for_the_caller() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: Address already in use"):
            await serve(app_of(FakeSource()), port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "gateway.example", ""])  # noqa: S104
async def test_the_board_is_not_shown_to_other_machines(host: str) -> None:
    with pytest.raises(NotLoopback, match="no logins") as refusal:
        await serve(app_of(FakeSource()), host=host)
    assert refusal.value.host == host


async def test_localhost_is_this_machine() -> None:
    async with await serve(app_of(FakeSource()), host="localhost") as server:
        assert server.host == "127.0.0.1"
