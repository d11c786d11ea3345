"""Machines on a real Modbus TCP server: one socket, one or more units, four tables each.

- An answer shows its machines as they are at the moment of the request, and what it
  shows is recorded.
- `stop` closes the listening socket and every connection; `start` comes back on the
  same port.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer

from simulators.clock import PlantClock
from simulators.modbus_unit import TABLES, packed, unit_device
from simulators.registers import TABLE_SIZE, covered, encode
from simulators.served import Record

HOST = "127.0.0.1"


@dataclass(slots=True)
class ModbusController:
    """A controller: the machines of each unit id behind one port."""

    name: str
    units: Mapping[int, Sequence[Record]]
    clock: PlantClock
    port: int = 0
    connections: int = 0
    _server: ModbusTcpServer | None = field(default=None, init=False)
    _asked: dict[tuple[int, int, int], int] = field(default_factory=dict, init=False)
    """(unit, function, address) -> the count asked for last."""

    async def start(self) -> None:
        """Listen on ``port``, or on a free one that is kept from then on."""
        devices = [
            unit_device(unit, TABLE_SIZE, partial(self._answer, unit)) for unit in self.units
        ]
        server = ModbusTcpServer(
            devices,
            address=(HOST, self.port),
            trace_pdu=self._note_request,
            trace_connect=lambda opened: self._connected(server, opened=opened),
        )
        self._server, self.connections = server, 0
        await server.serve_forever(background=True)
        listening = cast("asyncio.Server", server.transport)
        self.port = listening.sockets[0].getsockname()[1]

    async def stop(self, why: str = "power_off") -> None:
        """Close the listening socket and every connection."""
        server, self._server = self._server, None
        if server is None:
            return
        await server.shutdown()  # type: ignore[no-untyped-call]
        self._cut(why)

    async def close(self) -> None:
        """Release everything; there is no start after it."""
        await self.stop()

    async def tick(self) -> None:
        """Do nothing: an answer is computed when it is asked for."""

    def _connected(self, server: ModbusTcpServer, *, opened: bool) -> None:
        if server is not self._server:
            return  # a connection of the time before the power was cut
        self.connections += 1 if opened else -1
        if self.connections == 0:
            self._cut("collector_down")

    def _note_request(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not sending:
            self._asked[pdu.dev_id, pdu.function_code, pdu.address] = pdu.count
        return pdu

    def _cut(self, why: str) -> None:
        at = self.clock.wall()
        for records in self.units.values():
            for record in records:
                record.cut(at, why)

    def _answer(
        self, unit: int, function: int, address: int, registers: int
    ) -> tuple[int, list[int]]:
        """Return where in the table's ``registers`` the answer stands, and the answer."""
        table, asked = TABLES[function], self._asked[unit, function, address]
        at, now_s = self.clock.wall(), self.clock.virtual_s()
        records = self.units[unit]
        for record in records:
            record.machine.advance(now_s)
        machines = [record.machine for record in records]
        if table in ("hr", "ir"):
            place, words = address, encode(machines, table, address, registers)
        else:
            place = address // 16
            words = packed(encode(machines, table, place * 16, registers * 16))
        for record in records:
            for facet in covered(record.machine, table, address, asked):
                record.served(facet, at)
        return place, words
