"""The figures of machines and lines, window by window: OEE and what it rests on.

- A line is worked out from the sums of its machines, not from their ratios. What counts no
  parts, such as a meter, does not belong to it.
- Where the facts come from (a store, the journal) is not known here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

from gateway.domain import kpi, windows
from gateway.domain.kpi import Kpi, Parts
from gateway.domain.shifts import MIDNIGHT, ShiftCalendar, Span, shifts_between
from gateway.domain.vocabulary import CounterKind, Json
from gateway.domain.worktime import Interval, spent

By = Literal["shift", "hour", "day", "order"]


class NoCalendar(ValueError):
    """Nobody said when people work, so nothing can be told by shift."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One equipment and where it belongs."""

    equipment: str
    line: str
    """area/line"""
    calendar: ShiftCalendar | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened, by equipment, in the order of time."""

    intervals: Mapping[str, list[Interval]] = field(default_factory=dict)
    parts: Mapping[str, list[Parts]] = field(default_factory=dict)
    counted: Mapping[str, frozenset[CounterKind]] = field(default_factory=dict)
    """The kinds that were ever counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one machine or line in one window."""

    kind: Literal["equipment", "line"]
    name: str
    window: str
    span: Span
    figures: Kpi

    def data(self) -> Json:
        """JSON-ready."""
        return {
            self.kind: self.name,
            "window": self.window,
            "from": self.span.begins.isoformat(),
            "to": self.span.ends.isoformat(),
            **self.figures.data(),
        }


def figures(
    machines: Iterable[Machine], facts: Facts, zone: tzinfo, span: Span, by: By
) -> Iterator[Figures]:
    """Yield the figures of each machine, and behind them those of each line.

    Raises NoCalendar.
    """
    lines: dict[tuple[str, str], list[Figures]] = {}
    for machine in machines:
        for one in _of_machine(machine, facts, zone, span, by):
            yield one
            if one.figures.output != kpi.NOTHING_COUNTED:
                lines.setdefault((machine.line, one.window), []).append(one)
    for (line, window), members in lines.items():
        if len({one.name for one in members}) > 1:
            together = kpi.combined(one.figures for one in members)
            yield Figures("line", line, window, members[0].span, together)


def shift_spans(calendar: ShiftCalendar | None, within: Span) -> list[tuple[str, Span]]:
    """Return the shifts with their names, cut to ``within``. Raises NoCalendar."""
    if calendar is None:
        raise NoCalendar
    return [
        (
            f"{shift.production_date} {shift.code}",
            Span(max(shift.starts_at, within.begins), min(shift.ends_at, within.ends)),
        )
        for shift in shifts_between(calendar, within.begins, within.ends)
    ]


def spans(
    calendar: ShiftCalendar | None, zone: tzinfo, span: Span, by: Literal["shift", "hour", "day"]
) -> Iterable[tuple[str, Span]]:
    """Return the shifts, hours or days of ``span`` with their names. Raises NoCalendar."""
    if by == "hour":
        return windows.hours(zone, span)
    if by == "day":
        return windows.days(zone, span, MIDNIGHT if calendar is None else calendar.day_starts)
    return shift_spans(calendar, span)


def _of_machine(
    machine: Machine, facts: Facts, zone: tzinfo, span: Span, by: By
) -> Iterator[Figures]:
    name = machine.equipment
    intervals, parts = facts.intervals.get(name, []), facts.parts.get(name, [])
    counted = facts.counted.get(name, frozenset())
    for window, within, order_no in _windows(machine, facts, zone, span, by):
        times = spent(intervals, within, machine.calendar, order_no)
        output = kpi.made(
            (
                one
                for one in parts
                if within.begins <= one.at < within.ends and order_no in (None, one.order_no)
            ),
            counted,
        )
        yield Figures("equipment", name, window, within, kpi.kpi(times, output))


def _windows(
    machine: Machine, facts: Facts, zone: tzinfo, span: Span, by: By
) -> Iterable[tuple[str, Span, str | None]]:
    """Return name, span, the order it is about."""
    if by == "order":
        orders = {one.order_no for one in facts.intervals.get(machine.equipment, [])}
        return [(order, span, order) for order in sorted(filter(None, orders))]
    return [(name, part, None) for name, part in spans(machine.calendar, zone, span, by)]
