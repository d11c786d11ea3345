"""Which numbers of a stream we have, and which are missing between them.

- ``add`` and ``cover`` only ever make holes smaller; their order does not matter.
- ``holes`` names exactly the numbers from 1 to the greatest known one that are not there.
- The seq range of a hole contains the seq of every missing row: seq grows with streamseq.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_SEQ = 2**63 - 1
"""No upper bound is known (the greatest number a database holds)."""


class Run(NamedTuple):
    """Streamseqs ``first`` to ``last``, all there.

    Every row before the run has a seq below ``seq_from``; every row after it one above
    ``seq_to``.
    """

    first: int
    last: int
    seq_from: int
    seq_to: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Streamseqs ``first`` to ``last`` are missing; their seqs lie in from_seq..to_seq."""

    first: int
    last: int
    from_seq: int
    to_seq: int


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one stream, in order, never touching each other."""

    runs: tuple[Run, ...] = ()

    @property
    def last(self) -> int:
        """The last number before the first hole; 0 if 1 is missing."""
        return self.runs[0].last if self.runs and self.runs[0].first == 1 else 0

    @property
    def last_seq(self) -> int:
        """The greatest known seq at or below ``last``; 0 if there is none."""
        return self.runs[0].seq_to if self.runs and self.runs[0].first == 1 else 0

    @property
    def top_seq(self) -> int:
        """The greatest seq we know of."""
        return max((run.seq_to for run in self.runs), default=0)

    @property
    def ahead(self) -> tuple[Run, ...]:
        """The runs behind the first hole."""
        return self.runs[1:] if self.last else self.runs

    def add(self, rows: Iterable[tuple[int, int]]) -> "Runs":
        """Return the runs with these (streamseq, seq) in them."""
        return self._merged([Run(number, number, seq, seq) for number, seq in rows])

    def cover(self, first: int, last: int, *, named_at_seq: int = NO_SEQ) -> "Runs":
        """Return the runs with first..last accounted for, by the row at ``named_at_seq``."""
        return self._merged([Run(first, last, named_at_seq, 0)])

    def holes(self) -> list[Hole]:
        """Return what is missing, in order."""
        bounds = [NO_SEQ]  # from behind: each run bounds all holes before it
        for run in reversed(self.runs):
            bounds.append(min(bounds[-1], run.seq_from))
        found: list[Hole] = []
        last, seq_to = 0, 0
        for run, bound in zip(self.runs, reversed(bounds), strict=False):
            if run.first > last + 1:
                found.append(Hole(last + 1, run.first - 1, seq_to + 1, bound - 1))
            last, seq_to = run.last, max(seq_to, run.seq_to)
        return found

    def _merged(self, added: Sequence[Run]) -> "Runs":
        ordered = sorted((*self.runs, *added))
        merged: list[Run] = []
        for run in ordered:
            if merged and run.first <= merged[-1].last + 1:
                merged[-1] = _joined(merged[-1], run)
            else:
                merged.append(run)
        return Runs(tuple(merged))


def _joined(left: Run, right: Run) -> Run:
    return Run(
        left.first,
        max(left.last, right.last),
        min(left.seq_from, right.seq_from),
        max(left.seq_to, right.seq_to),
    )
