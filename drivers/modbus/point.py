"""A tag as configured to where and how it is read."""

from dataclasses import dataclass

from drivers.contract import BadSetting, Misconfigured
from drivers.modbus.address import ADDRESSES, BIT_TABLES, Table, parse, show
from drivers.modbus.decode import Reading
from drivers.modbus.plan import Place
from drivers.modbus.settings import LinkSettings, endpoint_of
from drivers.modbus.tag import REGISTERS, TagSettings, ValueType


@dataclass(frozen=True, slots=True)
class Point:
    """One tag, ready to be planned and decoded."""

    place: Place
    reading: Reading


def point_of(link: LinkSettings, key: str, tag: TagSettings) -> Point:
    """Return where and how a tag is read; raises Misconfigured naming it by ``key``."""
    try:
        table, offset = parse(tag.address, link.family)
        kind = tag.type or ("bool" if table in BIT_TABLES or tag.bit is not None else "uint16")
        _check(tag, table, offset, kind, link)
    except BadSetting as err:
        raise Misconfigured.of(endpoint_of(link), key, err) from err
    width = 1 if table in BIT_TABLES else REGISTERS[kind]
    reading = Reading(kind, tag.order, tag.bit, tag.scale, tag.offset)
    return Point(Place(key, table, offset, width), reading)


def _check(
    tag: TagSettings, table: Table, offset: int, kind: ValueType, link: LinkSettings
) -> None:
    """Raise BadSetting if such a value cannot be read there."""
    place = show(table, offset)
    if table in BIT_TABLES:
        if kind != "bool" or tag != TagSettings(address=tag.address, type=tag.type):
            raise BadSetting(
                "modbus_single_bit",
                "{place} is a single bit",
                "leave out all but the address, or name a register (hr:, ir:)",
                place=place,
            )
        return
    words = REGISTERS[kind]
    if kind == "bool" and tag.bit is None:
        raise BadSetting(
            "modbus_which_bit",
            "{place} is a register of 16 bits",
            "say which one is the bool: bit: 0 .. 15",
            place=place,
        )
    if offset + words > ADDRESSES:
        raise BadSetting(
            "modbus_no_room",
            "{place} has no room for a {type}",
            "0-based addresses end at 65535 (0xFFFF)",
            place=place,
            type=kind,
        )
    if words > link.max_registers_per_read:
        raise BadSetting(
            "modbus_too_wide",
            "{place} as {type} takes {words} registers",
            "max_registers_per_read is {limit}; raise it",
            place=place,
            type=kind,
            words=words,
            limit=link.max_registers_per_read,
        )
