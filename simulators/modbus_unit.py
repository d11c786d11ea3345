"""One unit of a pymodbus server whose every answer is computed when it is asked for."""

from collections.abc import Callable, Mapping, Sequence

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimAction, SimData, SimDevice

from simulators.registers import Table

TABLES: Mapping[int, Table] = {1: "coil", 2: "di", 3: "hr", 4: "ir"}
"""Modbus Application Protocol V1.1b3: function code -> the table it reads."""
REGISTER_BITS = 16
Answer = Callable[[int, int, int], tuple[int, Sequence[int]]]
"""(function, address, count) -> where in the table the answer stands, in registers for bits
too, and its registers. ``count`` is in registers, ``address`` a bit's in a bit table."""


def unit_device(unit: int, size: int, answer: Answer) -> SimDevice:
    """Return what a server shows of a unit with four tables of ``size``; writes are refused."""
    bits = [SimData(0, values=[False] * size, datatype=DataType.BITS)]
    words = [SimData(0, values=[0] * size, datatype=DataType.REGISTERS)]
    tables = (bits, list(bits), words, list(words))
    return SimDevice(unit, simdata=tables, action=_action(answer))


def packed(bits: Sequence[int]) -> list[int]:
    """Return bits as 16-bit registers, the first bit lowest."""
    return [
        sum(bit << place for place, bit in enumerate(bits[first : first + REGISTER_BITS]))
        for first in range(0, len(bits), REGISTER_BITS)
    ]


def _action(answer: Answer) -> SimAction:
    """Return the hook pymodbus awaits before it answers from ``registers``."""

    async def action(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if written is not None or function not in TABLES:
            return ExcCodes.ILLEGAL_FUNCTION
        place, words = answer(function, address, count)
        registers[place - start : place - start + len(words)] = words
        return None

    return action
