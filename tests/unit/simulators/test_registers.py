"""Registers as a client decodes them, independently of how they were encoded."""

import struct
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.kinds import MACHINES
from simulators.machine import Enter, Machine, State, Step, Warn
from simulators.registers import FIELDS, Field, Table, covered, encode, words_of


def a_machine(name: str, *steps: Step) -> Machine:
    machine = Machine(MACHINES[name], steps, "1")
    machine.advance(10)
    return machine


@given(st.integers(0, 2**32 - 1))
def test_each_order_puts_the_bytes_where_its_letters_say(value: int) -> None:
    machine = a_machine("press-01")
    abcd = value.to_bytes(4, "big")
    for order in ("ABCD", "CDAB", "BADC", "DCBA"):
        field = Field("x", "hr", 0, lambda _: value, "uint32", order)
        wire = b"".join(word.to_bytes(2, "big") for word in words_of(field, machine))
        assert wire == bytes(abcd["ABCD".index(letter)] for letter in order)


def test_status_and_alarms_as_bits() -> None:
    machine = a_machine("press-01", Step(1, Enter("fault", 3)), Step(2, Warn(12, on=True)))
    assert encode([machine], "hr", 0, 2) == [0, 1 << 3 | 1 << 12]
    machine = a_machine("press-01", Step(1, Enter("setup")))
    assert encode([machine], "hr", 0, 2) == [0b100, 0]


def test_scaled_and_float_readings() -> None:
    mould = a_machine("mould-01", Step(1, Enter("running")))
    words = encode([mould], "hr", 0, 11)
    (force,) = struct.unpack(">h", struct.pack(">H", words[8]))
    assert abs(force * 0.1 - mould.reading("clamp_force")) < 0.06
    (barrel,) = struct.unpack(">f", struct.pack(">HH", words[7], words[6]))
    assert abs(barrel - mould.reading("barrel_temperature")) < 0.001
    (cycle,) = struct.unpack("<f", struct.pack(">HH", words[9], words[10]))
    assert abs(cycle - mould.reading("cycle_time")) < 0.001


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_value_fits_its_registers_at_any_time(name: str) -> None:
    states: list[State] = ["running", "idle", "stopped", "setup"]
    steps = [Step(60.0 * hour, Enter(states[hour % 4])) for hour in range(8)]
    machine = Machine(MACHINES[name], steps, "1")
    for second in range(480):
        machine.advance(second)
        for table in get_args(Table):
            encode([machine], table, 0, 200)


def test_machines_of_one_controller_do_not_overlap() -> None:
    for machines in (("press-01", "press-02", "conveyor-01"), ("meter-01",), ("mould-01",)):
        taken = [
            (field.table, address)
            for name in machines
            for field in FIELDS[name]
            for address in range(field.offset, field.offset + field.width)
        ]
        assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    ("table", "offset", "count", "expected"),
    [
        ("hr", 0, 6, ["state", "faults", "counter:good", "counter:reject"]),
        ("hr", 0, 3, ["state", "faults"]),
        ("hr", 1, 3, ["faults", "counter:good"]),
        ("hr", 3, 100, ["counter:reject"]),
        ("ir", 0, 100, []),
    ],
)
def test_a_request_shows_the_facets_it_covers_completely(
    table: str, offset: int, count: int, expected: list[str]
) -> None:
    assert covered(a_machine("press-01"), table, offset, count) == expected  # type: ignore[arg-type]


def test_bits_of_a_state_count_only_together() -> None:
    machine = a_machine("press-02")
    assert covered(machine, "di", 0, 4) == ["state"]
    assert covered(machine, "di", 0, 3) == []
    assert replace(FIELDS["press-02"][0], offset=9).width == 1
