"""Looking for the one row of a batch that is not taken: halves, in order. Pure.

A refused batch of n holds such a row; its first half is sent next. If that is taken the row
is in the second half, else in the first: at most log2(n) + 2 requests until it stands alone.
"""


class Search:
    """How many rows from the cursor on are known to hold one that is refused."""

    def __init__(self, most: int) -> None:
        """``most`` rows go into a batch nobody complained about."""
        self._most = most
        self._suspects = 0

    @property
    def next_size(self) -> int:
        """How many rows to send next at most."""
        return max(1, self._suspects // 2) if self._suspects else self._most

    def taken(self, rows: int) -> None:
        """So many were taken."""
        self._suspects = max(0, self._suspects - rows)

    def refused(self, rows: int) -> None:
        """So many were refused; one alone is the row itself, and is known now."""
        self._suspects = rows if rows > 1 else 0
