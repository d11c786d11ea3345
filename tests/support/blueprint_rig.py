"""A server for the driver to copy, and the rig by which the contract suite uses it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from drivers._blueprint import SPEC
from drivers.contract import Driver, TagRequest, Value
from tests.support.ports import free_port
from tests.support.rig import PATIENT_S, Address

_HOST = "127.0.0.1"
_HASTY_MS = 200


class _Line(asyncio.Protocol):
    def __init__(self, rig: "_Rig") -> None:
        self._rig = rig
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._rig.open.add(transport)

    def data_received(self, data: bytes) -> None:
        for name in data.decode().split():
            answer = json.dumps(self._rig.values[name]) if name in self._rig.values else "?"
            self._transport.write(f"{answer}\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._rig.open.discard(self._transport)


class _Rig:
    good: Mapping[str, tuple[Value, Value]] = {"a/run": (False, True), "a/heat": (20.5, 21.25)}
    refused = "a/missing"
    gives_up_s = _HASTY_MS / 1000

    def __init__(self) -> None:
        self.values = {key: first for key, (first, _) in self.good.items()}
        self.open: set[asyncio.Transport] = set()
        self._port = free_port()
        self._server: asyncio.Server | None = None

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        timeout_ms = _HASTY_MS if hasty else 1000 * PATIENT_S
        host, port = at or (_HOST, self._port)
        tags = [
            TagRequest(key, "plc", None, SPEC.tag_settings(name=key))
            for key in (*self.good, self.refused)
        ]
        link = SPEC.link_settings(host=host, port=port, timeout_ms=timeout_ms)
        return SPEC.create(link, tags, {})

    async def set(self, key: str, value: Value) -> None:
        self.values[key] = value

    async def start_server(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self), _HOST, self._port)

    async def stop_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in [*self.open]:
            transport.abort()


@asynccontextmanager
async def RIG() -> AsyncIterator[_Rig]:  # noqa: N802 -- the name the suite asks for
    rig = _Rig()
    await rig.start_server()
    try:
        yield rig
    finally:
        await rig.stop_server()
