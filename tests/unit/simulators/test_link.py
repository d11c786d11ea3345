"""The promises of `simulators.link`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from simulators.link import Link
from tests.support.until import until

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(100):
        writer.write(chunk)
    writer.close()


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, Link("127.0.0.1", server.sockets[0].getsockname()[1]) as link:
        yield link


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.listening)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(streams: Streams, sent: bytes, timeout_s: float = 30.0) -> bytes:
    reader, writer = streams
    writer.write(sent)
    async with asyncio.timeout(timeout_s):
        return await reader.readexactly(len(sent))


async def test_a_good_cable_brings_every_byte(link: Link) -> None:
    sent = bytes(range(256)) * 400
    async with connected(link) as streams:
        assert await answer(streams, sent) == sent


async def test_slices_arrive_complete(link: Link) -> None:
    link.faults.slices = True
    async with connected(link) as streams:
        assert await answer(streams, b"0123456789") == b"0123456789"


async def test_corrupt_changes_answers_only(link: Link) -> None:
    link.faults.corrupt = lambda chunk: chunk.replace(b"7", b"8")
    async with connected(link) as streams:
        assert await answer(streams, b"5678") == b"5688"


@pytest.mark.parametrize("fault", ["black_hole", "swallow_answers"])
async def test_what_is_swallowed_leaves_the_connection_open(link: Link, fault: str) -> None:
    async with connected(link) as streams:
        setattr(link.faults, fault, True)
        with pytest.raises(TimeoutError):
            await answer(streams, b"lost", timeout_s=0.1)
        setattr(link.faults, fault, False)
        assert await answer(streams, b"back") == b"back"


async def test_delay_is_added_both_ways(link: Link) -> None:
    link.faults.delay_s = 0.05
    loop = asyncio.get_running_loop()
    async with connected(link) as streams:
        asked_s = loop.time()
        assert await answer(streams, b"slow") == b"slow"
        assert loop.time() - asked_s >= 0.1


async def test_cut_ends_open_connections_and_welcomes_new_ones(link: Link) -> None:
    async with connected(link) as streams:
        assert await answer(streams, b"here") == b"here"
        await link.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await answer(streams, b"gone")
    async with connected(link) as streams:
        assert await answer(streams, b"again") == b"again"


async def test_refused_until_opened_on_the_same_port(link: Link) -> None:
    port = link.listening
    await link.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await link.open()
    assert link.listening == port
    async with connected(link) as streams:
        assert await answer(streams, b"there") == b"there"


async def test_a_server_that_is_away_ends_the_connection() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Link("127.0.0.1", port) as link, connected(link) as (reader, _):
        ended = asyncio.create_task(reader.read())
        await until(ended.done)
        assert ended.exception() is not None or ended.result() == b""


async def test_what_is_held_arrives_later(link: Link) -> None:
    async with connected(link) as streams:
        link.faults.hold = True
        with pytest.raises(TimeoutError):
            await answer(streams, b"one", timeout_s=0.05)
        link.faults.hold = False
        assert await streams[0].readexactly(3) == b"one"
