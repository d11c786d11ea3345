"""A site's own assignment of devices to Modbus addresses, and the names a link has by it.

- What a site assigns goes before what its family says of the same name.
- Bit devices assigned to registers lie sixteen to a register, the first in bit 0.
"""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from drivers.contract import BadSetting
from drivers.modbus.devices import REGISTER_BITS, Run
from drivers.modbus.families import FAMILIES, Family
from drivers.modbus.references import ADDRESSES, BIT_TABLES, plain


class DeviceBlock(BaseModel):
    """Consecutive devices and where the first lies, as the PLC's parameters say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Annotated[str, Field(pattern=r"^[A-Za-z]{1,4}[0-9A-Fa-f]{1,6}$")]
    """``D1000``, in the family's own number base."""
    points: int = Field(ge=1, le=ADDRESSES)
    at: Annotated[str, Field(min_length=1, max_length=16)]
    """``hr:0``, ``coil:8192``, ``400001``."""


@lru_cache(maxsize=256)
def names_of(family: Family, assigned: tuple[DeviceBlock, ...]) -> dict[str, tuple[Run, ...]]:
    """Return every device name of a link; raises BadSetting for a block that cannot be."""
    names = dict(FAMILIES[family].names)
    own: dict[str, tuple[Run, ...]] = {}
    for block in assigned:
        name, run = _run(block, names)
        own[name] = (*own.get(name, ()), run)
    return names | own


def _run(block: DeviceBlock, names: dict[str, tuple[Run, ...]]) -> tuple[str, Run]:
    found = plain(block.at)
    name, digits = _split(block.first.upper(), names)
    kin = names.get(name, ())
    base = kin[0].base if kin else 10
    if found is None or not digits:
        raise _refusal(block)
    table, offset = found
    contact = bool(kin) and all(run.kind == "bit" for run in kin)
    if table in BIT_TABLES and kin and all(run.kind == "word" for run in kin):
        raise _refusal(block)
    pitch = 1 if contact or table in BIT_TABLES else REGISTER_BITS
    first = _number(block, digits, base)
    wide = next((run for run in kin if run.first <= first <= run.last and run.default), None)
    if wide is not None and pitch == REGISTER_BITS:
        pitch = wide.bits
    default = wide.default if wide is not None else None
    run = Run(table, offset, first, first + block.points - 1, base, pitch=pitch, default=default)
    last, _ = run.place(run.last)
    if last >= ADDRESSES:
        raise _refusal(block)
    return name, run


def _split(first: str, names: dict[str, tuple[Run, ...]]) -> tuple[str, str]:
    """Return name and number; a name nobody knows ends where the decimal digits begin."""
    for name in sorted(names, key=len, reverse=True):
        if first.startswith(name) and len(first) > len(name):
            return name, first[len(name) :]
    match = re.fullmatch(r"([A-Z]+)(\d+)", first, re.ASCII)
    return (match[1], match[2]) if match else (first, "")


def _number(block: DeviceBlock, digits: str, base: int) -> int:
    try:
        return int(digits, base)
    except ValueError:
        raise _refusal(block) from None


def _refusal(block: DeviceBlock) -> BadSetting:
    return BadSetting(
        "modbus_assignment",
        "devices: {points} devices from {first} cannot lie at {at}",
        "write for example first: D0, points: 8000, at: hr:0, or first: M0, at: coil:8192",
        first=block.first,
        points=block.points,
        at=block.at,
    )
