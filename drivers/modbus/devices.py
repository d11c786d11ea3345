"""What a map of a PLC family's device names consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.modbus.references import BIT_TABLES, Table
from drivers.modbus.tag import ValueType

Kind = Literal["bit", "word"]
Evidence = Literal["manual", "code", "none"]
"""How far a map is verified: read in the vendor's manual, found in the source of clients
that are in use, or neither. Nothing here replaces a look at the machine."""

REGISTER_BITS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive devices ``first`` .. ``last`` of one name, the first at ``offset``."""

    table: Table
    offset: int
    first: int
    last: int
    base: Literal[8, 10, 16] = 10
    """How its numbers are written."""
    pitch: int | None = None
    """Bits from one number to the next; None: 1 in a bit table, 16 in registers."""
    dotted: bool = False
    """A number and a bit in it (I0.7) name one device."""
    high_first: bool = False
    """In a register, byte 0 is the high one."""
    default: ValueType | None = None
    """What the device holds where it is not a bit or a plain word."""

    @property
    def kind(self) -> Kind:
        """Whether a device is one bit or a word (or two)."""
        alone = self.dotted or self.pitch == 1
        return "bit" if alone or self.table in BIT_TABLES else "word"

    @property
    def bits(self) -> int:
        """Bits from one number to the next."""
        return self.pitch or (1 if self.table in BIT_TABLES else REGISTER_BITS)

    def place(self, number: int, bit: int = 0) -> tuple[int, int | None]:
        """Return its 0-based offset, and which bit of that register it is if it is one.

        ``bit`` is what stands behind the dot. Raises ValueError for a number of bytes that
        begins within a register.
        """
        at = (number - self.first) * self.bits + bit
        if self.table in BIT_TABLES:
            return self.offset + at, None
        registers, within = divmod(at, REGISTER_BITS)
        if self.kind == "word":
            if within:
                raise ValueError
            return self.offset + registers, None
        return self.offset + registers, within ^ 8 if self.high_first else within


@dataclass(frozen=True, slots=True)
class DeviceMap:
    """The device names of one family.

    ``doubts`` are the names whose evidence is weaker than the map's, and why.
    """

    names: Mapping[str, tuple[Run, ...]]
    evidence: Evidence
    source: str
    doubts: Mapping[str, str] = field(default_factory=dict)


def bits(
    table: Literal["coil", "di"], offset: int, last: int, *, first: int = 0, octal: bool = False
) -> Run:
    """Return a run of single bits; ``first`` and ``last`` are numbers, not digits."""
    return Run(table, offset, first, last, base=8 if octal else 10)


def words(offset: int, last: int, *, first: int = 0) -> Run:
    """Return a run of holding registers, one to a device."""
    return Run("hr", offset, first, last)
