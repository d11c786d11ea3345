"""Places for those who look at the live stream: so many in all, so many for one of them."""

from collections import Counter

MAX_STREAMS = 100
MAX_OF_ONE = 60
"""One account may serve every screen of a hall, but not take the places of all the others."""
MAX_OF_DISPLAY = 4
"""A paired television is one screen, which may come again before its last connection is missed."""


class Seats:
    """Counts the open streams of each name."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, name: str, most: int | None = None) -> bool:
        """Take a place for a name, if there is one; its owner gives it back with `leave`."""
        most = MAX_OF_ONE if most is None else most
        if self._taken.total() >= MAX_STREAMS or self._taken[name] >= most:
            return False
        self._taken[name] += 1
        return True

    def leave(self, name: str) -> None:
        """Give a place back."""
        self._taken[name] -= 1
        if self._taken[name] <= 0:
            del self._taken[name]
