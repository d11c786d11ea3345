"""What carries a scripted device apart from TCP: datagrams, a serial line, a DTU that dials in."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tests.support.modbus_device import Device, Served
from tests.support.modbus_frames import Framing
from tests.support.ports import HOST
from tests.support.until import until

REDIAL_S = 0.02


class _Answers:
    """Where datagrams from one address are answered."""

    def __init__(self, transport: asyncio.DatagramTransport, to: tuple[str, int]) -> None:
        self._transport = transport
        self._to = to

    def write(self, data: bytes) -> None:
        self._transport.sendto(data, self._to)

    def abort(self) -> None:
        """There is no connection to cut."""

    def pause_reading(self) -> None:
        self._transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, device: Device) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answers = _Answers(self._transport, addr)
        self._device.opened(answers)
        assert not self._device.served(answers, data)


class UdpDevice(Device):
    """The device behind a UDP port."""

    _endpoint: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        self._endpoint, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(HOST, self.port)
        )

    async def stop(self) -> None:
        if self._endpoint is not None:
            self._endpoint.abort()
            self._endpoint = None
            await asyncio.sleep(0)  # the transport closes its socket in the next turn


class _Far:
    """The far end of a serial line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    def abort(self) -> None:
        """A line has no connection to cut."""

    def pause_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)


@dataclass
class SerialDevice(Device):
    """The device on a pseudo-terminal; ``path`` leads to it while it is plugged in."""

    path: Path = Path()
    framing: Framing = "rtu"
    _fds: tuple[int, ...] = ()
    _heard: bytes = b""

    async def start(self) -> None:
        near, far = os.openpty()
        tty.setraw(far)
        os.set_blocking(near, False)
        self._fds = (near, far)
        self._heard = b""
        self.path.symlink_to(os.ttyname(far))
        end = _Far(near)
        self.opened(end)
        asyncio.get_running_loop().add_reader(near, self._hear, end)

    async def stop(self) -> None:
        """Pull the plug."""
        if not self._fds:
            return
        self.path.unlink()
        fds, self._fds = self._fds, ()
        asyncio.get_running_loop().remove_reader(fds[0])
        self._open.clear()
        for fd in fds:
            os.close(fd)

    def _hear(self, end: _Far) -> None:
        with contextlib.suppress(OSError):
            self._heard = self.served(end, self._heard + os.read(self._fds[0], 4096))


@dataclass
class DtuDevice(Device):
    """The device behind a DTU that dials in to ``port`` of the gateway, again and again."""

    framing: Framing = "rtu"
    registration: bytes = b""
    _dialling: "asyncio.Task[None] | None" = None
    _hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._dialling = asyncio.create_task(self._dial())

    async def stop(self) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._dialling
            self._dialling = None
        self.cut()
        await until(lambda: self.connections == 0)

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(OSError):
                transport, _ = await loop.create_connection(lambda: Served(self), HOST, self.port)
                if self.registration:
                    transport.write(self.registration)
                await until(transport.is_closing, timeout_s=3600)
            await asyncio.sleep(REDIAL_S)


@asynccontextmanager
async def running(device: Device) -> AsyncIterator[Device]:
    """Start a device and stop it."""
    await device.start()
    try:
        yield device
    finally:
        await device.stop()
