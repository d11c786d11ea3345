"""The web server inside this process.

Promises:

1. A taken port is an OSError for the caller, never an exit of the process.
2. Signals stay with the owner; `WebServer.close` ends open streams at once.
3. A client that sends its request slower than `REQUEST_S`, or does not read what it is sent
   for `UNREAD_S`, is cut off.
4. There are never more connections than `MAX_CONNECTIONS`, nor than half of the descriptors that
   were free at the start: the rest of the process keeps the other half. Whoever comes beyond that
   takes the place of who has kept us waiting longest for a request; if nobody does, he is not let
   in. So people are answered however many connections somebody holds open.
"""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.web.context import Context

GRACE_S = 2
MAX_CONNECTIONS = 400
REQUEST_S = 10.0
UNREAD_S = 30.0
BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and with which certificate."""

    host: str = "127.0.0.1"
    port: int = 0
    cert_file: Path | None = None
    key_file: Path | None = None


class _Protocol(H11Protocol):
    """uvicorn's, with an end to patience: a request has to be complete in time."""

    most = MAX_CONNECTIONS
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.most and not self._found_room():
            self.transport.abort()
            return
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body:
            self._forget()
        elif self._patience is None and not self.transport.is_closing():
            self._expect()

    def on_response_complete(self) -> None:
        self._forget()
        super().on_response_complete()

    def _found_room(self) -> bool:
        """Cut off who has kept us waiting longest for a request; False if nobody does."""
        waiting = [
            (one._patience.when(), id(one), one)  # noqa: SLF001 - of the same class
            for one in self.connections
            if isinstance(one, _Protocol) and one._patience and not one.transport.is_closing()  # noqa: SLF001
        ]
        if not waiting:
            return False
        min(waiting)[2].transport.abort()
        return True

    def _expect(self) -> None:
        self._patience = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _forget(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


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


class WebServer:
    """A running server: ``await serve(...)``, and `close` when done (or ``async with``)."""

    def __init__(
        self,
        server: _Server,
        context: Context,
        task: "asyncio.Task[None]",
        address: tuple[str, int],
        scheme: str,
    ) -> None:
        self.host, self.port = address
        self._scheme = scheme
        self._server = server
        self._context = context
        self._task = task

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in {"0.0.0.0", "::"}:  # noqa: S104 - everywhere, so also here
            host = "127.0.0.1"
        return f"{self._scheme}://{host}:{self.port}/"

    async def wait(self) -> None:
        """Return when the server ended; raises what ended it. Cancelling does not end it."""
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Stop: streams end now, other answers have 2 s; then the board is closed."""
        self._context.streams.end()
        self._server.should_exit = True
        try:
            await self._task
        finally:
            await self._context.streams.close()
            await self._context.board.close()

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


async def serve(app: FastAPI, address: Address, listener: socket.socket | None = None) -> WebServer:
    """Listen, start and return once requests are answered; port 0 takes a free one.

    ``listener`` is what `listen` returned before; it is closed in the end. Raises OSError if
    the address cannot be listened on or the certificate cannot be used.
    """
    config = _config(app, address)
    listener = listener or listen(address)
    try:
        config.load()
    except (OSError, ValueError) as err:
        listener.close()
        msg = f"the certificate {address.cert_file} cannot be used: {err}"
        raise OSError(msg) from err
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web server")
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
    scheme = "http" if address.cert_file is None else "https"
    return WebServer(server, app.state.web, task, listener.getsockname()[:2], scheme)


def most_connections() -> int:
    """Return how many are let in: half of the descriptors that are free, or `MAX_CONNECTIONS`."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    try:
        used = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:  # not Linux
        used = 0
    return max(1, min(MAX_CONNECTIONS, (allowed - used) // 2))


def _config(app: FastAPI, address: Address) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=type("_Limited", (_Protocol,), {"most": most_connections()}),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=address.cert_file,
        ssl_keyfile=address.key_file,
    )


def listen(address: Address) -> socket.socket:
    """Return a socket that listens: whoever asks for the port after that is refused.

    Raises OSError.
    """
    host = "127.0.0.1" if address.host == "localhost" else address.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # what accepts inherits; Linux
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_S * 1000))
        listener.bind((host, address.port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
