"""Modbus devices of other hands behind the transports they speak, and their rigs.

- libmodbus (C) and modbus-serial (Node.js), each by TCP and on a serial line.
- Neither speaks RTU in a TCP stream: as in a plant, a serial server stands before the line.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drivers.modbus import SPECS
from tests.support.foreign_process import SHELF, ForeignServer, built, scripted
from tests.support.modbus_carriers import SerialDevice
from tests.support.modbus_device import COIL, DI, HR, IR, Device
from tests.support.modbus_line_rig import LineRigOf, RigOf, StrangeLine
from tests.support.modbus_lines import Line
from tests.support.ports import HOST, free_port
from tests.support.pty_pair import null_modem
from tests.support.rig import Rig, RigFactory

UNIT = 5
SMALL = 40
_NAMES = {COIL: "coil", DI: "di", HR: "hr", IR: "ir"}
_COMMANDS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "libmodbus": lambda: built("libmodbus_server"),
    "modbus-serial": lambda: scripted("modbus_serial_server.js"),
}


@dataclass
class ForeignDevice(Device):
    """Looks like the scripted device to a rig; another program answers."""

    maker: str = ""
    size: int = SMALL
    """How many addresses each table has, from 0 on."""
    server: ForeignServer | None = field(default=None)

    def put(self, function: int, start: int, *values: int) -> None:
        super().put(function, start, *values)
        if self.server is not None:
            self._tell(function, dict(enumerate(values, start)))

    async def start(self) -> None:
        self.serve("tcp", str(self.port))

    async def stop(self) -> None:
        if self.server is not None:
            self.server.stop()

    def serve(self, *where: str) -> None:
        """Start the program with all it held before."""
        self.server = ForeignServer([*_COMMANDS[self.maker](), *where, str(UNIT), str(self.size)])
        self.server.start()
        self.tell_all()

    def tell_all(self) -> None:
        for function, table in self.tables.items():
            self._tell(function, table)

    def _tell(self, function: int, values: Mapping[int, int]) -> None:
        assert self.server is not None
        if self.server.runs:
            for address, value in values.items():
                self.server.tell(f"{_NAMES[function]} {address} {value}")


@dataclass
class ForeignSerialDevice(ForeignDevice, SerialDevice):
    """The same on a serial line; ``path`` leads to it while it is plugged in."""

    _line: AsyncExitStack | None = None
    _far: str = ""

    async def start(self) -> None:
        self._line = AsyncExitStack()
        near, self._far = await self._line.enter_async_context(null_modem())
        self.path.symlink_to(near)
        self.serve("rtu", self._far)

    async def stop(self) -> None:
        """Pull the plug."""
        await ForeignDevice.stop(self)
        if self._line is not None:
            self.path.unlink()
            line, self._line = self._line, None
            await line.aclose()

    @asynccontextmanager
    async def replaced_by_noise(self) -> AsyncIterator[None]:
        """Answer everything with what is no answer, in place of the program."""
        await ForeignDevice.stop(self)
        far = os.open(self._far, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        loop.add_reader(far, lambda: os.read(far, 4096) and os.write(far, b"HTTP/1.0 400\r\n"))
        try:
            yield
        finally:
            loop.remove_reader(far)
            os.close(far)


class _Port(asyncio.Protocol):
    """One client of a serial server: what it says goes to the line."""

    def __init__(self, server: "BehindSerialServer") -> None:
        self._server = server
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.opened(transport)

    def data_received(self, data: bytes) -> None:
        os.write(self._server.line, data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._server.closed(self._transport)


@dataclass
class BehindSerialServer(ForeignDevice):
    """A device on a line that a serial server leads to as it is."""

    line: int = -1
    _end: int = -1

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.line, self._end = os.openpty()
        os.set_blocking(self.line, False)
        self.serve("rtu", os.ttyname(self._end))
        loop.add_reader(self.line, self._hear)
        self._server = await loop.create_server(lambda: _Port(self), HOST, self.port)

    async def stop(self) -> None:
        await ForeignDevice.stop(self)
        if self._server is not None:
            self._server.close()
            self._server = None
            self.cut()
            asyncio.get_running_loop().remove_reader(self.line)
            os.close(self.line)
            os.close(self._end)

    def _hear(self) -> None:
        said = os.read(self.line, 4096)
        for client in self._open:
            client.write(said)


class _TcpRig(RigOf):
    """Lends its server to the next test if it still runs."""

    async def begin(self, kind: str) -> None:
        device = self.line.device
        assert isinstance(device, ForeignDevice)
        found = SHELF.take(kind)
        if found is None:
            device.port = free_port()
            await device.start()
        else:
            device.server, device.port = found
            device.tell_all()

    def end(self, kind: str) -> None:
        device = self.line.device
        assert isinstance(device, ForeignDevice)
        if device.server is not None:
            SHELF.put(kind, device.server, device.port)


class _SerialRig(LineRigOf):
    @asynccontextmanager
    async def silent(self) -> AsyncIterator[StrangeLine]:
        device = self._device()
        assert device.server is not None
        device.server.freeze()
        yield StrangeLine(self.line)
        device.server.thaw()

    @asynccontextmanager
    async def babbling(self) -> AsyncIterator[StrangeLine]:
        async with self._device().replaced_by_noise():
            yield StrangeLine(self.line)

    def _device(self) -> ForeignSerialDevice:
        assert isinstance(self.line.device, ForeignSerialDevice)
        return self.line.device


@asynccontextmanager
async def _running(line: Line) -> AsyncIterator[Line]:
    await line.device.start()
    try:
        yield line
    finally:
        await line.device.stop()


def tcp_line(maker: str, size: int, **settings: Any) -> AbstractAsyncContextManager[Line]:
    """Run a maker's Modbus TCP server with tables of this size."""
    device = ForeignDevice(maker=maker, size=size, port=free_port())
    return _running(Line("modbus-tcp", device, {"host": HOST} | settings))


