"""Where a value lies: what people write, and the place on the wire it means.

- Every accepted notation means exactly one place; what could mean two things is refused
  with both spelled out.
- A family's device names follow its manual, gaps and number bases included; a site's own
  assignment goes before the family's.
- ``D0.4`` and ``hr:100.4`` are bit 4 of a register, 0 the least significant; ``D0.A`` is
  bit 10.
"""

import re
from dataclasses import dataclass

from drivers.contract import BadSetting
from drivers.modbus.assignment import DeviceBlock, names_of
from drivers.modbus.devices import REGISTER_BITS, Kind, Run
from drivers.modbus.families import Family
from drivers.modbus.references import ADDRESSES, BIT_TABLES, Table, in_range, plain, show
from drivers.modbus.tag import ValueType

__all__ = ["ADDRESSES", "BIT_TABLES", "Address", "Family", "Table", "parse", "show"]

_ACCEPTED = "write hr:100, ir:100, coil:5, di:5 (0-based), 40101 or 400101 (1-based), D100 or M5"
_DIGITS = {8: "01234567", 10: "0123456789", 16: "0123456789ABCDEF"}


@dataclass(frozen=True, slots=True)
class Address:
    """A place on the wire."""

    table: Table
    offset: int
    """0-based."""
    bit: int | None = None
    """This bit of the register, if the address names one."""
    default: ValueType | None = None
    """What lies there, where the device's name says it."""


def parse(
    written: str | int,
    family: Family = "generic",
    *,
    wants: Kind | None = None,
    assigned: tuple[DeviceBlock, ...] = (),
) -> Address:
    """Return the place of an address as people write it; BadSetting if it is none.

    ``0x1000`` is a holding register, 0-based. Device names follow ``assigned`` first, then
    ``family``; ``wants`` decides for names that are a contact and a value.
    """
    text = str(written).strip()
    whole, bit = _split_bit(text)
    if (found := plain(whole)) is not None:
        return _register_bit(text, Address(*found), bit)
    names = names_of(family, assigned)
    name = _name_in(whole.upper(), names)
    if name is None:
        raise _no_name(text, whole, family, sorted(names))
    runs = _runs(text, name, names[name], wants, has_bit=bit is not None)
    number = _number(text, name, whole[len(name) :].upper(), runs[0], family)
    run = next((run for run in runs if run.first <= number <= run.last), None)
    if run is None:
        raise _beyond(text, name, runs, family)
    return _placed(text, run, number, bit)


def _split_bit(text: str) -> tuple[str, int | None]:
    """Return the address without and with what stands behind its dot: %MW5:X3 is MW5.3."""
    whole, dot, suffix = text.removeprefix("%").replace(":X", ".").partition(".")
    if not dot:
        return whole, None
    return (whole, _bit(text, suffix)) if suffix else (text, None)


def _bit(text: str, suffix: str) -> int:
    if re.fullmatch(r"\d{1,2}", suffix, re.ASCII) and int(suffix) < REGISTER_BITS:
        return int(suffix)
    if re.fullmatch(r"[A-Fa-f]", suffix, re.ASCII):
        return int(suffix, 16)
    raise BadSetting(
        "modbus_no_bit",
        "{text}: there is no bit {suffix}",
        "the bits of a word are .0 to .15, .A to .F for .10 to .15",
        text=text,
        suffix=suffix,
    )


def _register_bit(text: str, place: Address, bit: int | None) -> Address:
    if bit is None:
        return place
    if place.table in BIT_TABLES:
        raise BadSetting(
            "modbus_bit_in_bit",
            "{text}: a coil or discrete input has no bits",
            "leave out what stands behind the dot",
            text=text,
        )
    return Address(place.table, place.offset, bit)


def _name_in(text: str, names: dict[str, tuple[Run, ...]]) -> str | None:
    """Return the longest name ``text`` begins with that leaves a number behind it."""
    for name in sorted(names, key=len, reverse=True):
        rest = text.removeprefix(name)
        hexadecimal = names[name][0].base == 16  # noqa: PLR2004
        allowed = _DIGITS[16 if hexadecimal else 10]
        if rest and rest != text and set(rest) <= set(allowed):
            return name
    return None


