"""Where a value lives: what people write, what goes over the wire, what people are shown.

- Every accepted notation means exactly one (table, 0-based offset); what could mean two
  things is refused with both spelled out.
- show() gives the 1-based reference and the 0-based one; parse() reads either back.
- A family's device names follow its manual, gaps and number bases included.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from drivers.contract import BadSetting

Table = Literal["coil", "di", "ir", "hr"]
Family = Literal["generic", "inovance-h5u", "mitsubishi-fx5u", "delta-dvp"]

ADDRESSES = 65536  # Modbus Application Protocol V1.1b3, 4.4
BIT_TABLES: frozenset[Table] = frozenset({"coil", "di"})

_LEADING_DIGIT: dict[Table, int] = {"coil": 0, "di": 1, "ir": 3, "hr": 4}
_TABLE_OF_DIGIT: dict[str, Table] = {str(d): table for table, d in _LEADING_DIGIT.items()}
_TABLE_NAMES: dict[str, Table] = {
    "coil": "coil",
    "co": "coil",
    "di": "di",
    "ir": "ir",
    "hr": "hr",
}
_ACCEPTED = "write hr:100, ir:100, coil:5, di:5 (0-based), 40101 or 400101 (1-based), D100 or M5"
_LONG_REFERENCE = 6
_SHORT_REFERENCE = 5


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive devices ``first``..``last`` of one letter, starting at ``offset``."""

    table: Table
    offset: int
    first: int
    last: int
    base: Literal[8, 10] = 10


_GENERIC = MappingProxyType(
    {
        "D": (_Run("hr", 0, 0, 65535),),
        "M": (_Run("coil", 0, 0, 65535),),
        "X": (_Run("di", 0, 0, 65535),),
        "Y": (_Run("coil", 0, 0, 65535),),
    }
)
# H5U programming manual, "Modbus addresses of soft elements"
_INOVANCE_H5U = MappingProxyType(
    {
        "D": (_Run("hr", 0x0000, 0, 7999),),
        "R": (_Run("hr", 0x3000, 0, 32767),),
        "M": (_Run("coil", 0x0000, 0, 7999),),
        "B": (_Run("coil", 0x3000, 0, 32767),),
        "S": (_Run("coil", 0xE000, 0, 4095),),
        "X": (_Run("di", 0xF800, 0, 0o1777, base=8),),
        "Y": (_Run("coil", 0xFC00, 0, 0o1777, base=8),),
    }
)
# MELSEC iQ-F FX5 User's Manual (MODBUS Communication), initial device assignment
_MITSUBISHI_FX5U = MappingProxyType(
    {
        "D": (_Run("hr", 0x0000, 0, 7999),),
        "M": (_Run("coil", 0x2000, 0, 7679),),
        "X": (_Run("di", 0x0000, 0, 0o1777, base=8),),
        "Y": (_Run("coil", 0x0000, 0, 0o1777, base=8),),
    }
)
# DVP-ES2/EX2/SS2/SA2/SX2/SE Operation Manual, 4.4 PLC Device Address
_DELTA_DVP = MappingProxyType(
    {
        "D": (_Run("hr", 0x1000, 0, 4095), _Run("hr", 0x9000, 4096, 9999)),
        "M": (_Run("coil", 0x0800, 0, 1535), _Run("coil", 0xB000, 1536, 4095)),
        "S": (_Run("coil", 0x0000, 0, 1023),),
        "X": (_Run("di", 0x0400, 0, 0o377, base=8),),
        "Y": (_Run("coil", 0x0500, 0, 0o377, base=8),),
    }
)
_FAMILIES: MappingProxyType[Family, MappingProxyType[str, tuple[_Run, ...]]] = MappingProxyType(
    {
        "generic": _GENERIC,
        "inovance-h5u": _INOVANCE_H5U,
        "mitsubishi-fx5u": _MITSUBISHI_FX5U,
        "delta-dvp": _DELTA_DVP,
    }
)


