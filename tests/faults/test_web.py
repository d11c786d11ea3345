"""Clients that do harm by being slow: the screens stay open to others, collecting goes on."""

import asyncio
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import trustme

from gateway.web import server as serving
from gateway.web.access import login
from gateway.web.access.caller import COOKIE
from gateway.web.access.roles import Role
from gateway.web.live import Board
from gateway.web.server import Address, WebServer, serve
from tests.support.board import NOW, FakeSource
from tests.support.until import until
from tests.support.web import Rig, web_rig

SLOW = 500
NOT_READING = 20
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    board = Board(FakeSource(), refresh_s=0.01, now=lambda: NOW)
    async with web_rig(tmp_path, board=board, beat_s=0.01) as rig:
        yield rig
    await board.close()


@asynccontextmanager
async def connections(
    server: WebServer, number: int, said: bytes
) -> AsyncIterator[list[Connection]]:
    """Open so many connections, say the same on each, and read nothing."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(number):
            reader, writer = await asyncio.open_connection(server.host, server.port, limit=1024)
            stack.callback(writer.transport.abort)
            writer.write(said)
            await writer.drain()
            opened.append((reader, writer))
        yield opened


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process hold both ends of many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096 if hard == resource.RLIM_INFINITY else min(4096, hard), hard)
    )
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def are_cut_off(opened: list[Connection]) -> None:
    """Wait until each has ended without an answer."""
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            *(reader.read() for reader, _ in opened), return_exceptions=True
        )
    assert all(answer == b"" or isinstance(answer, ConnectionError) for answer in answers)


async def session_of(rig: Rig) -> dict[str, str]:
    opened = await login.begin(rig.context, Role.VIEWER.value, "127.0.0.1")
    return {"mg_session": opened.secret}


@pytest.mark.usefixtures("many_files")
@pytest.mark.fault(
    62,
    injection="500 connections that begin a request and never end it, more than are let in",
    expectation="the places are taken back from who came first, everybody else is answered at"
    " once; each of them is cut off after its time",
)
async def test_requests_that_never_end_are_cut_off(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "REQUEST_S", 60.0)
    begun = b"GET /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    cookies = await session_of(rig)
    async with (
        await serve(rig.app, Address()) as server,
        connections(server, SLOW, begun) as slow,
    ):
        beyond = SLOW - serving.MAX_CONNECTIONS
        # Nobody's time is over: these had to go for others, and they were the first.
        await until(lambda: all(reader.at_eof() for reader, _ in slow[:beyond]), timeout_s=30)
        assert not any(reader.at_eof() for reader, _ in slow[beyond:])
        for _ in range(3):  # each a connection of its own
            async with httpx.AsyncClient(cookies=cookies, timeout=20) as client:
                assert (await client.get(f"{server.url}api/v1/session")).status_code == 200
        monkeypatch.setattr(serving, "REQUEST_S", 0.5)
        async with connections(server, 100, begun) as quick:
            await are_cut_off(quick)


@pytest.mark.fault(
    62,
    injection="a body that does not come",
    expectation="the connection is cut off after its time",
)
async def test_a_body_that_does_not_come_is_not_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "REQUEST_S", 0.5)
    head = (
        b"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    async with await serve(rig.app, Address()) as server, connections(server, 1, head) as slow:
        await are_cut_off(slow)


@pytest.mark.fault(
    62,
    injection="twenty clients open the stream and read nothing",
    expectation="nothing piles up for them, others are answered, their places come free again",
)
async def test_lookers_who_do_not_read_hold_up_nobody(rig: Rig) -> None:
    (cookie,) = (await session_of(rig)).items()
    asked = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie[0]}={cookie[1]}\r\n\r\n"
    ).encode()
    async with (
        await serve(rig.app, Address()) as server,
        httpx.AsyncClient(cookies=await session_of(rig), timeout=20) as client,
    ):
        async with connections(server, NOT_READING, asked):
            await until(lambda: rig.context.streams.lookers == NOT_READING, timeout_s=20)
            assert (await client.get(f"{server.url}api/v1/equipment")).status_code == 200
        await until(lambda: rig.context.streams.lookers == 0, timeout_s=20)


@pytest.mark.timeout(120)
@pytest.mark.fault(
    62,
    injection="a client keeps its stream open and reads nothing",
    expectation="it is cut off after its time, its place comes free",
)
async def test_a_looker_who_never_reads_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "UNREAD_S", 1.0)
    board = Board(FakeSource(), refresh_s=0.0005, now=lambda: NOW)
    async with web_rig(tmp_path, board=board, beat_s=0.0) as rig:
        ((name, value),) = (await session_of(rig)).items()
        async with await serve(rig.app, Address()) as server:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect((server.host, server.port))
                head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {name}={value}"
                client.sendall(f"{head}\r\n\r\n".encode())
                await until(lambda: rig.context.streams.lookers == 1, timeout_s=30)
                await until(lambda: rig.context.streams.lookers == 0, timeout_s=80)
    await board.close()


async def test_there_are_no_more_streams_than_places(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.seats.MAX_STREAMS", 0)
    client = await rig.client(Role.VIEWER)
    refused = await client.get("/api/v1/stream")
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")


@pytest.mark.fault(
    62,
    injection="one user opens as many streams as there are",
    expectation="he gets his own places only, others are let in, and his come free again",
)
async def test_one_looker_does_not_take_the_places_of_all(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.seats.MAX_OF_ONE", 2)
    async with await serve(rig.app, Address()) as server:
        for _ in range(2):
            cookies = await session_of(rig)
            ((name, value),) = cookies.items()
            head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {name}={value}"
            async with connections(server, 2, f"{head}\r\n\r\n".encode()):
                await until(lambda: rig.context.streams.lookers == 2, timeout_s=20)
                async with httpx.AsyncClient(cookies=cookies, timeout=20) as client:
                    again = await client.get(f"{server.url}api/v1/stream")
                    assert (again.status_code, again.json()["code"]) == (503, "busy")
                other = await login.begin(rig.context, "admin", "127.0.0.1")
                async with (
                    httpx.AsyncClient(cookies={COOKIE: other.secret}, timeout=20) as client,
                    client.stream("GET", f"{server.url}api/v1/stream") as answer,
                ):
                    assert answer.status_code == 200
            await until(lambda: rig.context.streams.lookers == 0, timeout_s=20)


@pytest.mark.fault(
    64,
    injection="a user is disabled, a session logged out, a token revoked while its stream is open",
    expectation="the stream ends with its next message",
)
@pytest.mark.parametrize("by", ["disabled", "logged_out", "token"])
async def test_a_stream_ends_with_what_it_was_opened_with(tmp_path: Path, by: str) -> None:
    board = Board(FakeSource(), refresh_s=0.01, now=lambda: NOW)
    async with web_rig(tmp_path, board=board, beat_s=0.0) as rig:
        admin, viewer = await rig.client(Role.ADMIN), await rig.client(Role.VIEWER)
        headers = {"Cookie": f"{COOKIE}={viewer.cookies[COOKIE]}"}
        if by == "token":
            made = (await admin.post("/api/v1/tokens", json={"name": "mes"})).json()
            headers = {"Authorization": f"Bearer {made['secret']}"}
        async with (
            await serve(rig.app, Address()) as server,
            httpx.AsyncClient(headers=headers, timeout=20) as client,
            client.stream("GET", f"{server.url}api/v1/stream") as answer,
            asyncio.timeout(20),
        ):
            lines = answer.aiter_lines()
            while await anext(lines) != "event: beat":
                pass
            if by == "disabled":
                await admin.patch("/api/v1/users/viewer", json={"disabled": True})
            elif by == "logged_out":
                await viewer.post("/api/v1/logout")
            else:
                await admin.delete(f"/api/v1/tokens/{made['id']}")
            async for _ in lines:
                pass
            await until(lambda: rig.context.streams.lookers == 0, timeout_s=20)
    await board.close()


@pytest.mark.fault(
    62,
    injection="every place is taken by a stream that is read",
    expectation="a connection too many is closed at once, the streams go on",
)
async def test_a_connection_too_many_is_not_let_in(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 2)
    ((name, value),) = (await session_of(rig)).items()
    head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {name}={value}\r\n\r\n"
    async with (
        await serve(rig.app, Address()) as server,
        connections(server, 2, head.encode()) as streams,
    ):
        await until(lambda: rig.context.streams.lookers == 2, timeout_s=20)
        async with connections(server, 1, b"") as third, asyncio.timeout(20):
            with suppress(ConnectionError):
                assert await third[0][0].read() == b""
        async with asyncio.timeout(20):
            for reader, _ in streams:
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")


def test_half_of_the_descriptors_are_left_to_the_rest_of_the_process() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (10_000 if hard == resource.RLIM_INFINITY else hard, hard)
    )
    try:
        assert serving.most_connections() == serving.MAX_CONNECTIONS
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        assert 1 <= serving.most_connections() < 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_body_too_large_is_refused(rig: Rig) -> None:
    client = await rig.client()
    body = b'{"name": "' + b"x" * 300_000 + b'"}'
    headers = {"Content-Type": "application/json"}

    async def in_pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 10_000):
            yield body[at : at + 10_000]

    for content in (body, in_pieces()):
        answer = await client.post("/api/v1/login", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_with_a_certificate_it_is_https(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with (
        web_rig(tmp_path, secure=True) as rig,
        await serve(rig.app, Address(cert_file=cert, key_file=key)) as server,
        httpx.AsyncClient(verify=context, timeout=20) as client,
    ):
        assert server.url.startswith("https://127.0.0.1:")
        assert (await client.get(f"{server.url}api/v1/setup")).json() == {"needed": False}


async def test_a_certificate_that_is_none_is_an_error_with_its_name(
    rig: Rig, tmp_path: Path
) -> None:
    rubbish = tmp_path / "cert.pem"
    rubbish.write_text("rubbish", encoding="ascii")
    with pytest.raises(OSError, match=r"cert\.pem"):
        await serve(rig.app, Address(cert_file=rubbish, key_file=rubbish))
