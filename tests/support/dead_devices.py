"""The ways in which a device can be dead, each a port of 127.0.0.1."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.contract.peers import SilentServer
from tests.support.modbus_device import Asked, Device, device
from tests.support.ports import HOST, free_port


@asynccontextmanager
async def switched_off() -> AsyncIterator[int]:
    """Its address refuses."""
    yield free_port()


@asynccontextmanager
async def hung() -> AsyncIterator[int]:
    """It takes the connection and never says a word."""
    async with SilentServer() as server:
        yield server.address[1]


@asynccontextmanager
async def gone_after_one_answer() -> AsyncIterator[int]:
    """The connection stays as it was when the cable was pulled."""
    async with device() as found:
        found.put(3, 0, 0)
        found.lie = _answers_once(found)
        yield found.port


def _answers_once(found: Device) -> Callable[[Asked, bytes], bytes | None]:
    return lambda _, honest: honest if len(found.asked) == 1 else None


@asynccontextmanager
async def unplugged() -> AsyncIterator[int]:
    """Nothing comes back, not even a refusal: what connects is dropped."""
    with contextlib.ExitStack() as sockets:
        listening = sockets.enter_context(socket.create_server((HOST, 0), backlog=0))
        for _ in range(4):  # the queue of those who wait to be accepted is full
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listening.getsockname())
        await asyncio.sleep(0)
        yield listening.getsockname()[1]


DEATHS: Mapping[str, Callable[[], AbstractAsyncContextManager[int]]] = {
    "switched off": switched_off,
    "hung": hung,
    "gone after one answer": gone_after_one_answer,
    "unplugged": unplugged,
}
