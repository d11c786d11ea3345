"""What has been received of every gateway, kept in step with the store.

- A mark moves over rows that are there, over a hole that a ``gap`` event names, and over a
  loss that was written down; over nothing else.
- ``plan`` changes nothing: its result becomes the ledger's own with ``adopt``, after the
  store has committed it together with the rows. What was not committed never counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.vocabulary import BROKERS
from gateway.historian.runs import Hole, Runs
from gateway.wire.cloudevent import Envelope

_KEPT_RUNS = 100  # seqs held ahead of a position: only a short cut, so it may forget


class Series(NamedTuple):
    """One journal's life: what a gateway numbered with one epoch."""

    source: str
    epoch: str


class Stream(NamedTuple):
    """What one streamseq counts: the events of one equipment and type in one series."""

    source: str
    epoch: str
    equipment: str
    type: str

    @property
    def series(self) -> Series:
        """The series it belongs to."""
        return Series(self.source, self.epoch)


@dataclass(frozen=True, slots=True)
class Loss:
    """A hole that nothing will fill and no gap event names."""

    stream: Stream
    hole: Hole
    reason: str


@dataclass(slots=True)
class Changes:
    """The marks and positions a transaction writes, beside its rows."""

    marks: dict[Stream, Runs] = field(default_factory=dict)
    positions: dict[Series, Runs] = field(default_factory=dict)
    """Runs of seq; ``last`` is the position: all rows up to it are here or accounted for."""
    losses: list[Loss] = field(default_factory=list)


class Ledger:
    """All marks and positions, as of the last commit."""

    def __init__(
        self, marks: Mapping[Stream, Runs] = {}, positions: Mapping[Series, int] = {}
    ) -> None:
        self.marks: dict[Stream, Runs] = dict(marks)
        self.positions: dict[Series, Runs] = {
            series: Runs().cover(1, seq) for series, seq in positions.items() if seq
        }
        self._holed: set[Stream] = set()
        self._tops: dict[Series, dict[str, int]] = {}
        for stream, runs in self.marks.items():
            self._index(stream, runs)

    def plan(self, events: Iterable[Envelope]) -> Changes:
        """Return what becomes of marks and positions with these events."""
        rows: dict[Stream, list[tuple[int, int]]] = {}
        seqs: dict[Series, list[tuple[int, int]]] = {}
        gaps: list[Envelope] = []
        for event in events:
            stream = Stream(event.source, event.epoch, equipment_of(event), event.type)
            rows.setdefault(stream, []).append((event.streamseq, event.seq))
            seqs.setdefault(stream.series, []).append((event.seq, event.seq))
            if event.type == "gap":
                gaps.append(event)
        changes = Changes()
        for stream, pairs in rows.items():
            changes.marks[stream] = self.marks.get(stream, Runs()).add(pairs)
        for series, pairs in seqs.items():
            changes.positions[series] = _short(self.positions.get(series, Runs()).add(pairs))
        for event in gaps:
            self._account(changes, event)
        return changes

    def plan_loss(self, losses: Sequence[Loss]) -> Changes:
        """Return the changes that write these holes off."""
        changes = Changes(losses=list(losses))
        for loss in losses:
            runs = changes.marks.get(loss.stream) or self.marks.get(loss.stream, Runs())
            changes.marks[loss.stream] = runs.cover(loss.hole.first, loss.hole.last)
        return changes

    def plan_position(self, series: Series, seq: int) -> Changes:
        """Return the change after which all rows of the series up to ``seq`` count as seen."""
        runs = self.positions.get(series, Runs())
        return Changes(positions={series: runs.cover(1, seq) if seq else runs})

    def adopt(self, changes: Changes) -> None:
        """Take over what the store has committed."""
        self.marks.update(changes.marks)
        self.positions.update(changes.positions)
        for stream, runs in changes.marks.items():
            self._index(stream, runs)

    def position(self, series: Series) -> int:
        """Return the seq up to which all rows are here or accounted for."""
        runs = self.positions.get(series)
        return 0 if runs is None else runs.last

    def holes(self, series: Series) -> list[tuple[Stream, Hole]]:
        """Return what is missing of a series, by seq."""
        found = [
            (stream, hole)
            for stream in self._holed
            if stream.series == series
            for hole in self.marks[stream].holes()
        ]
        return sorted(found, key=lambda item: (item[1].from_seq, item[1].to_seq))

    def top_seqs(self, series: Series) -> Mapping[str, int]:
        """Return the greatest seq we have of each type of a series."""
        return self._tops.get(series, {})

    def all_series(self) -> set[Series]:
        """Return every series we know of."""
        return self._tops.keys() | self.positions.keys()

    def _index(self, stream: Stream, runs: Runs) -> None:
        if runs.ahead:
            self._holed.add(stream)
        else:
            self._holed.discard(stream)
        tops = self._tops.setdefault(stream.series, {})
        tops[stream.type] = max(tops.get(stream.type, 0), runs.top_seq)

    def _account(self, changes: Changes, gap: Envelope) -> None:
        if is_of_others(gap):
            return
        named = (gap.data.get("stream"), gap.data.get("from_streamseq"))
        stream_type, first = named
        last = gap.data.get("to_streamseq")
        if not (isinstance(stream_type, str) and isinstance(first, int) and isinstance(last, int)):
            return  # nothing was ever numbered: reason not_observed
        stream = Stream(gap.source, gap.epoch, equipment_of(gap), stream_type)
        if 1 <= first <= last:
            runs = changes.marks.get(stream) or self.marks.get(stream, Runs())
            changes.marks[stream] = runs.cover(first, last, named_at_seq=gap.seq)


def is_of_others(gap: Envelope) -> bool:
    """Whether a gap names what only somebody else goes without: what came over MQTT has it."""
    return gap.data.get("target") not in {None, BROKERS}


def equipment_of(event: Envelope) -> str:
    """Return the equipment's code: the last level of the subject."""
    return event.subject.rpartition("/")[2]


def _short(runs: Runs) -> Runs:
    if len(runs.runs) <= _KEPT_RUNS:
        return runs
    return Runs((*runs.runs[:1], *runs.runs[-_KEPT_RUNS:]))
