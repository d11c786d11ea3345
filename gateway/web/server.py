"""The web server inside this process.

Promises:

1. It binds loopback addresses only: the board has no logins.
2. A taken port is an OSError for the caller, never an exit of the process.
3. Signals stay with the owner; `BoardServer.close` ends open streams at once.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Generator
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from gateway.web.live import Board

GRACE_S = 2
MAX_CONNECTIONS = 200
BACKLOG = 128


class NotLoopback(ValueError):
    """The address would show the board, which has no logins, to other machines."""

    def __init__(self, host: str) -> None:
        """Name the address."""
        super().__init__(
            f"the board has no logins yet and binds this machine only (127.0.0.1), not {host}"
        )
        self.host = host


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the owner of the loop has his own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class BoardServer:
    """A running server: ``await serve(...)``, and `close` when done (or ``async with``)."""

    def __init__(
        self, server: _Server, board: Board, task: "asyncio.Task[None]", address: tuple[str, int]
    ) -> None:
        self.host, self.port = address
        self._server = server
        self._board = board
        self._task = task

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    async def wait(self) -> None:
        """Return when the server ended; raises what ended it. Cancelling does not end it."""
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Stop: streams end now, other answers have 2 s; then the board is closed."""
        self._board.closing.set()
        self._server.should_exit = True
        try:
            await self._task
        finally:
            await self._board.close()

    async def __aenter__(self) -> Self:
        """The server is running already."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.close()


async def serve(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> BoardServer:
    """Bind, start and return once requests are answered; port 0 takes a free one.

    Raises NotLoopback, or OSError if the address cannot be bound.
    """
    listener = _bind(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="board server")
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        server.should_exit = True
        await task
        raise
    finally:
        ready.cancel()
    if task.done():
        task.result()
    return BoardServer(server, app.state.board, task, listener.getsockname()[:2])


def _loopback(host: str) -> str:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as err:
        raise NotLoopback(host) from err
    if not address.is_loopback:
        raise NotLoopback(host)
    return str(address)


def _bind(host: str, port: int) -> socket.socket:
    address = _loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as err:
        listener.close()
        message = f"the board cannot use {address}:{port}: {err.strerror}"
        raise OSError(err.errno, message) from err
    return listener
