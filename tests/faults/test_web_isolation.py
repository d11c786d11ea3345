"""Whatever becomes of the web process, the collector reads on, and the pages come back."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.gateway_process import ServiceProcess
from tests.support.modbus_device import HR, Device
from tests.support.ports import free_port
from tests.support.screens_site import answering, set_up, site_with_screens
from tests.support.until import until

NOT_READING = 20
SLOW = 500
FEW_FILES, SPARE = 64, 8
BEGUN = b"GET /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device()
    device.put(HR, 100, 1)
    await device.start()
    yield device
    await device.stop()


def counted(directory: Path) -> float:
    """Return the total of the newest count in the journal; -1 while there is none.

    What the machine makes before the first count is where the counter starts, not a part.
    """
    query = "SELECT json_extract(CAST(data AS TEXT), '$.total') FROM event WHERE type = 'count'"
    with suppress(sqlite3.Error):
        path = directory / "data/journal.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute(f"{query} ORDER BY seq DESC LIMIT 1").fetchone()
            return -1.0 if found is None else float(found[0])
    return -1.0


async def made(directory: Path, device: Device, parts: int) -> None:
    """Let the machine make parts and wait until they are booked."""
    (now,) = (device.tables[HR][100],)
    before = counted(directory)
    assert before >= 0
    device.put(HR, 100, now + parts)
    await until(lambda: counted(directory) == before + parts)


def not_read(stack: AsyncExitStack, port: int, session: str) -> None:
    """Open streams that nobody reads."""
    cookie = f"mg_session={session}"
    head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
    said = head.encode()
    for _ in range(NOT_READING):
        stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(said)


def slow_ones(stack: ExitStack, port: int, number: int) -> None:
    """Begin so many requests and end none."""
    for _ in range(number):
        stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(BEGUN)


async def besieged(directory: Path, device: Device, port: int, client: httpx.AsyncClient) -> None:
    """Let three parts be made while slow requests hold every place, and somebody look."""
    with ExitStack() as slow:
        await asyncio.to_thread(slow_ones, slow, port, SLOW)
        await made(directory, device, 1)
        assert (await client.get("/api/v1/equipment")).status_code == 200
        await made(directory, device, 2)


@pytest.mark.timeout(150)
@pytest.mark.fault(
    62,
    injection="500 requests are begun and not ended, 20 clients do not read their stream, long"
    " questions are asked, and the web process is killed with SIGKILL and started again",
    expectation="the collector books every part meanwhile; a session outlives the restart",
)
async def test_no_web_process_holds_up_the_collector(tmp_path: Path, device: Device) -> None:
    port = free_port()
    site_with_screens(tmp_path, device.port, port)
    url = f"http://127.0.0.1:{port}"
    collect, web = ServiceProcess("collect", tmp_path), ServiceProcess("web", tmp_path)
    async with AsyncExitStack() as stack:
        for service in (collect, web):
            stack.push_async_callback(service.abandon)
        await web.start()
        await answering(url)  # before there is a journal
        await collect.start()
        await until(lambda: counted(tmp_path) == 0)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        await set_up(client, web)
        await besieged(tmp_path, device, port, client)
        not_read(stack, port, client.cookies["mg_session"])
        path = "/api/v1/equipment/press-07/counts?per=day&from=2026-01-01T00:00:00Z"
        asking = [asyncio.create_task(client.get(path)) for _ in range(10)]
        await made(tmp_path, device, 5)
        await web.kill()
        await asyncio.gather(*asking, return_exceptions=True)
        await made(tmp_path, device, 7)
        await web.start()
        await answering(url)
        tile = (await client.get("/api/v1/equipment/press-07")).json()
        assert tile["counters"][0]["total"] == 15
        assert tile["state"] == "running"
        await web.stop()
        await made(tmp_path, device, 1)
        await collect.stop()


@pytest.mark.timeout(150)
@pytest.mark.fault(
    22,
    injection="`run` has 64 descriptors for everything; 200 web clients begin a request and stay",
    expectation="the screens let in few of them; a link that was cut finds a descriptor, and"
    " people are answered",
)
async def test_with_few_descriptors_the_screens_let_in_fewer(
    tmp_path: Path, device: Device
) -> None:
    port = free_port()
    site_with_screens(tmp_path, device.port, port)
    run = ServiceProcess("run", tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run.abandon)
        await run.start()
        run.limit_files(FEW_FILES)
        url = f"http://127.0.0.1:{port}"
        await answering(url)
        await until(lambda: counted(tmp_path) == 0)
        with ExitStack() as slow:
            await asyncio.to_thread(slow_ones, slow, port, 200)
            await made(tmp_path, device, 2)
            assert run.open_files() < FEW_FILES - SPARE
            await device.stop()
            await device.start()
            await answering(url)
            await made(tmp_path, device, 3)
            assert run.open_files() < FEW_FILES - SPARE
        await run.stop()


@pytest.mark.timeout(150)
@pytest.mark.fault(
    22,
    injection="the web process may open no more files (prlimit)",
    expectation="collecting goes on; the pages come back by themselves when it may again",
)
async def test_a_web_process_without_descriptors_comes_back(tmp_path: Path, device: Device) -> None:
    port = free_port()
    site_with_screens(tmp_path, device.port, port)
    collect, web = ServiceProcess("collect", tmp_path), ServiceProcess("web", tmp_path)
    async with AsyncExitStack() as stack:
        for service in (collect, web):
            stack.push_async_callback(service.abandon)
        await collect.start()
        await web.start()
        url = f"http://127.0.0.1:{port}"
        await answering(url)
        await until(lambda: counted(tmp_path) == 0)
        with web.no_more_files(), ExitStack() as crowd:
            await asyncio.to_thread(slow_ones, crowd, port, 30)
            await made(tmp_path, device, 2)
            with pytest.raises(httpx.HTTPError):
                async with httpx.AsyncClient(timeout=2) as client:
                    await client.get(f"{url}/api/v1/setup")
        await answering(url)
        await made(tmp_path, device, 3)
        await web.stop()
        await collect.stop()
