"""A scripted device behind every transport, and the settings that lead to it."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme

from drivers.clock import Clock
from drivers.modbus import SPECS
from drivers.modbus.settings import LinkSettings
from drivers.modbus.wire import Wire
from drivers.modbus.wires import wire_of
from drivers.modbus.wires.listener import Listener
from tests.support.modbus_carriers import DtuDevice, SerialDevice, UdpDevice, running
from tests.support.modbus_device import Device
from tests.support.ports import HOST, free_port

REGISTRATION = "SN0001"


@dataclass
class Line:
    """A running device, and how to reach it."""

    protocol: str
    device: Device
    where: Mapping[str, Any]
    shared: dict[str, Any] = field(default_factory=dict)
    """What the links to it have in common, as in a gateway."""

    def link(self, **settings: Any) -> LinkSettings:
        """Return link settings that lead to the device."""
        spec = SPECS[self.protocol]
        link = spec.link_settings(**{"port": self.device.port, **self.where, **settings})
        assert isinstance(link, LinkSettings)
        return link

    def wire(self, clock: Clock | None = None, **settings: Any) -> Wire:
        """Return a closed wire to the device."""
        return wire_of(self.link(**settings), clock or Clock(), self.shared)

    def close(self) -> None:
        """Hang up on those who dialled in."""
        for thing in self.shared.values():
            if isinstance(thing, Listener):
                thing.close()


@asynccontextmanager
async def _line(protocol: str, device: Device, **where: Any) -> AsyncIterator[Line]:
    async with running(device):
        line = Line(protocol, device, where)
        try:
            yield line
        finally:
            line.close()


def tcp() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-tcp", Device(), host=HOST, client="pymodbus")


def rtu_tcp() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-rtu-tcp", Device(framing="rtu"), host=HOST, client="pymodbus")


def fast() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-tcp", Device(), host=HOST, client="fast")


def fast_pipelined() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-tcp", Device(), host=HOST, client="fast", pipeline=16)


def fast_rtu_tcp() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-rtu-tcp", Device(framing="rtu"), host=HOST, client="fast")


def ascii_tcp() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-ascii-tcp", Device(framing="ascii"), host=HOST)


def udp() -> AbstractAsyncContextManager[Line]:
    return _line("modbus-udp", UdpDevice(), host=HOST)


@asynccontextmanager
async def tls() -> AsyncIterator[Line]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(ca_file)
        async with _line("modbus-tls", Device(tls=context), host=HOST, ca_file=str(ca_file)) as it:
            yield it


@asynccontextmanager
async def rtu() -> AsyncIterator[Line]:
    with TemporaryDirectory() as folder:
        port = Path(folder) / "ttyTEST"
        device = SerialDevice(path=port)
        async with _line("modbus-rtu", device, port=str(port), baudrate=115_200) as it:
            yield it


@asynccontextmanager
async def ascii_() -> AsyncIterator[Line]:
    with TemporaryDirectory() as folder:
        port = Path(folder) / "ttyTEST"
        device = SerialDevice(path=port, framing="ascii")
        where = {"port": str(port), "baudrate": 115_200, "data_bits": 8}
        async with _line("modbus-ascii", device, **where) as it:
            yield it


@asynccontextmanager
async def listen() -> AsyncIterator[Line]:
    device = DtuDevice(port=free_port(), registration=REGISTRATION.encode())
    where = {"host": HOST, "registration": {"text": REGISTRATION}}
    async with _line("modbus-listen", device, **where) as it:
        yield it


LINES: Mapping[str, Callable[[], AbstractAsyncContextManager[Line]]] = {
    "modbus-tcp": tcp,
    "modbus-rtu-tcp": rtu_tcp,
    "modbus-ascii-tcp": ascii_tcp,
    "modbus-udp": udp,
    "modbus-tls": tls,
    "modbus-rtu": rtu,
    "modbus-ascii": ascii_,
    "modbus-listen": listen,
    "modbus-tcp, fast": fast,
    "modbus-tcp, fast, pipelined": fast_pipelined,
    "modbus-rtu-tcp, fast": fast_rtu_tcp,
}
"""By protocol and, behind a comma, what is set beside it."""
