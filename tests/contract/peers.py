"""Peers that do not answer as they should: TCP servers, or what the rig brings itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Self

from tests.support.rig import Address, LineRig, Rig, StrangePeer
from tests.support.until import until


def silent_peer(rig: Rig) -> AbstractAsyncContextManager[StrangePeer]:
    """Return one that accepts and never says a word."""
    return rig.silent() if isinstance(rig, LineRig) else SilentServer()


def babbling_peer(rig: Rig) -> AbstractAsyncContextManager[StrangePeer]:
    """Return one that answers everything with what is no answer."""
    return rig.babbling() if isinstance(rig, LineRig) else _babbling_server()


class Peer(asyncio.Protocol):
    """Accepts and never says a word."""

    def __init__(self, server: "SilentServer") -> None:
        self._server = server
        self._transport: asyncio.BaseTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.accepted += 1
        self._server.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._server.open.discard(self._transport)


class SilentServer:
    def __init__(self) -> None:
        self.open: set[asyncio.BaseTransport] = set()
        self.accepted = 0
        self.address = ("127.0.0.1", 0)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Peer(self), *self.address)
        self.address = self._server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for transport in [*self.open]:
            transport.close()
        await until(lambda: not self.open)

    async def is_left(self) -> None:
        """Wait until nobody is connected, those the system has not yet handed over included."""
        before = self.accepted
        _, writer = await asyncio.open_connection(*self.address)
        await until(lambda: self.accepted > before)
        writer.close()
        await writer.wait_closed()
        await until(lambda: not self.open)


class Babbler(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"HTTP/1.0 400 Bad Request\r\n\r\n" + data[::-1])


@dataclass
class _Listening:
    address: Address

    async def is_left(self) -> None:
        """Nobody looks."""


@asynccontextmanager
async def _babbling_server() -> AsyncIterator[_Listening]:
    server = await asyncio.get_running_loop().create_server(Babbler, "127.0.0.1", 0)
    try:
        yield _Listening(server.sockets[0].getsockname()[:2])
    finally:
        server.close()
