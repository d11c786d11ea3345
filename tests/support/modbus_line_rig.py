"""The rig by which the contract suite uses a scripted device behind any transport."""

import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from drivers.contract import Driver, TagRequest, Value
from drivers.modbus import SPECS
from tests.support.modbus_carriers import SerialDevice
from tests.support.modbus_device import COIL, DI, HR, IR
from tests.support.modbus_lines import LINES, Line
from tests.support.rig import PATIENT_S, Address, LineRig, Rig, RigFactory
from tests.support.until import until

_HASTY_MS = 200
_OVER_TCP = frozenset({"modbus-tcp", "modbus-rtu-tcp", "modbus-ascii-tcp", "modbus-tls"})
ADDRESSES: Mapping[str, Mapping[str, object]] = {
    "press/good_parts": {"address": "hr:10", "type": "uint32", "order": "CDAB"},
    "press/temperature": {"address": "ir:3", "type": "float32"},
    "press/running": {"address": "coil:5"},
    "press/door": {"address": "di:9"},
    "press/missing": {"address": "hr:900"},
}


GOOD: Mapping[str, tuple[Value, Value]] = {
    "press/good_parts": (70_000, 70_001),
    "press/temperature": (21.5, -3.25),
    "press/running": (False, True),
    "press/door": (True, False),
}
REFUSED = "press/missing"


class RigOf:
    """Tags that read the four tables of a device."""

    good = GOOD
    refused = REFUSED
    gives_up_s = 3 * _HASTY_MS / 1000

    def __init__(self, line: Line) -> None:
        self.line = line
        for key, (first, _) in self.good.items():
            self._put(key, first)

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        timeout_ms = _HASTY_MS if hasty else 1000 * PATIENT_S
        where = {} if at is None else {"host": at[0], "port": at[1]}
        link = self.line.link(unit_id=5, timeout_ms=timeout_ms, **where)
        spec = SPECS[self.line.protocol]
        tags = [
            TagRequest(key, "plc", 0.05, spec.tag_settings(**settings))
            for key, settings in ADDRESSES.items()
        ]
        return spec.create(link, tags, self.line.shared if at is None else {})

    async def set(self, key: str, value: Value) -> None:
        self._put(key, value)

    async def start_server(self) -> None:
        await self.line.device.start()

    async def stop_server(self) -> None:
        await self.line.device.stop()

    def _put(self, key: str, value: Value) -> None:
        device = self.line.device
        match key:
            case "press/good_parts":
                assert isinstance(value, int)
                device.put(HR, 10, value & 0xFFFF, value >> 16)
            case "press/temperature":
                assert isinstance(value, float)
                device.put(IR, 3, *struct.unpack(">HH", struct.pack(">f", value)))
            case "press/running":
                device.put(COIL, 5, int(value))
            case "press/door":
                device.put(DI, 9, int(value))


@dataclass
class StrangeLine:
    """The rig's own device, turned strange."""

    line: Line
    address: Address | None = None

    async def is_left(self) -> None:
        device = self.line.device
        if isinstance(device, SerialDevice):
            await until(lambda: _holders(device.path) == 1)  # the device's own


class LineRigOf(RigOf):
    """Nobody else can listen where this device does, so it plays the strange peers itself."""

    @property
    def notices_absence(self) -> bool:
        return self.line.protocol != "modbus-udp"

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[StrangeLine]:
        self.line.device.lie = lambda _asked, _honest: None
        yield StrangeLine(self.line)

    @asynccontextmanager
    async def babbling(self) -> AsyncIterator[StrangeLine]:
        self.line.device.lie = lambda _asked, _honest: b"HTTP/1.0 400 Bad Request\r\n\r\n"
        yield StrangeLine(self.line)


def _holders(path: Path) -> int:
    device = os.path.realpath(path)
    return sum(os.path.realpath(fd) == device for fd in Path("/proc/self/fd").iterdir())


@asynccontextmanager
async def _rig(protocol: str) -> AsyncIterator[Rig]:
    async with LINES[protocol]() as line:
        rig: Rig | LineRig = RigOf(line) if line.protocol in _OVER_TCP else LineRigOf(line)
        try:
            yield rig
        finally:
            line.device.lie = None


def rig_of(protocol: str) -> RigFactory:
    """Return the rig of a Modbus transport."""

    def factory() -> AbstractAsyncContextManager[Rig]:
        return _rig(protocol)

    return factory
