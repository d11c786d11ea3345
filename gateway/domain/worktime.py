"""How the time of a machine was spent, in the words of ISO 22400-2.

- Every instant of a window is booked exactly once: the parts of `Times` add up to it.
- What is not known is not guessed: time without a trustworthy state is ``unknown``, neither
  work nor loss.
- A planned stop is time that was planned to stand and stood. Work in a break or outside the
  shifts is production, so that production never exceeds the time planned for it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gateway.domain.shifts import ShiftCalendar, Span, breaks_between, shifts_between
from gateway.domain.vocabulary import Json, ReasonCategory, State

NONE = timedelta(0)
STANDS_BY_PLAN: frozenset[ReasonCategory] = frozenset({"break", "no_order"})
"""Reasons that are planned without being marked so."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One state of one equipment, from ``since`` to before ``until``."""

    state: State
    since: datetime
    until: datetime
    planned: bool = False
    category: ReasonCategory = "none"
    order_no: str | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """The time of a window by what happened in it."""

    production: timedelta = NONE
    """APT: running, with or without an order."""
    setup: timedelta = NONE
    """AUST: set up, changed over."""
    delay: timedelta = NONE
    """ADET: idle or stopped without a plan."""
    down: timedelta = NONE
    """ADOT: a fault."""
    planned_stop: timedelta = NONE
    """PDOT: breaks, planned reasons, maintenance."""
    unknown: timedelta = NONE
    """Offline, or no fact at all."""
    off_shift: timedelta = NONE
    """No shift was planned and nothing was made."""

    @property
    def planned_busy(self) -> timedelta:
        """PBT, as far as it is known what happened in it."""
        return self.production + self.setup + self.delay + self.down

    @property
    def unplanned_stop(self) -> timedelta:
        """Time that was planned for work and lost."""
        return self.delay + self.down

    @property
    def total(self) -> timedelta:
        """The whole window."""
        return sum((getattr(self, name) for name in _PARTS), NONE)

    def __add__(self, other: "Times") -> "Times":
        """Add part by part."""
        return Times(**{name: getattr(self, name) + getattr(other, name) for name in _PARTS})

    def data(self) -> Json:
        """All of it in seconds, with the sums."""
        named = (*_PARTS, "planned_busy", "unplanned_stop", "total")
        return {f"{name}_s": getattr(self, name).total_seconds() for name in named}


_PARTS = tuple(part.name for part in fields(Times))
_PART_OF: Mapping[State, str] = {
    State.OFFLINE: "unknown",
    State.RUNNING: "production",
    State.IDLE: "delay",
    State.STOPPED: "delay",
    State.FAULT: "down",
    State.SETUP: "setup",
    State.MAINTENANCE: "planned_stop",
}


def spent(
    intervals: Sequence[Interval],
    window: Span,
    calendar: ShiftCalendar | None = None,
    order_no: str | None = None,
) -> Times:
    """Return how one equipment spent ``window``.

    ``intervals`` are in order of ``since``; each ends where the next begins, if not before.
    Without a calendar all of the window was planned for work. With ``order_no`` only the
    time of that order is booked.
    """
    shifts, breaks = [window], list[Span]()
    if calendar is not None:
        worked = shifts_between(calendar, window.begins, window.ends)
        shifts = [Span(shift.starts_at, shift.ends_at) for shift in worked]
        breaks = breaks_between(calendar, window.begins, window.ends)
    known = _lasting_in(window, intervals)
    starts = [interval.since for interval in known]
    booked = dict.fromkeys(_PARTS, NONE)
    for begins, ends in pairwise(_edges(window, (*shifts, *breaks), known)):
        found = bisect_right(starts, begins) - 1
        interval = known[found] if found >= 0 and begins < known[found].until else None
        if order_no is not None and (interval is None or interval.order_no != order_no):
            continue
        part = _part(interval, in_shift=_within(shifts, begins), pause=_within(breaks, begins))
        booked[part] += ends - begins
    return Times(**booked)


def _lasting_in(window: Span, intervals: Sequence[Interval]) -> list[Interval]:
    """Return the intervals of which something lies in the window, made disjoint."""
    real = [one for one in intervals if one.since < one.until]
    follows = [*(one.since for one in real[1:]), datetime.max.replace(tzinfo=UTC)]
    ends = [min(one.until, following) for one, following in zip(real, follows, strict=False)]
    return [
        one if until == one.until else replace(one, until=until)
        for one, until in zip(real, ends, strict=True)
        if one.since < until and one.since < window.ends and window.begins < until
    ]


def _edges(window: Span, spans: Iterable[Span], known: Iterable[Interval]) -> list[datetime]:
    """Return every moment of the window at which something may change, and its two ends."""
    edges = {window.begins, window.ends}
    for span in spans:
        edges |= {span.begins, span.ends}
    for interval in known:
        edges |= {interval.since, interval.until}
    return sorted(edge for edge in edges if window.begins <= edge <= window.ends)


def _within(spans: Sequence[Span], at: datetime) -> bool:
    found = bisect_right(spans, at, key=lambda span: span.begins) - 1
    return found >= 0 and at < spans[found].ends


def _part(interval: Interval | None, *, in_shift: bool, pause: bool) -> str:
    state = State.OFFLINE if interval is None else interval.state
    if state is State.RUNNING:
        return "production"
    if not in_shift:
        return "off_shift"
    if pause or (interval and (interval.planned or interval.category in STANDS_BY_PLAN)):
        return "planned_stop"
    return _PART_OF[state]
