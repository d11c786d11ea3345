"""An HTTP endpoint as an MES has one, which may also misbehave. Knows nothing of ours."""

import asyncio
import hashlib
import hmac
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

DRIP_S = 0.05
HANDSHAKE_S = 2.0
HOST = "127.0.0.1"
KEY = "of the mes"


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)
        return found

    @property
    def is_signed(self) -> bool:
        signed = self.headers["millgate-timestamp"].encode() + b"." + self.body
        mac = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers["millgate-signature"], f"sha256={mac}")


@dataclass(frozen=True)
class Says:
    """One answer. ``takes`` tells whether what came is kept before it."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    takes: bool = False
    after_s: float = 0.0
    drips: bool = False
    """The body comes byte by byte, slowly."""
    cut: int | None = None
    """Send so many bytes of it and close."""


CUT_BEFORE = Says(takes=True, cut=0)
"""It was taken, and nobody says so."""


@dataclass
class Target:
    port: int = 0
    script: deque[Says] = field(default_factory=deque)
    """What is said to the next requests; then they are taken."""
    refuses: Callable[[dict[str, Any]], bool] = lambda _: False
    requests: list[Request] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/facts"

    @property
    def seqs(self) -> list[int]:
        """Of what was taken, in order, repeats too."""
        return [int(event["id"].rsplit("-", 1)[1]) for event in self.taken]

    @property
    def sizes(self) -> list[int]:
        """How many events came with each request."""
        return [len(request.events) for request in self.requests]

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        # A client that leaves in the middle of a handshake is not always noticed by asyncio.
        self._server = await asyncio.start_server(
            self._serve,
            HOST,
            self.port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_S,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in [*self._open]:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while (request := await _request(reader)) is not None:
                self.requests.append(request)
                if not await self._answer(request, writer):
                    break
        except ConnectionError:
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        said = self.script.popleft() if self.script else self._honest(request)
        if said.takes:
            self.taken += request.events
        await asyncio.sleep(said.after_s)
        headers = {"Content-Length": str(len(said.body)), **said.headers}
        lines = [f"HTTP/1.1 {said.status} -", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        whole = "\r\n".join(lines).encode() + said.body
        if said.drips:
            writer.write(whole[: -len(said.body)])
            for byte in said.body:
                await asyncio.sleep(DRIP_S)
                writer.write(bytes([byte]))
                await writer.drain()
            return True
        writer.write(whole[: said.cut])
        await writer.drain()
        return said.cut is None

    def _honest(self, request: Request) -> Says:
        if not request.is_signed:
            return Says(401)
        if any(self.refuses(event) for event in request.events):
            return Says(422, body=b"what is this?")
        return Says(takes=True)


async def _request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split()[1], headers, body)


@asynccontextmanager
async def target(tls: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    one = Target()
    await one.start(tls)
    try:
        yield one
    finally:
        await one.stop()
