"""Virtual time of the plant against the wall clock.

Both come from one monotonic clock, so that a stepped wall clock moves neither.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class PlantClock:
    """Virtual time runs ``speed`` times as fast as the wall until it is frozen."""

    speed: float
    started: float
    """Wall seconds since 1970 at virtual 0."""
    monotonic: Callable[[], float]
    _zero_s: float = 0.0
    _frozen_s: float | None = None

    def __post_init__(self) -> None:
        self._zero_s = self.monotonic()

    def restart(self, started: float) -> None:
        """Begin at virtual 0 now, which is the wall time ``started``."""
        self.started, self._zero_s = started, self.monotonic()

    def wall(self) -> float:
        """Return the wall time now, in seconds since 1970."""
        return self.started + self.monotonic() - self._zero_s

    def virtual_s(self) -> float:
        """Return the virtual time now."""
        if self._frozen_s is not None:
            return self._frozen_s
        return (self.monotonic() - self._zero_s) * self.speed

    def wall_of(self, virtual_s: float) -> float:
        """Return the wall time of a virtual moment."""
        return self.started + virtual_s / self.speed

    def freeze(self) -> None:
        """Let virtual time stand still for good."""
        self._frozen_s = self.virtual_s()


def iso(wall: float) -> str:
    """Return wall seconds as ISO 8601 in UTC with milliseconds."""
    at = datetime.fromtimestamp(round(wall, 3), tz=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wall_seconds(text: str) -> float:
    """Return the seconds since 1970 of an ISO time; a time without zone is UTC."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
