"""What is missing of a series, held against what its gateway reports.

- A series is *suspect* until everything up to the newest seq that was reported is here or was
  sent again.
- A hole is a loss only after a complete replay of its range.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.domain.vocabulary import Json
from gateway.historian.ledger import Ledger, Loss, Series
from gateway.historian.runs import Runs

CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway's retained health says of its journal."""

    series: Series
    last_seq: Mapping[str, int]
    """type -> newest seq, where that has been sent"""
    head: int
    """The newest seq that has been sent, of any type."""


def read_report(source: str, health: Json) -> Report | None:
    """Return what a ``health`` message says; None if it lacks what is needed."""
    epoch, newest, sent = health.get("epoch"), health.get("last_seq"), whole(health, "sent_seq")
    if not isinstance(epoch, str) or not isinstance(newest, dict) or sent is None:
        return None
    seqs = {key: seq for key, seq in newest.items() if isinstance(seq, int)}
    here = {key: seq for key, seq in seqs.items() if seq <= sent}
    return Report(Series(source, epoch), here, min(sent, max(seqs.values(), default=0)))


@dataclass(slots=True)
class SeriesSoFar:
    """What is known of one series."""

    suspect: bool = True
    report: Report | None = None
    report_is_new: bool = False
    """It came after the last replay was done, and after the series became suspect."""
    to_survey: Report | None = None
    """What a report said of the whole, until the gateway has said what is newest of our part."""
    surveyed: Report | None = None
    replayed: Runs = field(default_factory=Runs)
    """Seqs that cannot be had any more: sent again completely, or said not to exist."""


def judge(series: SeriesSoFar, position: int, ledger: Ledger) -> int:
    """Decide whether the series is suspect; return the position its report proves."""
    report = series.report
    if report is None:
        return 0
    tops = ledger.top_seqs(report.series)
    if position >= report.head:
        series.suspect = series.suspect and not series.report_is_new
    elif any(seq > tops.get(type_, 0) for type_, seq in report.last_seq.items()):
        series.suspect = True
    elif not series.suspect:
        return report.head
    return 0


def wanted(key: Series, series: SeriesSoFar, ledger: Ledger) -> tuple[int, int] | None:
    """Return the first range to ask for, at most CHUNK seqs; a hole comes before a tail."""
    top = _top(key, ledger)
    ranges = [(hole.from_seq, min(hole.to_seq, top)) for _, hole in ledger.holes(key)]
    if series.suspect and series.report is not None:
        ranges.append((ledger.position(key) + 1, series.report.head))
    for first, last in ranges:
        for low, high in _missing(series.replayed, first, last):
            return low, min(high, low + CHUNK - 1)
    return None


def _top(series: Series, ledger: Ledger) -> int:
    return max(ledger.top_seqs(series).values(), default=0)


def _missing(runs: Runs, first: int, last: int) -> Iterable[tuple[int, int]]:
    """Yield the ranges of first..last that are in no run."""
    for run in runs.runs:
        if run.last < first:
            continue
        if run.first > last:
            break
        if run.first > first:
            yield first, run.first - 1
        first = run.last + 1
    if first <= last:
        yield first, last


def losses(key: Series, series: SeriesSoFar, ledger: Ledger) -> list[Loss]:
    """Return the holes nobody can fill any more."""
    top = _top(key, ledger)
    return [
        Loss(stream, hole, "not in the journal")
        for stream, hole in ledger.holes(key)
        if not any(_missing(series.replayed, hole.from_seq, min(hole.to_seq, top)))
    ]


def whole(body: Json, key: str) -> int | None:
    """Return a whole number of a message; None if it has none there."""
    value = body.get(key)
    return value if isinstance(value, int) else None
