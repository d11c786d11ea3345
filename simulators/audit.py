"""Whether the store of record says what a perfect observer could know, and admits the rest.

- Parts: per counter the sum of deltas and the rise of the total equal the observable
  parts exactly, but for a lap that the store refused, not knowing it from a reset. Parts
  nobody could see are admitted by an anomaly on that counter, or by an offline interval.
- States: the same ones in the same order, each boundary within one interval plus hold.
  Equal states that only an offline interval or a cut separates count as one.
- Offline: no sample was served inside such an interval, and each blind window that is
  long enough has one.
- Faults: the same occurrences, raised and cleared within one interval.
- Identity: nothing stands there twice, no number of a stream is missing unless a gap
  names it.

A sample served just before a kill may or may not have been committed: where that
decides, either outcome is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from simulators.audit_faults import check_faults
from simulators.audit_states import check_offline, check_states, offline
from simulators.audit_store import Booking, Stored, read, series_totals
from simulators.audit_view import Findings, Kill, View

Json = dict[str, Any]


@dataclass(slots=True)
class AuditReport:
    """What the audit found; each finding is a sentence."""

    missing: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_admitted: list[str] = field(default_factory=list)
    parts_observable: int = 0
    parts_stored: int = 0
    """Parts are units of the counters that count pieces; energy is audited, not summed."""
    states_observable: int = 0
    states_stored: int = 0
    uncovered: int = 0
    """Parts and blind windows that nothing in the store admits."""

    @property
    def problems(self) -> list[str]:
        """Return everything that is not as it should be."""
        return [*self.missing, *self.duplicated, *self.wrong, *self.not_admitted]

    @property
    def ok(self) -> bool:
        """Whether the store is right."""
        return not self.problems


def audit(
    truth: Json,
    store: Path,
    *,
    kills: Sequence[tuple[datetime, datetime]] = (),
    heartbeat_s: float = 1.0,
    late_s: float = 0.0,
) -> AuditReport:
    """Compare the truth with a SQLite store of record.

    ``kills`` are (down, up) of the collector; ``heartbeat_s`` is how far back it may
    have to date its own death. ``late_s`` is how late the machine was seen to be where the
    store was filled; the truth says how late it was where the samples were served.
    """
    stored = read(store)
    downs = [Kill(down.timestamp(), up.timestamp()) for down, up in kills]
    findings = Findings(duplicated=list(stored.doubled), missing=list(stored.holes))
    report = AuditReport()
    late_s += truth.get("late_s", 0.0)  # one waits for the other
    for name, machine in truth["machines"].items():
        view = View(name, machine, truth, downs, heartbeat_s, late_s)
        facts = stored.equipment[name]
        _check_counters(view, facts, report, findings)
        observable, held = check_states(view, facts, findings)
        report.states_observable += observable
        report.states_stored += held
        check_offline(view, facts, findings)
        check_faults(view, facts, findings)
    report.missing, report.duplicated = findings.missing, findings.duplicated
    report.wrong, report.not_admitted = findings.wrong, findings.not_admitted
    report.uncovered = findings.uncovered
    return report


def _check_counters(view: View, stored: Stored, report: AuditReport, found: Findings) -> None:
    for counter, seen in view.observable["counters"].items():
        bookings = stored.bookings[counter]
        series = series_totals(bookings).values()
        booked = sum(booking.delta for booking in bookings)
        pieces = view.machine["counters"][counter]["unit"] == "1"
        report.parts_observable += seen["total"] if pieces else 0
        report.parts_stored += round(booked) if pieces else 0
        label = f"{view.name} {counter}"
        difference = booked - seen["total"]
        if difference < 0:
            difference = min(0, difference + _perhaps_a_lap(bookings))
        if difference < 0:
            found.missing.append(f"{label}: {-difference:g} of {seen['total']} are not stored")
        elif difference > 0:
            found.duplicated.append(
                f"{label}: {difference:g} more are stored than the {seen['total']} made"
            )
        found.wrong += [
            f"{label}: deltas make {deltas:g}, but the total rose by {rise:g}"
            for deltas, rise in series
            if deltas != rise
        ]
        _check_admitted(view, stored, counter, found)


def _perhaps_a_lap(bookings: Sequence[Booking]) -> float:
    """Return what was refused because a counter may have gone round, or else been reset."""
    return sum(b.refused for b in bookings if b.anomaly == "rollover_ambiguous")


def _check_admitted(view: View, stored: Stored, counter: str, found: Findings) -> None:
    for lost in view.observable["counters"][counter]["uncovered"]:
        at = view.seconds(lost["at"])
        by_anomaly = any(
            booking.anomaly not in {"none", "baseline"} and abs(booking.at - at) <= view.tolerance_s
            for booking in stored.bookings[counter]
        )
        by_offline = any(
            interval.since - view.tolerance_s <= at <= interval.until + view.tolerance_s
            for interval in offline(view, stored)
        )
        if not by_anomaly and not by_offline:
            found.uncovered += lost["parts"]
            found.not_admitted.append(
                f"{view.name} {counter}: {lost['parts']} parts were lost at {lost['at']}"
                f" ({lost['anomaly']}) and nothing admits it"
            )
