"""Which counts become fewer next: stretch by stretch, the oldest first.

Only rows of the epoch in force that no consumer was given yet, in this life or an earlier one.
A stretch that was looked at once is not looked at again in the same way.
"""

from datetime import datetime

from gateway.domain.events import Count
from gateway.journal.errors import as_journal_errors
from gateway.journal.ledger import Ledger
from gateway.journal.merging import CountRow, Merged, merge

ROWS_A_MACHINE = 64
"""A stretch holds so many of each: fewer would leave little but the events that name them."""
MIN_ROWS, MAX_ROWS = 2048, 32_768
"""The latter bounds the transaction: some tenths of a second."""


class Merger:
    """Used by the writer's thread only; `find` and `done` take turns."""

    def __init__(self, ledger: Ledger) -> None:
        """Read nothing yet."""
        self._ledger = ledger
        self._looked_to: dict[int | None, int] = {}
        self._waits_for: dict[int | None, int] = {}
        """By then there are enough new rows to look again."""

    def find(self, slot_ms: int | None, at: datetime) -> tuple[Merged, int] | None:
        """Return the next stretch worth it and its end, for `done`; None if there is none."""
        while self._ledger.head >= self._waits_for.get(slot_ms, 0):
            rows = self._stretch(slot_ms)
            merged = merge(rows, slot_ms=slot_ms, at=at)
            if merged.pays:
                return merged, rows[-1].seq
            if len(rows) < self._rows_a_stretch:
                self._waits_for[slot_ms] = self._ledger.head + MIN_ROWS // 2
            else:
                self.done(slot_ms, rows[-1].seq)
        return None

    def done(self, slot_ms: int | None, upto: int) -> None:
        """Go on behind this row the next time."""
        self._looked_to[slot_ms] = upto

    @property
    def _rows_a_stretch(self) -> int:
        machines = sum(kind == Count.type for _, kind in self._ledger.heads)
        return min(MAX_ROWS, max(MIN_ROWS, ROWS_A_MACHINE * machines))

    def _stretch(self, slot_ms: int | None) -> list[CountRow]:
        ledger = self._ledger
        given = max(ledger.given, *ledger.cursors.values(), self._looked_to.get(slot_ms, 0))
        with as_journal_errors():
            found = ledger.connection.execute(
                "SELECT seq, equipment, streamseq, time_ms, data FROM event"
                " WHERE seq > ? AND type = ? AND NOT local ORDER BY seq LIMIT ?",
                (given, Count.type, self._rows_a_stretch),
            ).fetchall()
        return list(map(CountRow._make, found))
