"""The machines of the plant: their pace, counters, faults and readings.

A kind of machine has its faults from ``faults/<kind>.csv``, the dictionary its gateway is
given too.
"""

import csv
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

from simulators.machine import Analog, CounterSpec, FaultSpec, MachineSpec

U16 = 2**16
U32 = 2**32

FAULT_FILES = Path(__file__).parent / "faults"


def fault_file(kind: str) -> str:
    """Return the fault dictionary of a kind of machine as CSV, as the gateway reads it."""
    return (FAULT_FILES / f"{kind}.csv").read_text(encoding="utf-8")


def _faults(kind: str) -> tuple[FaultSpec, ...]:
    rows = csv.DictReader(StringIO(fault_file(kind)))
    return tuple(
        FaultSpec(int(row["bit"] or row["code"]), row["code"], row["stops_machine"] == "true")
        for row in rows
    )


def _press(name: str, cycle_s: float, start_raw: int, analog: Analog) -> MachineSpec:
    return MachineSpec(
        name,
        "press",
        cycle_s,
        (
            CounterSpec("good", "good", "good", U32, start_raw=start_raw),
            CounterSpec("reject", "reject", "reject", U32 if name == "press-02" else U16),
        ),
        _faults("press"),
        (analog,),
        reject_share=0.06,
    )


def _cnc(name: str, cycle_s: float, start_raw: int) -> MachineSpec:
    return MachineSpec(
        name,
        "cnc",
        cycle_s,
        (
            CounterSpec("good", "good", "good", U32, start_raw=start_raw),
            CounterSpec("reject", "reject", "reject", U32),
        ),
        _faults("cnc"),
        (
            Analog("spindle_speed", 8000.0, 0.0, 40.0, 7.0),
            Analog("feed_rate", 1200.0, 0.0, 25.0, 11.0),
            Analog("temperature", 61.5, 38.0, 2.5, 40.0),
        ),
        reject_share=0.04,
    )


MACHINES = {
    spec.name: spec
    for spec in (
        _press("press-01", 0.6, 48_200, Analog("temperature", 41.0, 27.0, 1.5, 30.0)),
        _press("press-02", 0.9, 12_340, Analog("pressure", 6.2, 5.9, 0.15, 13.0)),
        MachineSpec(
            "conveyor-01",
            "conveyor",
            0.35,
            (CounterSpec("packages", "cycle", "total", U16, start_raw=U16 - 25),),
            _faults("conveyor"),
            (Analog("speed", 0.8, 0.0, 0.04, 9.0),),
        ),
        MachineSpec(
            "meter-01",
            "meter",
            1.5,
            (CounterSpec("energy", "cycle", "energy", U32, 10, "W.h", 7_431_520),),
            (),
            (
                Analog("voltage", 229.0, 231.5, 1.2, 17.0),
                Analog("current", 58.0, 2.1, 0.4, 5.0),
                Analog("power", 38.5, 1.4, 0.3, 5.0),
            ),
        ),
        MachineSpec(
            "mould-01",
            "mould",
            1.6,
            (
                CounterSpec("good", "good", "good", U32, 4, "1", 905_000),
                CounterSpec("reject", "reject", "reject", U32, 4),
            ),
            _faults("mould"),
            (
                Analog("barrel_temperature", 231.0, 205.0, 3.0, 25.0),
                Analog("clamp_force", 118.4, 0.0, 1.5, 6.0),
                Analog("cycle_time", 1.6, 0.0, 0.05, 8.0),
            ),
            reject_share=0.05,
        ),
        _cnc("cnc-01", 2.2, 3_310),
        _cnc("cnc-02", 3.1, 870),
    )
}

SERVERS: Mapping[str, tuple[str, ...]] = {
    "line1": ("press-01", "press-02", "conveyor-01", "meter-01"),
    "mould": ("mould-01",),
    "cnc": ("cnc-01", "cnc-02"),
}
"""Which controller each machine hangs on; they lose their power together."""


def near_rollover(spec: MachineSpec, steps: int) -> MachineSpec:
    """Return the machine with every counter ``steps`` short of its modulus."""
    counters = tuple(
        replace(counter, start_raw=counter.modulus - steps) for counter in spec.counters
    )
    return replace(spec, counters=counters)


def fast_sixteen_bits(spec: MachineSpec) -> MachineSpec:
    """Return a conveyor whose 16-bit counter wraps every 13 seconds of work."""
    counters = tuple(replace(counter, start_raw=58_000, steps=151) for counter in spec.counters)
    return replace(spec, cycle_s=0.03, counters=counters)
