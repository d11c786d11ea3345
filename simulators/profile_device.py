"""A Modbus device that shows what it is handed: four tables of addresses and words.

- It knows nothing of tags, orders or device names; addresses are 0-based, values are the
  words as they are transmitted.
- Whatever was never set reads as zero, as in the memory of a controller.
- It answers reads only.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimAction, SimData, SimDevice

HOST = "127.0.0.1"
ADDRESSES = 65536
REGISTER_BITS = 16
Table = Literal["coil", "di", "hr", "ir"]
Words = int | Iterable[int]
_TABLES: Mapping[int, Table] = {1: "coil", 2: "di", 3: "hr", 4: "ir"}
"""Modbus Application Protocol V1.1b3: function code -> the table it reads."""


class ProfileDevice:
    """One unit behind a Modbus TCP server on a free port of this machine."""

    def __init__(self, unit: int = 1) -> None:
        """Begin with every table at zero."""
        self.unit = unit
        self.port = 0
        self._words: dict[Table, dict[int, int]] = {table: {} for table in _TABLES.values()}

    def show(self, table: Table, values: Mapping[str, Words]) -> None:
        """Set some addresses (``5``, ``0x2000``); of several words the first stands there."""
        for written, words in values.items():
            first = int(written, 0)
            row = [words] if isinstance(words, int) else words
            self._words[table].update(enumerate(row, first))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on `port` until the context ends."""
        server = ModbusTcpServer([self._simulated()], address=(HOST, self.port))
        await server.serve_forever(background=True)
        try:
            listening = cast("asyncio.Server", server.transport)
            self.port = listening.sockets[0].getsockname()[1]
            yield
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]

    def _simulated(self) -> SimDevice:
        bits = [SimData(0, values=[False] * ADDRESSES, datatype=DataType.BITS)]
        words = [SimData(0, values=[0] * ADDRESSES, datatype=DataType.REGISTERS)]
        tables = (bits, list(bits), words, list(words))
        return SimDevice(self.unit, simdata=tables, action=self._action())

    def _action(self) -> SimAction:
        """Return the hook pymodbus awaits before it answers from ``registers``.

        For a bit table pymodbus gives ``count`` in 16-bit registers, though ``address`` is
        a bit's, and keeps its bits sixteen to a register.
        """

        async def action(
            function: int,
            start: int,
            address: int,
            count: int,
            registers: list[int],
            written: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            if written is not None or function not in _TABLES:
                return ExcCodes.ILLEGAL_FUNCTION
            shown = self._words[_TABLES[function]]
            if function in (1, 2):
                first = address // REGISTER_BITS
                row = [_packed(shown, place) for place in range(first, first + count + 1)]
            else:
                first, row = address, [shown.get(address + n, 0) for n in range(count)]
            registers[first - start : first - start + len(row)] = row
            return None

        return action


def _packed(bits: Mapping[int, int], register: int) -> int:
    """Return sixteen bits as a register, the first bit lowest."""
    first = register * REGISTER_BITS
    return sum(bits.get(first + place, 0) << place for place in range(REGISTER_BITS))
