"""The shifts of a site as rows: which spans of time are planned for work, ahead of time.

- The windows of one equipment are disjoint; a break is a window of its own, not planned.
- What has begun stays as it was planned: a calendar that changes counts from now on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.domain.shifts import ShiftCalendar, breaks_between, shifts_between

AHEAD = timedelta(days=14)
BEHIND = timedelta(days=92)
"""So far back the first windows of an equipment begin: its gateway may still have that much."""
FURTHEST = timedelta(days=800)
"""Not further back, whatever a fact with a broken clock says."""


@dataclass(frozen=True, slots=True)
class ShiftWindow:
    """A part of a shift from ``begins`` to before ``ends`` (UTC)."""

    begins: datetime
    ends: datetime
    shift: str
    production_date: str
    """ISO date."""
    planned: bool
    """False in a break."""


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """The calendars of the equipment of one gateway; equipment without one is not in it."""

    source: str = ""
    calendars: Mapping[str, ShiftCalendar] = field(default_factory=dict)


def windows(calendar: ShiftCalendar, begins: datetime, ends: datetime) -> list[ShiftWindow]:
    """Return the windows from ``begins``, in order; the last shift begins before ``ends``."""
    found: list[ShiftWindow] = []
    for shift in shifts_between(calendar, begins, ends):
        at = max(shift.starts_at, begins)
        day = shift.production_date.isoformat()
        for pause in breaks_between(calendar, at, shift.ends_at):
            found.append(ShiftWindow(at, pause.begins, shift.code, day, planned=True))
            found.append(ShiftWindow(pause.begins, pause.ends, shift.code, day, planned=False))
            at = pause.ends
        found.append(ShiftWindow(at, shift.ends_at, shift.code, day, planned=True))
    return [window for window in found if window.begins < window.ends]


def first_moment(now: datetime, told_since: datetime | None) -> datetime:
    """Return where the first windows begin; ``told_since`` is the oldest state in the store."""
    begins = now - BEHIND
    return begins if told_since is None else max(min(begins, told_since), now - FURTHEST)
