"""Every Modbus transport against the servers of another implementation, pymodbus's own."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.contract import Driver, TagRequest, Value
from drivers.modbus import SPECS
from tests.support.pty_pair import null_modem

HOST = "127.0.0.1"
UNIT = 5
TAGS = {
    "word": {"address": "hr:0"},
    "long": {"address": "hr:100", "type": "uint32"},
    "input": {"address": "ir:7"},
    "coil": {"address": "coil:3"},
    "contact": {"address": "di:9"},
    "missing": {"address": "hr:900"},
}
VALUES: dict[str, Value] = {
    "word": 256,
    "long": 100 << 16 | 101,
    "input": 7,
    "coil": True,
    "contact": False,
}
Where = dict[str, Any]


def device() -> SimDevice:
    words = SimData(0, values=[256, *range(1, 200)], datatype=DataType.REGISTERS)
    bits = SimData(0, values=[False, False, False, True] * 8, datatype=DataType.BITS)
    contacts = SimData(0, values=[False] * 32, datatype=DataType.BITS)
    return SimDevice(UNIT, simdata=([bits], [contacts], [words], [words]))


@asynccontextmanager
async def serving(server: Any, where: Where) -> AsyncIterator[Where]:
    await server.serve_forever(background=True)
    try:
        if "host" in where:
            transport = server.transport
            listening = getattr(transport, "sockets", None) or [transport.get_extra_info("socket")]
            where = where | {"port": listening[0].getsockname()[1]}
        yield where
    finally:
        await server.shutdown()


def over_tcp(framer: FramerType, **where: Any) -> AbstractAsyncContextManager[Where]:
    server = ModbusTcpServer(device(), framer=framer, address=(HOST, 0))
    return serving(server, {"host": HOST, **where})


def rtu_tcp(_: Path) -> AbstractAsyncContextManager[Where]:
    return over_tcp(FramerType.RTU, client="pymodbus")


def rtu_tcp_fast(_: Path) -> AbstractAsyncContextManager[Where]:
    return over_tcp(FramerType.RTU, client="fast")


def ascii_tcp(_: Path) -> AbstractAsyncContextManager[Where]:
    return over_tcp(FramerType.ASCII)


def udp(_: Path) -> AbstractAsyncContextManager[Where]:
    return serving(ModbusUdpServer(device(), address=(HOST, 0)), {"host": HOST})


def tls(folder: Path) -> AbstractAsyncContextManager[Where]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    server = ModbusTlsServer(device(), address=(HOST, 0), sslctx=context)
    return serving(server, {"host": HOST, "ca_file": str(folder / "ca.pem")})


@asynccontextmanager
async def serial(framer: FramerType, **where: Any) -> AsyncIterator[Where]:
    async with null_modem() as (ours, theirs):
        server = ModbusSerialServer(device(), framer=framer, port=theirs, baudrate=115_200)
        async with serving(server, {"port": ours, "baudrate": 115_200, **where}) as found:
            yield found


def rtu(_: Path) -> AbstractAsyncContextManager[Where]:
    return serial(FramerType.RTU)


def ascii_(_: Path) -> AbstractAsyncContextManager[Where]:
    return serial(FramerType.ASCII, data_bits=8)


SERVERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Where]]] = {
    "modbus-rtu-tcp": rtu_tcp,
    "modbus-rtu-tcp, fast": rtu_tcp_fast,
    "modbus-ascii-tcp": ascii_tcp,
    "modbus-udp": udp,
    "modbus-tls": tls,
    "modbus-rtu": rtu,
    "modbus-ascii": ascii_,
}


def driver_to(protocol: str, where: Where) -> Driver:
    spec = SPECS[protocol]
    link = spec.link_settings(unit_id=UNIT, timeout_ms=2000, **where)
    tags = [TagRequest(key, "plc", 0.1, spec.tag_settings(**tag)) for key, tag in TAGS.items()]
    return spec.create(link, tags, {})


@pytest.mark.parametrize("transport", SERVERS)
async def test_values_and_refusals_come_through(transport: str, tmp_path: Path) -> None:
    async with SERVERS[transport](tmp_path) as where:
        driver = driver_to(transport.partition(",")[0], where)
        async with driver.open() as session:
            first = await session.read(driver.groups)
            assert first.changed == VALUES
            assert first.bad == {"missing": "illegal_address"}
            again = await session.read(driver.groups)
            assert (again.changed, set(again.bad)) == ({}, {"missing"})
