"""How long something took, counted in buckets: cheap to note, and what a histogram needs."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From a fast disk's fsync to what a watchdog would end."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """What was noted up to a moment."""

    bounds_s: tuple[float, ...]
    at_most: tuple[int, ...]
    """For each bound how many took no longer; one more at the end: all."""
    total_s: float

    @property
    def count(self) -> int:
        """How many there were."""
        return self.at_most[-1]


class Durations:
    """One thread notes; any other may read, at worst one note short in one of the numbers."""

    def __init__(self, bounds_s: Sequence[float] = BOUNDS_S) -> None:
        """Begin with nothing noted."""
        self._bounds_s = tuple(bounds_s)
        self._counts = [0] * (len(self._bounds_s) + 1)
        self._total_s = 0.0

    def note(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._total_s += seconds

    def histogram(self) -> Histogram:
        """Return what was noted so far."""
        return Histogram(self._bounds_s, tuple(accumulate(self._counts)), self._total_s)
