"""When people work: a calendar of shifts and breaks, and which shift an instant lies in.

- Every instant has at most one shift: shifts of a calendar abut or are disjoint. Where two
  were written on top of each other, the later one begins and the earlier one ends there.
- A shift begins and ends by the clock on the wall. A time that the clock shows twice is its
  first; a time that it leaves out lies as long after the last one before it.
- The production date is the date on which the shift began; before ``day_starts`` it is the
  date before.
- Nothing here raises, whatever the instant; before 1900 and after 2199 nobody works.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.domain.vocabulary import Shift, Text

DAY = timedelta(days=1)
HORIZON = 400 * DAY
"""So far ahead a change is looked for: an empty calendar has none."""
_STRIDE = 8 * DAY
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Span:
    """The time from ``begins`` to before ``ends`` (UTC)."""

    begins: datetime
    ends: datetime

    @property
    def duration(self) -> timedelta:
        """How long it is."""
        return self.ends - self.begins


@dataclass(frozen=True, slots=True)
class Pause:
    """A break by the clock on the wall; it may go over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shift by the clock on the wall; ``end`` not after ``start`` is on the next day."""

    code: str
    start: time
    end: time
    breaks: tuple[Pause, ...] = ()
    text: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShiftCalendar:
    """Which shifts begin on which day."""

    zone: tzinfo
    week: Mapping[int, tuple[Pattern, ...]] = field(default_factory=dict)
    """Weekday (Monday 0) -> the shifts that begin on it."""
    exceptions: Mapping[date, tuple[Pattern, ...]] = field(default_factory=dict)
    """Instead of the week's: none on a holiday."""
    day_starts: time = MIDNIGHT

    def patterns(self, day: date) -> tuple[Pattern, ...]:
        """Return the shifts that begin on ``day``."""
        found = self.exceptions.get(day)
        return self.week.get(day.weekday(), ()) if found is None else found


def is_planned(at: datetime) -> bool:
    """Whether ``at`` lies in the years for which there can be a plan."""
    return _FIRST <= at < _LAST


def shift_at(calendar: ShiftCalendar, at: datetime) -> Shift | None:
    """Return the shift in which ``at`` lies; None where nobody works."""
    if not is_planned(at):
        return None
    day = at.astimezone(calendar.zone).date()
    found = None
    for shift, _ in _begun_on(calendar, day - DAY, day):
        if shift.starts_at <= at < shift.ends_at:
            found = shift
    return found


def next_change(calendar: ShiftCalendar, at: datetime) -> datetime | None:
    """Return the first moment after ``at`` at which a shift begins or ends.

    None where nothing is planned for `HORIZON`.
    """
    return next(changes(calendar, at, at + HORIZON), None) if is_planned(at) else None


def changes(calendar: ShiftCalendar, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield, in order, the moments after ``after`` up to ``until`` at which a shift begins or ends.

    An end that is the beginning of the next is one moment.
    """
    begins, last = max(after, _FIRST), min(until, _LAST)
    while begins < last:
        ends = min(begins + _STRIDE, last)
        edges = set()
        for shift in shifts_between(calendar, begins, ends + DAY):
            edges |= {shift.starts_at, shift.ends_at}
        yield from sorted(edge for edge in edges if begins < edge <= ends)
        begins = ends


def shifts_between(calendar: ShiftCalendar, begins: datetime, ends: datetime) -> list[Shift]:
    """Return every shift that lies in [begins, ends) at least in part, whole and in order."""
    return [shift for shift, _ in _worked(calendar, begins, ends)]


def breaks_between(calendar: ShiftCalendar, begins: datetime, ends: datetime) -> list[Span]:
    """Return the breaks within the shifts of [begins, ends), in order and disjoint."""
    found: list[Span] = []
    for shift, pattern in _worked(calendar, begins, ends):
        for pause in sorted(_breaks(calendar, shift, pattern), key=lambda span: span.begins):
            start = max(pause.begins, shift.starts_at, found[-1].ends if found else begins, begins)
            end = min(pause.ends, shift.ends_at, ends)
            if start < end:
                found.append(Span(start, end))
    return found


def _worked(
    calendar: ShiftCalendar, begins: datetime, ends: datetime
) -> list[tuple[Shift, Pattern]]:
    first, last = max(begins, _FIRST), min(ends, _LAST)
    if first >= last:
        return []
    day, last_day = (at.astimezone(calendar.zone).date() for at in (first, last))
    return [
        (shift, pattern)
        for shift, pattern in _begun_on(calendar, day - DAY, last_day)
        if shift.starts_at < ends and begins < shift.ends_at
    ]


def _begun_on(calendar: ShiftCalendar, first: date, last: date) -> Iterator[tuple[Shift, Pattern]]:
    """Yield the shifts of these days and the next in order, each up to where another begins."""
    planned = []
    day = first
    while day <= last + DAY:
        planned += [
            (_planned(calendar, day, pattern), pattern) for pattern in calendar.patterns(day)
        ]
        day += DAY
    planned.sort(key=lambda pair: pair[0].starts_at)
    for number, (shift, pattern) in enumerate(planned):
        ends_at = shift.ends_at
        if number + 1 < len(planned):
            ends_at = min(ends_at, planned[number + 1][0].starts_at)
        if shift.starts_at < ends_at:
            yield Shift(shift.code, shift.production_date, shift.starts_at, ends_at), pattern


def _planned(calendar: ShiftCalendar, day: date, pattern: Pattern) -> Shift:
    return Shift(
        code=pattern.code,
        production_date=day - DAY if pattern.start < calendar.day_starts else day,
        starts_at=_instant(calendar.zone, day, pattern.start),
        ends_at=_end(calendar.zone, day, pattern.start, pattern.end),
    )


def _breaks(calendar: ShiftCalendar, shift: Shift, pattern: Pattern) -> Iterator[Span]:
    day = shift.starts_at.astimezone(calendar.zone).date()
    for pause in pattern.breaks:
        on = day if pause.start >= pattern.start else day + DAY
        yield Span(
            _instant(calendar.zone, on, pause.start),
            _end(calendar.zone, on, pause.start, pause.end),
        )


def _end(zone: tzinfo, day: date, start: time, end: time) -> datetime:
    return _instant(zone, day if end > start else day + DAY, end)


def _instant(zone: tzinfo, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