def serial_server_line(maker: str, size: int, **settings: Any) -> AbstractAsyncContextManager[Line]:
    """Run a maker's RTU device at the end of a TCP stream."""
    device = BehindSerialServer(maker=maker, size=size, port=free_port())
    return _running(Line("modbus-rtu-tcp", device, {"host": HOST} | settings))


@asynccontextmanager
async def serial_line(maker: str, size: int) -> AsyncIterator[Line]:
    """Run a maker's RTU device on a pair of pseudo-terminals."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ttyTEST"
        device = ForeignSerialDevice(maker=maker, size=size, path=path)
        where = {"port": str(path), "baudrate": 115_200}
        async with _running(Line("modbus-rtu", device, where)) as line:
            yield line


def over_tcp(maker: str, **settings: Any) -> RigFactory:
    """Return the rig of a maker's Modbus TCP server."""

    @asynccontextmanager
    async def rig() -> AsyncIterator[Rig]:
        where = {"host": HOST} | settings
        running = _TcpRig(Line("modbus-tcp", ForeignDevice(maker=maker), where))
        await running.begin(maker)
        try:
            yield running
        finally:
            running.end(maker)

    return rig


def serial(maker: str) -> RigFactory:
    """Return the rig of a maker's RTU device on a serial line."""

    @asynccontextmanager
    async def rig() -> AsyncIterator[Rig]:
        async with serial_line(maker, SMALL) as line:
            yield _SerialRig(line)

    return rig


def behind_serial_server(maker: str, **settings: Any) -> RigFactory:
    """Return the rig of a maker's RTU device behind a serial server."""

    @asynccontextmanager
    async def rig() -> AsyncIterator[Rig]:
        async with serial_server_line(maker, SMALL, **settings) as line:
            yield RigOf(line)

    return rig


RIGS: Mapping[str, RigFactory] = {
    "modbus-tcp, libmodbus": over_tcp("libmodbus", client="pymodbus"),
    "modbus-tcp, libmodbus, fast": over_tcp("libmodbus", client="fast"),
    "modbus-tcp, libmodbus, fast, pipelined": over_tcp("libmodbus", client="fast", pipeline=16),
    "modbus-tcp, modbus-serial": over_tcp("modbus-serial", client="pymodbus"),
    "modbus-tcp, modbus-serial, fast": over_tcp("modbus-serial", client="fast"),
    "modbus-rtu, libmodbus": serial("libmodbus"),
    "modbus-rtu, modbus-serial": serial("modbus-serial"),
    "modbus-rtu-tcp, libmodbus": behind_serial_server("libmodbus", client="pymodbus"),
    "modbus-rtu-tcp, libmodbus, fast": behind_serial_server("libmodbus", client="fast"),
    "modbus-rtu-tcp, modbus-serial, fast": behind_serial_server("modbus-serial", client="fast"),
}
assert {name.partition(",")[0] for name in RIGS} <= SPECS.keys()
