"""Where the machines' values stand in the tables of their controllers, and as which bits.

Pure: `encode` fills the registers a request asks for, `covered` says which facets of
which machine that request shows completely.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from simulators.machine import Machine, State

Table = Literal["coil", "di", "hr", "ir"]
Number = bool | int | float
TABLE_SIZE = 200
"""Addresses 0..199 exist in every table; what no field claims reads zero."""
FORMATS = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a machine in a register or in a single bit of a bit table."""

    tag: str
    table: Table
    offset: int
    value: Callable[[Machine], Number]
    type: str = "uint16"
    order: str = "ABCD"
    scale: float = 1.0
    facet: str = ""
    """"state", "faults" or "counter:<name>"; "" for a mere reading."""
    bits: tuple[str, ...] = ()
    """Names of the bits of a status word, from bit 0."""
    unit: str = ""

    @property
    def width(self) -> int:
        """Return how many addresses the value takes."""
        return 1 if self.table in ("coil", "di") else struct.calcsize(FORMATS[self.type]) // 2


def state_word(names: Sequence[State], machine: Machine) -> int:
    """Return a word with one bit per state, from bit 0."""
    return sum(1 << bit for bit, name in enumerate(names) if machine.state == name)


def state_number(numbers: Mapping[State, int], machine: Machine) -> int:
    """Return the state as the number this controller uses."""
    return numbers[machine.state]


def in_state(state: State, machine: Machine) -> bool:
    """Whether the machine is in the state."""
    return machine.state == state


def fault_word(machine: Machine) -> int:
    """Return the active faults as bits."""
    return sum(1 << number for number in machine.faults)


def fault_code(machine: Machine) -> int:
    """Return the active fault's number, 0 if there is none."""
    return min(machine.faults, default=0)


def _raw(counter: str, machine: Machine) -> int:
    return machine.raw(counter)


def _reading(name: str, machine: Machine) -> float:
    return machine.reading(name)


def load(machine: Machine) -> float:
    """Return the power a meter shows; nothing is drawn while all is stopped."""
    return 0.0 if machine.state == "stopped" else machine.reading("power")


def _counter(
    tag: str, table: Table, offset: int, name: str, kind: str, order: str = "ABCD"
) -> Field:
    return Field(tag, table, offset, partial(_raw, name), kind, order, facet=f"counter:{name}")


def _analog(
    tag: str,
    table: Table,
    offset: int,
    kind: str,
    *,
    order: str = "ABCD",
    scale: float = 1.0,
    unit: str,
) -> Field:
    return Field(tag, table, offset, partial(_reading, tag), kind, order, scale, unit=unit)


def _bit(tag: str, table: Table, offset: int, state: State) -> Field:
    return Field(tag, table, offset, partial(in_state, state), "bool", facet="state")


PRESS_BITS: tuple[State, ...] = ("running", "idle", "setup", "maintenance")
EUROMAP_MODES: Mapping[State, int] = {
    "stopped": 0, "running": 1, "idle": 2, "setup": 3, "fault": 4, "maintenance": 5
}  # fmt: skip

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "press-01": (
        Field("status_word", "hr", 0, partial(state_word, PRESS_BITS), facet="state",
              bits=("run", "ready", "setup", "maintenance")),
        Field("alarm_word", "hr", 1, fault_word, facet="faults"),
        _counter("good_parts", "hr", 2, "good", "uint32", "CDAB"),
        _counter("reject_parts", "hr", 4, "reject", "uint16"),
        _analog("temperature", "hr", 5, "int16", scale=0.1, unit="Cel"),
    ),
    "press-02": (
        _bit("run", "di", 0, "running"),
        _bit("ready", "di", 1, "idle"),
        _bit("alarm", "di", 2, "fault"),
        _bit("setup", "di", 3, "setup"),
        Field("alarm_word", "ir", 0, fault_word, facet="faults"),
        _counter("good_parts", "ir", 1, "good", "uint32", "ABCD"),
        _counter("reject_parts", "ir", 3, "reject", "uint32", "CDAB"),
        _analog("pressure", "ir", 5, "float32", unit="bar"),
    ),
    "conveyor-01": (
        _bit("run", "coil", 0, "running"),
        _bit("ready", "coil", 1, "idle"),
        _bit("jam", "coil", 2, "fault"),
        _bit("cleaning", "coil", 3, "setup"),
        _counter("packages", "hr", 100, "packages", "uint16"),
        Field("fault_code", "hr", 101, fault_code, facet="faults"),
        _analog("speed", "hr", 102, "uint16", scale=0.01, unit="m/s"),
    ),
    "meter-01": (
        _counter("energy", "ir", 0, "energy", "uint32", "ABCD"),
        _analog("voltage", "ir", 2, "float32", unit="V"),
        _analog("current", "ir", 4, "float32", unit="A"),
        Field("power", "ir", 6, load, "float32", facet="state", unit="kW"),
    ),
    "mould-01": (
        Field("mode", "hr", 0, partial(state_number, EUROMAP_MODES), facet="state"),
        Field("alarm_code", "hr", 1, fault_code, facet="faults"),
        _counter("shots", "hr", 2, "good", "uint32", "ABCD"),
        _counter("bad_shots", "hr", 4, "reject", "uint32", "ABCD"),
        _analog("barrel_temperature", "hr", 6, "float32", order="CDAB", unit="Cel"),
        _analog("clamp_force", "hr", 8, "int16", scale=0.1, unit="t"),
        _analog("cycle_time", "hr", 9, "float32", order="DCBA", unit="s"),
    ),
}  # fmt: skip
"""machine -> its fields. The fields of a facet stand in one table, side by side."""


def words_of(field: Field, machine: Machine) -> list[int]:
    """Return a value as big-endian registers in the field's order."""
    value = field.value(machine)
    if field.scale != 1.0:
        value = round(value / field.scale)
    raw = struct.pack(FORMATS[field.type], value)
    if field.order in ("BADC", "DCBA"):
        raw = b"".join(raw[i : i + 2][::-1] for i in range(0, len(raw), 2))
    words = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
    return words[::-1] if field.order in ("CDAB", "DCBA") else words


def encode(machines: Iterable[Machine], table: Table, offset: int, count: int) -> list[int]:
    """Return ``count`` registers (or bits, as 0 and 1) of a table from ``offset`` on."""
    shown = [0] * count
    for machine in machines:
        for field in FIELDS[machine.spec.name]:
            if field.table != table:
                continue
            bit = table in ("coil", "di")
            words = [int(field.value(machine))] if bit else words_of(field, machine)
            for place, word in enumerate(words, field.offset - offset):
                if 0 <= place < count:
                    shown[place] = word
    return shown


def covered(machine: Machine, table: Table, offset: int, count: int) -> list[str]:
    """Return the facets that a request shows completely."""
    seen: dict[str, bool] = {}
    for field in FIELDS[machine.spec.name]:
        if field.facet:
            inside = (
                field.table == table
                and offset <= field.offset
                and field.offset + field.width <= offset + count
            )
            seen[field.facet] = seen.get(field.facet, True) and inside
    return [facet for facet, complete in seen.items() if complete]
