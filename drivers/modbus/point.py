"""A tag as configured to where and how it is read."""

from dataclasses import dataclass
from functools import lru_cache

from drivers.contract import BadSetting, Misconfigured
from drivers.modbus.address import ADDRESSES, BIT_TABLES, Address, parse, show, wide_device
from drivers.modbus.areas import Area
from drivers.modbus.codec import Reading, invalid_values
from drivers.modbus.devices import Kind
from drivers.modbus.plan import Place
from drivers.modbus.settings import LinkSettings, endpoint_of
from drivers.modbus.tag import (
    REGISTERS,
    Encoding,
    Order,
    TagSettings,
    ValueType,
    check_order,
    refuse_number,
)


@dataclass(frozen=True, slots=True)
class Point:
    """One tag, ready to be planned and decoded."""

    place: Place
    reading: Reading


def point_of(link: LinkSettings, key: str, tag: TagSettings) -> Point:
    """Return where and how a tag is read; raises Misconfigured naming it by ``key``."""
    try:
        return _point(link, key, tag)
    except BadSetting as err:
        raise Misconfigured.of(endpoint_of(link), key, err) from err


def _point(link: LinkSettings, key: str, tag: TagSettings) -> Point:
    found = parse(tag.address, link.family, wants=_wants(tag), assigned=link.devices)
    bit = _bit(tag, found)
    kind = tag.type or _kind(found, bit)
    words = tag.registers(kind)
    if found.table in BIT_TABLES:
        _check_single(tag, found, kind)
        words = 1
    else:
        _check_registers(link, tag, found, kind, words, bit)
    place = Place(key, found.table, found.offset, words)
    for area in link.areas:
        _check_allowed(place, area)
    reading = _reading(
        kind, tag.order, bit, tag.scale, tag.offset, tag.invalid, tag.string_bytes, tag.encoding
    )
    return Point(place, reading)


@lru_cache(maxsize=4096)
def _reading(
    kind: ValueType,
    order: Order,
    bit: int | None,
    scale: float,
    offset: float,
    invalid: tuple[int | float | str, ...],
    string_bytes: int,
    encoding: Encoding,
) -> Reading:
    """Return how such values are read: one object for all tags that are alike."""
    return Reading(
        type=kind,
        order=order,
        bit=bit,
        scale=scale,
        offset=offset,
        invalid=invalid_values(kind, invalid),
        string_bytes=string_bytes,
        encoding=encoding,
    )


def _wants(tag: TagSettings) -> Kind | None:
    if tag.bit is not None:
        return "word"
    if tag.type is None:
        return None
    return "bit" if tag.type == "bool" else "word"


def _bit(tag: TagSettings, found: Address) -> int | None:
    if found.bit is None or tag.bit in {None, found.bit}:
        return tag.bit if found.bit is None else found.bit
    raise BadSetting(
        "modbus_bit_twice",
        "{address} is bit {own}, and bit: says {bit}",
        "leave out bit",
        address=tag.address,
        own=found.bit,
        bit=tag.bit,
    )


def _kind(found: Address, bit: int | None) -> ValueType:
    if bit is not None or found.table in BIT_TABLES:
        return "bool"
    return found.default or "uint16"


def _check_single(tag: TagSettings, found: Address, kind: ValueType) -> None:
    """Raise BadSetting if more than its address is said of a single bit."""
    if kind != "bool" or tag != TagSettings(address=tag.address, type=tag.type):
        raise BadSetting(
            "modbus_single_bit",
            "{place} is a single bit",
            "leave out all but the address, or name a register (hr:, ir:)",
            place=show(found.table, found.offset),
        )


def _check_registers(
    link: LinkSettings,
    tag: TagSettings,
    found: Address,
    kind: ValueType,
    words: int,
    bit: int | None,
) -> None:
    """Raise BadSetting if such a value cannot be read there."""
    place = show(found.table, found.offset)
    if found.default is not None and words != REGISTERS[found.default]:
        raise wide_device(str(tag.address), found.default)
    if bit is not None and kind != "bool":
        raise BadSetting(
            "modbus_bit_of_number",
            "bit: a single bit is a bool, not a {type}",
            "leave out type",
            type=kind,
        )
    if kind == "bool" and bit is None:
        raise BadSetting(
            "modbus_which_bit",
            "{place} is a register of 16 bits",
            "say which one is the bool: bit: 0 .. 15",
            place=place,
        )
    check_order(tag.order, kind)
    if kind == "bool":
        _check_bool(tag)
    _check_room(link, found, kind, words)


def _check_bool(tag: TagSettings) -> None:
    """Raise BadSetting for what only shows now that the address made it a bool."""
    if tag.scale != 1 or tag.offset != 0:
        raise BadSetting(
            "modbus_scaled_bool",
            "scale, offset: a bool cannot be scaled",
            "leave out scale and offset",
        )
    if tag.invalid:
        refuse_number("invalid", "bool")


def _check_room(link: LinkSettings, found: Address, kind: ValueType, words: int) -> None:
    place = show(found.table, found.offset)
    if found.offset + words > ADDRESSES:
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


def _check_allowed(place: Place, area: Area) -> None:
    if area.table == place.table and place.offset < area.end and area.first < place.end:
        raise BadSetting(
            "modbus_forbidden",
            "{place} lies in a forbidden area",
            "forbidden ends at {end}: take the tag out or make the area smaller",
            place=show(place.table, place.offset),
            end=show(area.table, area.end - 1),
        )
