"""Ratios of production by ISO 22400-2, with what they rest on.

- No ratio without a basis: where there is none it is None, and ``missing`` says why. There
  is never 100 % of nothing.
- Availability and quality lie within 0..1. Performance may pass 1: then the ideal cycle that
  was given is slower than the machine.
- Several machines or windows are added up first and divided afterwards; their sum knows no
  more than the one that knows least.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Literal

from gateway.domain.vocabulary import CounterKind, Json
from gateway.domain.worktime import Times

Missing = Literal[
    "nothing_known",
    "no_planned_time",
    "no_production_time",
    "no_ideal_cycle",
    "no_part_counter",
    "no_reject_counter",
    "no_good_counter",
    "no_parts",
    "counts_contradict",
]
"""Why a figure has no value."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that were booked at ``at``; ``ideal_cycle_s`` (PRI) is the planned time for one."""

    at: datetime
    kind: CounterKind
    quantity: float
    ideal_cycle_s: float | None = None
    origin: Literal["device", "manual"] = "device"
    order_no: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What was made. A figure nobody can know is None; the last three fields say why."""

    produced: float | None
    """PQ."""
    good: float | None
    """GQ."""
    ideal_s: float | None
    """PRI x PQ: the time these parts would take at the ideal cycle."""
    produced_missing: Missing | None = None
    good_missing: Missing | None = None
    ideal_missing: Missing | None = None

    def __add__(self, other: "Output") -> "Output":
        """Add figure by figure; None where one of the two is None."""
        produced = good = ideal_s = None
        if self.produced is not None and other.produced is not None:
            produced = self.produced + other.produced
        if self.good is not None and other.good is not None:
            good = self.good + other.good
        if self.ideal_s is not None and other.ideal_s is not None:
            ideal_s = self.ideal_s + other.ideal_s
        return Output(
            produced,
            good,
            ideal_s,
            self.produced_missing or other.produced_missing,
            self.good_missing or other.good_missing,
            self.ideal_missing or other.ideal_missing,
        )


NOTHING_COUNTED = Output(None, None, None, "no_part_counter", "no_part_counter", "no_part_counter")


@dataclass(frozen=True, slots=True)
class Kpi:
    """The ratios and what they were made of."""

    times: Times
    output: Output
    availability: float | None
    """APT / PBT."""
    performance: float | None
    """PRI x PQ / APT."""
    quality: float | None
    """GQ / PQ."""
    oee: float | None
    """The product of the three."""
    missing: Mapping[str, Missing]
    """Ratio that is None -> why."""

    def data(self) -> Json:
        """JSON-ready; ``inputs`` in seconds and pieces."""
        output = self.output
        made = {
            "produced": output.produced,
            "good": output.good,
            "ideal_s": output.ideal_s,
        }
        return {
            "availability": self.availability,
            "performance": self.performance,
            "quality": self.quality,
            "oee": self.oee,
            "missing": dict(self.missing),
            "inputs": self.times.data() | made,
        }


def made(parts: Iterable[Parts], counted: frozenset[CounterKind]) -> Output:
    """Return what was made; ``counted`` are the kinds that are counted here at all.

    Produced is what the ``total`` counters say, else good, reject and rework together. A part
    scrapped by hand had been counted by the machine: it turns from good to bad. Where only
    good parts are counted there is no basis for quality.
    """
    booked = list(parts)
    kinds = _produced_kinds(counted)
    if not kinds:
        return NOTHING_COUNTED
    device = [one for one in booked if one.origin == "device"]
    produced = _sum(device, kinds)
    good, good_missing = _good(booked, device, counted, produced)
    ideal_s = _ideal_s(one for one in device if one.kind in kinds)
    return Output(
        produced, good, ideal_s, None, good_missing, "no_ideal_cycle" if ideal_s is None else None
    )


def kpi(times: Times, output: Output) -> Kpi:
    """Return the ratios of these times and this output."""
    missing: dict[str, Missing] = {}
    availability = performance = quality = oee = None
    if times.planned_busy:
        availability = times.production / times.planned_busy
    else:
        missing["availability"] = "nothing_known" if times.unknown else "no_planned_time"
    if output.ideal_s is not None and times.production:
        performance = output.ideal_s / times.production.total_seconds()
    else:
        missing["performance"] = output.ideal_missing or "no_production_time"
    if output.good is not None and output.produced:
        quality = output.good / output.produced
    else:
        missing["quality"] = output.good_missing or "no_parts"
    if availability is not None and performance is not None and quality is not None:
        oee = availability * performance * quality
    else:
        missing["oee"] = next(iter(missing.values()))
    return Kpi(times, output, availability, performance, quality, oee, missing)


def combined(of: Iterable[Kpi]) -> Kpi:
    """Return the figures of several machines or windows together."""
    several = list(of)
    times = reduce(Times.__add__, (one.times for one in several), Times())
    if not several:
        return kpi(times, NOTHING_COUNTED)
    return kpi(times, reduce(Output.__add__, (one.output for one in several)))


def _produced_kinds(counted: frozenset[CounterKind]) -> frozenset[CounterKind]:
    if "total" in counted:
        return frozenset({"total"})
    return counted & {"good", "reject", "rework"} if "good" in counted else frozenset()


def _good(
    booked: list[Parts], device: list[Parts], counted: frozenset[CounterKind], produced: float
) -> tuple[float | None, Missing | None]:
    scrapped = sum(one.quantity for one in booked if one.origin == "manual")
    if "good" in counted and not counted & {"reject", "rework", "total"}:
        return None, "no_reject_counter"
    if "good" not in counted and "reject" not in counted:
        return None, "no_good_counter"
    bad: tuple[CounterKind, ...] = ("reject", "rework")
    good = _sum(device, {"good"}) if "good" in counted else produced - _sum(device, bad)
    good -= scrapped
    return (good, None) if 0 <= good <= produced else (None, "counts_contradict")


def _sum(parts: Iterable[Parts], kinds: Iterable[CounterKind]) -> float:
    wanted = frozenset(kinds)
    return sum(one.quantity for one in parts if one.kind in wanted)


def _ideal_s(parts: Iterable[Parts]) -> float | None:
    ideal_s = 0.0
    for one in parts:
        if one.quantity and one.ideal_cycle_s is None:
            return None
        ideal_s += (one.ideal_cycle_s or 0.0) * one.quantity
    return ideal_s
