"""The notations of Modbus itself: hr:100, 0x1000, 40101, 400101.

- Every accepted notation means exactly one (table, 0-based offset); what could mean two
  things is refused with both spelled out.
- show() gives the 1-based reference and the 0-based one; plain() reads either back.
"""

import re
from typing import Literal

from drivers.contract import BadSetting

Table = Literal["coil", "di", "ir", "hr"]

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
_LONG_REFERENCE = 6
_SHORT_REFERENCE = 5


def plain(text: str) -> tuple[Table, int] | None:
    """Return (table, 0-based offset), None if ``text`` is none of these notations.

    ``0x1000`` is a holding register, 0-based. Raises BadSetting for what looks like one
    and is not.
    """
    if match := re.fullmatch(r"([A-Za-z]{2,4}):(0[xX][0-9A-Fa-f]+|\d+)", text, re.ASCII):
        return _named(text, match[1].lower(), match[2])
    if re.fullmatch(r"0[xX][0-9A-Fa-f]+", text, re.ASCII):
        return "hr", in_range(text, int(text, 16))
    if re.fullmatch(r"\d+", text, re.ASCII):
        return _reference(text)
    return None


def show(table: Table, offset: int) -> str:
    """Return both forms people use, e.g. ``40101 (hr:100)``."""
    width = _SHORT_REFERENCE if offset < 9999 else _LONG_REFERENCE  # noqa: PLR2004
    return f"{_LEADING_DIGIT[table]}{offset + 1:0{width - 1}d} ({table}:{offset})"


def in_range(text: str, offset: int) -> int:
    """Return ``offset`` if the protocol can carry it; BadSetting if not."""
    if offset < ADDRESSES:
        return offset
    raise BadSetting(
        "modbus_beyond_last",
        "{text} is beyond the last address",
        "0-based addresses end at 65535 (0xFFFF)",
        text=text,
    )


def _named(text: str, name: str, number: str) -> tuple[Table, int]:
    if name not in _TABLE_NAMES:
        raise BadSetting(
            "modbus_no_table",
            "{text!r} names no Modbus table",
            "the tables are hr (holding), ir (input registers), coil and di (discrete inputs)",
            text=text,
        )
    return _TABLE_NAMES[name], in_range(text, int(number, 16 if "x" in number.lower() else 10))


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
    return table, in_range(text, number - 1)
