"""The truth file: what every machine did and what could be known of it.

``actual`` is the machine's own life. ``observable`` is what a perfect observer with the
configured interval, hold time and up-times could know (see `simulators.observer`).
Parts in ``actual`` are raw steps; in ``observable`` they are units (raw steps x factor),
like the figures the gateway books. Times are ISO 8601 in UTC.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.clock import PlantClock, iso
from simulators.machine import Machine, Span
from simulators.observer import CounterObserver, StateObserver
from simulators.served import Record

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What the truth is about."""

    scenario: str
    seed: int
    speed: float


def truth(about: About, records: Iterable[Record], clock: PlantClock, late_s: float = 0.0) -> Json:
    """Return the truth as of now; a machine that was ``late_s`` late here was so elsewhere."""
    now = clock.wall()
    return {
        "scenario": about.scenario,
        "seed": about.seed,
        "speed": about.speed,
        "started_at": iso(clock.started),
        "ended_at": iso(now),
        "late_s": round(late_s, 3),
        "machines": {record.machine.spec.name: _machine(record, clock, now) for record in records},
    }


def write(path: Path, content: Json) -> None:
    """Write the file so that a reader sees the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _machine(record: Record, clock: PlantClock, now: float) -> Json:
    spec = record.machine.spec
    return {
        "kind": spec.kind,
        "protocol": "opcua" if record.pushed else "modbus-tcp",
        "hold_s": record.hold_s,
        "interval_s": record.interval_s,
        "counters": {
            counter.name: {
                "modulus": counter.modulus,
                "factor": counter.factor,
                "kind": counter.kind,
                "unit": counter.unit,
            }
            for counter in spec.counters
        },
        "actual": _actual(record.machine, clock),
        "observable": _observable(record, clock, now),
    }


def _actual(machine: Machine, clock: PlantClock) -> Json:
    actual = machine.actual

    def spans(found: Iterable[Span], what: str, since: str, until: str) -> list[Json]:
        return [
            {
                what: span.what,
                since: iso(clock.wall_of(span.since_s)),
                until: None if span.until_s is None else iso(clock.wall_of(span.until_s)),
            }
            for span in found
        ]

    return {
        "states": spans(actual.states, "state", "since", "until"),
        "faults": spans(actual.faults, "code", "raised_at", "cleared_at"),
        "power_off": spans(actual.power_off, "why", "from", "until"),
        "counters": {name: {"produced": made} for name, made in actual.produced.items()},
        "resets": [
            {
                "counter": done.counter,
                "at": iso(clock.wall_of(done.at_s)),
                "raw_before": done.raw_before,
                "unseen": done.unseen,
            }
            for done in actual.resets
        ],
    }


def _observable(record: Record, clock: PlantClock, now: float) -> Json:
    codes = {fault.number: fault.code for fault in record.machine.spec.faults}
    return {
        "states": [
            {
                "state": seen.state,
                "since": iso(seen.since),
                "lasted_s": round(seen.lasted_s, 3),
                "at_most_s": round(seen.at_most_s, 3),
            }
            for seen in record.state.stays(now)
        ],
        "blind": _blind(record.state, clock, now),
        "counters": {name: _counter(seen) for name, seen in record.counters.items()},
        "faults": [
            {
                "code": codes[seen.number],
                "raised_at": iso(seen.raised),
                "cleared_at": None if seen.cleared is None else iso(seen.cleared),
            }
            for seen in record.faults.occurrences
        ],
    }


def _blind(state: StateObserver, clock: PlantClock, now: float) -> list[Json]:
    """Return the blind windows, with the time before the first sample and after the last."""
    if not state.runs or state.last is None:
        return [{"from": iso(clock.started), "until": iso(now), "why": "not_started"}]
    first = state.runs[0].first
    windows = [(clock.started, first, "not_started")]
    windows += [(blind.since, blind.until, blind.why) for blind in state.blind]
    if state.is_cut:
        windows.append((state.last, now, "ended"))
    return [{"from": iso(since), "until": iso(until), "why": why} for since, until, why in windows]


def _counter(seen: CounterObserver) -> Json:
    factor = seen.spec.factor
    return {
        "total": seen.steps * factor,
        "baseline_raw": seen.baseline_raw,
        "baseline_at": None if seen.baseline_at is None else iso(seen.baseline_at),
        "last_raw": seen.last_raw,
        "last_at": None if seen.last_at is None else iso(seen.last_at),
        "uncovered": [
            {"parts": lost.steps * factor, "anomaly": lost.anomaly, "at": iso(lost.at)}
            for lost in seen.uncovered
        ],
    }
