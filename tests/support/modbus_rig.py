"""pymodbus's own server, and the rig by which the contract suite uses it."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.contract import Driver, TagRequest, Value
from drivers.modbus import SPEC
from drivers.modbus.settings import Client
from tests.support.modbus_line_rig import ADDRESSES, GOOD, REFUSED
from tests.support.ports import free_port
from tests.support.rig import PATIENT_S, Address, RigFactory

_HOST = "127.0.0.1"
_UNIT = 5
_REGISTERS = 40
_BITS = 32
_HASTY_MS = 200


class _Rig:
    good = GOOD
    refused = REFUSED
    gives_up_s = 3 * _HASTY_MS / 1000

    def __init__(self, client: Client) -> None:
        self._client = client
        self._values = {key: first for key, (first, _) in self.good.items()}
        self._port = free_port()
        self._server: ModbusTcpServer | None = None

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        timeout_ms = _HASTY_MS if hasty else 1000 * PATIENT_S
        host, port = at or (_HOST, self._port)
        link = SPEC.link_settings(
            host=host, port=port, unit_id=_UNIT, timeout_ms=timeout_ms, client=self._client
        )
        tags = [
            TagRequest(key, "plc", 0.05, SPEC.tag_settings(**settings))
            for key, settings in ADDRESSES.items()
        ]
        return SPEC.create(link, tags, {})

    async def set(self, key: str, value: Value) -> None:
        self._values[key] = value
        await self._write(key, value)

    async def start_server(self) -> None:
        words = SimData(0, values=[0] * _REGISTERS, datatype=DataType.REGISTERS)
        bits = SimData(0, values=[False] * _BITS, datatype=DataType.BITS)
        self._server = ModbusTcpServer(
            SimDevice(_UNIT, simdata=([bits], [bits], [words], [words])),
            address=(_HOST, self._port),
        )
        await self._server.serve_forever(background=True)
        for key, value in self._values.items():
            await self._write(key, value)

    async def stop_server(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]

    async def _write(self, key: str, value: Value) -> None:
        assert self._server is not None
        context = self._server.context
        match key:
            case "press/good_parts":
                assert isinstance(value, int)
                low_word_first = [value & 0xFFFF, value >> 16]
                await context.async_setValues(_UNIT, 16, 10, low_word_first)
            case "press/temperature":
                assert isinstance(value, float)
                words = list(struct.unpack(">HH", struct.pack(">f", value)))
                await context.async_setValues(_UNIT, 4, 3, words)
            case "press/running":
                await context.async_setValues(_UNIT, 15, 5, [bool(value)])
            case "press/door":
                await context.async_setValues(_UNIT, 2, 9, [bool(value)])


def rig_of(client: Client) -> RigFactory:
    """Return the rig for one of our clients."""

    @asynccontextmanager
    async def rig() -> AsyncIterator[_Rig]:
        running = _Rig(client)
        await running.start_server()
        try:
            yield running
        finally:
            await running.stop_server()

    return rig
