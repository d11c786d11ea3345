"""The newest rows in memory, for readers that keep up.

- What it gives is what the file holds, row for row.
- It knows when it does not know: a reader that asks for older rows is sent to the file.
"""

from collections.abc import Sequence

from gateway.journal.row import Row


class Tail:
    """Up to twice ``most`` rows without a hole between them. Not for two threads."""

    def __init__(self, most: int) -> None:
        """Keep at least the newest ``most`` rows."""
        self._most = most
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Take what was committed next, in order."""
        self._rows += rows
        if len(self._rows) > 2 * self._most:
            del self._rows[: -self._most]

    def clear(self) -> None:
        """Forget all of it: rows in the file were changed or removed."""
        self._rows.clear()

    @property
    def first_seq(self) -> int | None:
        """The oldest row it has."""
        return self._rows[0].seq if self._rows else None

    def rows(self, after: int, limit: int, upto: int) -> list[Row] | None:
        """Return the oldest rows with after < seq <= upto, None if some may be in the file only."""
        if not self._rows or after + 1 < self._rows[0].seq:
            return None
        first = self._rows[0].seq
        begin = after + 1 - first
        return self._rows[begin : max(begin, min(begin + limit, upto + 1 - first))]