def _no_name(text: str, whole: str, family: Family, known: list[str]) -> BadSetting:
    match = re.fullmatch(r"([A-Za-z]{1,5})[0-9A-Fa-f]*\d[0-9A-Fa-f]*", whole, re.ASCII)
    if match is None or match[1].upper() in known:
        return BadSetting(
            "modbus_no_address", "{text!r} is not a Modbus address", _ACCEPTED, text=text
        )
    return BadSetting(
        "modbus_no_device",
        "{text}: family {family} has no {letter} devices",
        "it has {known}; or write the register as hr:100",
        text=text,
        family=family,
        letter=match[1].upper(),
        known=", ".join(known),
    )


def _runs(
    text: str, name: str, runs: tuple[Run, ...], wants: Kind | None, *, has_bit: bool
) -> tuple[Run, ...]:
    """Return the runs of one kind: contacts or values."""
    kinds = {run.kind for run in runs}
    if len(kinds) == 1:
        return runs
    if has_bit:
        dotted = tuple(run for run in runs if run.dotted)
        return dotted or tuple(run for run in runs if run.kind == "word")
    if wants is None:
        raise BadSetting(
            "modbus_contact_or_value",
            "{text}: {name} is a contact and a value",
            "write type: bool for the contact, the type of a number for the value",
            text=text,
            name=name,
        )
    return tuple(run for run in runs if run.kind == wants)


def _number(text: str, name: str, digits: str, run: Run, family: Family) -> int:
    if set(digits) <= set(_DIGITS[run.base]):
        return int(digits, run.base)
    raise BadSetting(
        "modbus_octal",
        "{text}: {letter} counts in octal on {family}, without 8 and 9",
        "after {letter}7 comes {letter}10",
        text=text,
        family=family,
        letter=name,
    )


def _beyond(text: str, name: str, runs: tuple[Run, ...], family: Family) -> BadSetting:
    spans = [f"{name}{_written(run.first, run)} .. {name}{_written(run.last, run)}" for run in runs]
    if runs[0].last < 0:
        return BadSetting(
            "modbus_not_assigned",
            "{text}: where {name} lies is a parameter of the {family}",
            "say it in devices of the link, such as first: {name}0, points: 100, at: hr:0",
            text=text,
            name=name,
            family=family,
        )
    return BadSetting(
        "modbus_device_range",
        "{text} is out of range on {family}",
        "there are {spans}; or write hr:100",
        text=text,
        family=family,
        spans=", ".join(spans),
    )


def _written(number: int, run: Run) -> str:
    return format(number, {8: "o", 10: "d", 16: "X"}[run.base])


def _placed(text: str, run: Run, number: int, bit: int | None) -> Address:
    if run.dotted and bit is None:
        raise BadSetting(
            "modbus_bit_missing",
            "{text} is {bits} bits",
            "say which: {text}.0 .. {text}.{last}",
            text=text,
            bits=run.bits,
            last=run.bits - 1,
        )
    if run.dotted and bit is not None and bit >= run.bits:
        raise BadSetting(
            "modbus_no_bit_of_byte",
            "{text}: it has bits 0 to {last}",
            "count on in the next number",
            text=text,
            last=run.bits - 1,
        )
    try:
        offset, own = run.place(number, bit if run.dotted and bit is not None else 0)
    except ValueError:
        raise BadSetting(
            "modbus_odd_byte",
            "{text} begins in the middle of a register",
            "bytes are counted: use an even number",
            text=text,
        ) from None
    place = Address(run.table, in_range(text, offset), own, run.default)
    return place if run.dotted else _bit_of_device(text, run, place, bit)


def _bit_of_device(text: str, run: Run, place: Address, bit: int | None) -> Address:
    if bit is None:
        return place
    if run.kind == "bit":
        return _register_bit(text, Address("coil", 0), bit)
    if run.default is not None:
        raise wide_device(text, run.default)
    return Address(place.table, place.offset, bit)


def wide_device(text: str, kind: ValueType) -> BadSetting:
    """Return what is said of a device that is read as less than it is."""
    return BadSetting(
        "modbus_wide_device",
        "{text} is wider than one register",
        "read all of it: leave out type and bit, or write type: {type}",
        text=text,
        type=kind,
    )