def parse(written: str | int, family: Family = "generic") -> tuple[Table, int]:
    """Return (table, 0-based offset) of an address as people write it; BadSetting if none.

    ``0x1000`` is a holding register, 0-based. Device letters follow ``family``.
    """
    text = str(written).strip()
    if match := re.fullmatch(r"([A-Za-z]{2,4}):(0[xX][0-9A-Fa-f]+|\d+)", text, re.ASCII):
        return _named(text, match[1].lower(), match[2])
    if re.fullmatch(r"0[xX][0-9A-Fa-f]+", text, re.ASCII):
        return "hr", _in_range(text, int(text, 16))
    if re.fullmatch(r"\d+", text, re.ASCII):
        return _reference(text)
    if match := re.fullmatch(r"([A-Za-z])(\d+)", text, re.ASCII):
        return _device(text, match[1].upper(), match[2], family)
    raise BadSetting("modbus_no_address", "{text!r} is not a Modbus address", _ACCEPTED, text=text)


def show(table: Table, offset: int) -> str:
    """Return both forms people use, e.g. ``40101 (hr:100)``."""
    width = _SHORT_REFERENCE if offset < 9999 else _LONG_REFERENCE  # noqa: PLR2004
    return f"{_LEADING_DIGIT[table]}{offset + 1:0{width - 1}d} ({table}:{offset})"


def _named(text: str, name: str, number: str) -> tuple[Table, int]:
    if name not in _TABLE_NAMES:
        raise BadSetting(
            "modbus_no_table",
            "{text!r} names no Modbus table",
            "the tables are hr (holding), ir (input registers), coil and di (discrete inputs)",
            text=text,
        )
    return _TABLE_NAMES[name], _in_range(text, int(number, 16 if "x" in number.lower() else 10))


def _reference(text: str) -> tuple[Table, int]:
    if len(text) not in {_SHORT_REFERENCE, _LONG_REFERENCE}:
        number = min(int(text), ADDRESSES - 1)
        raise BadSetting(
            "modbus_bare_number",
            "{text} does not say which table it is in nor whether it counts from 0 or 1",
            "write hr:{number} if the manual counts from 0, "
            "{reference} if it counts holding registers from 1",
            text=text,
            number=number,
            reference=show("hr", max(number - 1, 0)).split()[0],
        )
    table = _TABLE_OF_DIGIT.get(text[0])
    if table is None:
        raise BadSetting(
            "modbus_no_table_digit",
            "{text} begins with {digit}, which is no Modbus table",
            "0xxxx are coils, 1xxxx discrete inputs, 3xxxx input and 4xxxx holding registers",
            text=text,
            digit=text[0],
        )
    number = int(text[1:])
    if number == 0:
        raise BadSetting(
            "modbus_reference_zero",
            "{text} does not exist: references count from 1",
            "the first is {first}, the same as {table}:0",
            text=text,
            first=f"{text[:-1]}1",
            table=table,
        )
    return table, _in_range(text, number - 1)


def _device(text: str, letter: str, digits: str, family: Family) -> tuple[Table, int]:
    devices = _FAMILIES[family]
    if letter not in devices:
        raise BadSetting(
            "modbus_no_device",
            "{text}: family {family} has no {letter} devices",
            "it has {known}; or write the register as hr:100",
            text=text,
            family=family,
            letter=letter,
            known=", ".join(sorted(devices)),
        )
    runs = devices[letter]
    base = runs[0].base
    if base == 8 and not set(digits) <= set("01234567"):  # noqa: PLR2004
        raise BadSetting(
            "modbus_octal",
            "{text}: {letter} counts in octal on {family}, without 8 and 9",
            "after {letter}7 comes {letter}10",
            text=text,
            family=family,
            letter=letter,
        )
    number = int(digits, base)
    for run in runs:
        if run.first <= number <= run.last:
            return run.table, run.offset + number - run.first
    raise BadSetting(
        "modbus_device_range",
        "{text} is out of range on {family}",
        "it ends at {last}; or write hr:100",
        text=text,
        family=family,
        last=f"{letter}{runs[-1].last:{'o' if base == 8 else 'd'}}",  # noqa: PLR2004
    )


def _in_range(text: str, offset: int) -> int:
    if offset < ADDRESSES:
        return offset
    raise BadSetting(
        "modbus_beyond_last",
        "{text} is beyond the last address",
        "0-based addresses end at 65535 (0xFFFF)",
        text=text,
    )
