"""How reliable a machine is: MTBF, MTTR and the Pareto of its faults, from stored facts.

- A figure without a basis is None: never 0, never infinite, never 100 % of nothing.
- A failure is a fault that stops the machine and was there while it stood in ``fault``;
  raises of one code within ``merge_s`` after its last end are one failure. It belongs to
  the span of time in which it began, so figures of neighbouring spans add up.
- Time in which nothing was known (``offline``, or no state at all) is neither operating time
  nor repair time: it stands beside as ``unknown_s``. A failure that touches ``offline`` counts
  as a failure, but not in MTTR, repair and restart: nobody knows when it began or ended.
- Shelving changes nothing here: it hides a fault from people and not from the machine.
- The order of the rows does not matter.

Figures (all times in seconds):

- MTBF = operating time / failures, operating time being that in ``running``.
- MTTR = mean of (end of the failure - its begin), of those that ended.
- Response = mean of (acknowledged - begin), of those acknowledged.
- Repair = mean of (end - acknowledged), of those acknowledged before they ended.
- Restart = mean of (first ``running`` after the end - end), of those after which it ran
  again, less those with unknown time between.
- Inherent availability = MTBF / (MTBF + MTTR).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import fsum
from statistics import fmean

from gateway.domain.shifts import Span
from gateway.domain.vocabulary import Json, State
from gateway.domain.worktime import Interval

MERGE_S = 60.0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One fault; what has not happened yet is None."""

    code: str
    raised_at: datetime
    cleared_at: datetime | None = None
    acked_at: datetime | None = None
    stops_machine: bool = True
    raises: int = 1
    equipment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The figures of one machine over one span, with what they were made of."""

    operating_s: float
    unknown_s: float
    failures: int
    repaired: int
    """Failures in ``mttr_s``."""
    acknowledged: int
    """Failures in ``response_s``."""
    mended: int
    """Failures in ``repair_s``."""
    restarted: int
    """Failures in ``restart_s``."""
    mtbf_s: float | None
    mttr_s: float | None
    response_s: float | None
    repair_s: float | None
    restart_s: float | None
    availability: float | None
    """0 to 1."""

    def data(self) -> Json:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """One code of one equipment: how often and how long, and its part in all of it."""

    equipment: str
    code: str
    occurrences: int
    raises: int
    duration_s: float
    """Within the span; of a fault that goes on, up to the end of the span."""
    share: float | None
    """Of the duration of all codes, 0 to 1; None where that is nothing."""
    cumulative: float | None
    """Share of this code and those before it."""

    def data(self) -> Json:
        """JSON-ready."""
        return asdict(self)


def reliability(
    occurrences: Iterable[Occurrence],
    intervals: Iterable[Interval],
    span: Span,
    *,
    merge_s: float = MERGE_S,
) -> Reliability:
    """Return the figures of one machine in ``span``.

    Rows outside the span may be given and help at its edges.
    """
    states = _disjoint(intervals)
    begun = [one for one in failures(occurrences, states, merge_s) if _within(one, span)]
    known = [one for one in begun if _is_known(one, states)]
    repairs = [_seconds(one.raised_at, one.cleared_at) for one in known if one.cleared_at]
    responses = [_seconds(one.raised_at, one.acked_at) for one in begun if one.acked_at]
    mendings = [
        _seconds(one.acked_at, one.cleared_at)
        for one in known
        if one.acked_at and one.cleared_at and one.acked_at <= one.cleared_at
    ]
    restarts = [wait for one in known if (wait := _restart_s(one, states)) is not None]
    operating_s = _time_in(State.RUNNING, states, span)
    mtbf_s = operating_s / len(begun) if begun and operating_s > 0 else None
    mttr_s = _mean(repairs)
    return Reliability(
        operating_s=operating_s,
        unknown_s=_unknown_s(states, span),
        failures=len(begun),
        repaired=len(repairs),
        acknowledged=len(responses),
        mended=len(mendings),
        restarted=len(restarts),
        mtbf_s=mtbf_s,
        mttr_s=mttr_s,
        response_s=_mean(responses),
        repair_s=_mean(mendings),
        restart_s=_mean(restarts),
        availability=None if mtbf_s is None or mttr_s is None else mtbf_s / (mtbf_s + mttr_s),
    )


def down_s(intervals: Iterable[Interval], span: Span) -> float:
    """Return how long the machine stood in ``fault``, whatever caused it."""
    return _time_in(State.FAULT, _disjoint(intervals), span)


def failures(
    occurrences: Iterable[Occurrence], intervals: Sequence[Interval], merge_s: float = MERGE_S
) -> list[Occurrence]:
    """Return the failures, oldest first, each as one occurrence from first raise to last end."""
    stood = [one for one in intervals if one.state is State.FAULT]
    found: list[Occurrence] = []
    newest: dict[str, int] = {}
    for one in sorted(occurrences, key=_order):
        if not one.stops_machine or not any(_overlaps(one, interval) for interval in stood):
            continue
        place = newest.get(one.code)
        if place is not None and _joins(found[place], one, merge_s):
            found[place] = _joined(found[place], one)
        else:
            newest[one.code] = len(found)
            found.append(one)
    return found


def pareto(occurrences: Iterable[Occurrence], span: Span) -> list[ParetoRow]:
    """Return the codes that were active in ``span``, of each equipment, the longest first."""
    by_code: dict[tuple[str, str], list[tuple[Occurrence, float]]] = {}
    for one in occurrences:
        duration_s = _clipped_s(one.raised_at, one.cleared_at, span)
        if duration_s > 0 or _within(one, span):
            by_code.setdefault((one.equipment, one.code), []).append((one, duration_s))
    rows = [_row(*key, found, span) for key, found in by_code.items()]
    rows.sort(key=lambda row: (-row.duration_s, -row.occurrences, row.equipment, row.code))
    all_s = fsum(row.duration_s for row in rows)
    if all_s <= 0:
        return rows
    shared, so_far_s = [], 0.0
    for row in rows:
        so_far_s += row.duration_s
        part, parts = row.duration_s / all_s, min(1.0, so_far_s / all_s)
        shared.append(replace(row, share=part, cumulative=parts))
    return shared


def _row(
    equipment: str, code: str, found: Sequence[tuple[Occurrence, float]], span: Span
) -> ParetoRow:
    begun = [one for one, _ in found if _within(one, span)]
    raises = sum(one.raises for one in begun)
    return ParetoRow(equipment, code, len(begun), raises, fsum(s for _, s in found), None, None)


def _order(one: Occurrence) -> tuple[datetime, str, bool, datetime]:
    return one.raised_at, one.code, one.cleared_at is None, one.cleared_at or one.raised_at


def _joins(failure: Occurrence, one: Occurrence, merge_s: float) -> bool:
    end = failure.cleared_at
    return end is None or (one.raised_at - end).total_seconds() < merge_s


def _joined(failure: Occurrence, one: Occurrence) -> Occurrence:
    ends = (failure.cleared_at, one.cleared_at)
    acks = [at for at in (failure.acked_at, one.acked_at) if at is not None]
    return replace(
        failure,
        cleared_at=None if ends[0] is None or ends[1] is None else max(ends[0], ends[1]),
        acked_at=min(acks, default=None),
        raises=failure.raises + one.raises,
    )


def _within(one: Occurrence, span: Span) -> bool:
    return span.begins <= one.raised_at < span.ends


def _overlaps(one: Occurrence, interval: Interval) -> bool:
    """A fault and the state it causes often begin in the same moment, so ends touch."""
    if one.raised_at > interval.until:
        return False
    return one.cleared_at is None or interval.since <= one.cleared_at


def _is_known(failure: Occurrence, intervals: Iterable[Interval]) -> bool:
    """Whether nothing of it happened out of sight."""
    dark = (one for one in intervals if one.state is State.OFFLINE)
    return not any(_overlaps(failure, one) for one in dark)


def _restart_s(failure: Occurrence, intervals: Iterable[Interval]) -> float | None:
    """How long it took to run after the end; None while it did not or nobody knows."""
    end = failure.cleared_at
    if end is None:
        return None
    for one in intervals:
        if one.until <= end:
            continue
        if one.state is State.OFFLINE:
            return None
        if one.state is State.RUNNING:
            return max(0.0, _seconds(end, one.since))
    return None


def _disjoint(intervals: Iterable[Interval]) -> list[Interval]:
    """Return them in order; where a clock was set back, each ends where the next begins."""
    states = sorted(
        (one for one in intervals if one.since < one.until), key=lambda one: (one.since, one.until)
    )
    cut = [
        replace(one, until=min(one.until, following.since)) for one, following in pairwise(states)
    ]
    return [one for one in [*cut, *states[-1:]] if one.since < one.until]


def _unknown_s(states: Iterable[Interval], span: Span) -> float:
    known = (one for one in states if one.state is not State.OFFLINE)
    known_s = fsum(_clipped_s(one.since, one.until, span) for one in known)
    return max(0.0, span.duration.total_seconds() - known_s)


def _time_in(state: State, intervals: Iterable[Interval], span: Span) -> float:
    spans = (one for one in intervals if one.state is state)
    return fsum(_clipped_s(one.since, one.until, span) for one in spans)


def _clipped_s(start: datetime, end: datetime | None, span: Span) -> float:
    last = span.ends if end is None else min(end, span.ends)
    return max(0.0, (last - max(start, span.begins)).total_seconds())


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _mean(seconds: Sequence[float]) -> float | None:
    return fmean(seconds) if seconds else None
