"""Areas of a device that must not be read: hr:100-119, D100-D119, 40101-40120."""

from dataclasses import dataclass
from functools import lru_cache

from drivers.contract import BadSetting
from drivers.modbus.address import Address, Family, Table, parse
from drivers.modbus.assignment import DeviceBlock


@dataclass(frozen=True, slots=True)
class Area:
    """The addresses ``first`` up to and without ``end`` of a table."""

    table: Table
    first: int
    end: int


@lru_cache(maxsize=256)
def areas_of(
    texts: tuple[str, ...], family: Family, assigned: tuple[DeviceBlock, ...] = ()
) -> tuple[Area, ...]:
    """Return what is written as ``<address>-<address>`` or one address; raises BadSetting."""
    return tuple(_area(text, family, assigned) for text in texts)


def _area(text: str, family: Family, assigned: tuple[DeviceBlock, ...]) -> Area:
    begins, _, ends = text.replace(" ", "").partition("-")
    first = parse(begins, family, wants="word", assigned=assigned)
    last = _last(first, begins, ends, family, assigned)
    if last.table != first.table or last.offset < first.offset or first.bit is not None:
        raise BadSetting(
            "modbus_no_area",
            "forbidden: {text} is no area",
            "write the first and the last address, such as hr:100-119 or D100-D119",
            text=text,
        )
    return Area(first.table, first.offset, last.offset + 1)


def _last(
    first: Address, begins: str, ends: str, family: Family, assigned: tuple[DeviceBlock, ...]
) -> Address:
    if not ends:
        return first
    if ends.isdecimal() and ":" in begins:
        ends = f"{first.table}:{ends}"
    return parse(ends, family, wants="word", assigned=assigned)
