"""A Modbus device that shows what it is handed: four tables of addresses and words.

- It knows nothing of tags, orders or device names; addresses are 0-based, values are the
  words as they are transmitted.
- Whatever was never set reads as zero, as in the memory of a controller.
- It answers reads only.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from pymodbus.server import ModbusTcpServer

from simulators.modbus_unit import REGISTER_BITS, TABLES, packed, unit_device
from simulators.registers import Table

HOST = "127.0.0.1"
ADDRESSES = 65536
Words = int | Iterable[int]


class ProfileDevice:
    """One unit behind a Modbus TCP server on a free port of this machine."""

    def __init__(self, unit: int = 1) -> None:
        """Begin with every table at zero."""
        self.unit = unit
        self.port = 0
        self._words: dict[Table, dict[int, int]] = {table: {} for table in TABLES.values()}

    def show(self, table: Table, values: Mapping[str, Words]) -> None:
        """Set some addresses (``5``, ``0x2000``); of several words the first stands there."""
        for written, words in values.items():
            first = int(written, 0)
            row = [words] if isinstance(words, int) else words
            self._words[table].update(enumerate(row, first))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on `port` until the context ends."""
        server = ModbusTcpServer(
            [unit_device(self.unit, ADDRESSES, self._answer)], address=(HOST, self.port)
        )
        await server.serve_forever(background=True)
        try:
            listening = cast("asyncio.Server", server.transport)
            self.port = listening.sockets[0].getsockname()[1]
            yield
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]

    def _answer(self, function: int, address: int, count: int) -> tuple[int, list[int]]:
        shown = self._words[TABLES[function]]
        if TABLES[function] in ("hr", "ir"):
            return address, [shown.get(address + n, 0) for n in range(count)]
        # One register more: the bits asked for need not begin with one.
        first = address // REGISTER_BITS
        places = range(first * REGISTER_BITS, (first + count + 1) * REGISTER_BITS)
        return first, packed([shown.get(place, 0) for place in places])
