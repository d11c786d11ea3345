"""Where time comes from, so that it can be given."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time to stamp with and monotonic time to measure with. Safe from any thread."""

    def now(self) -> datetime:
        """Return the wall clock, aware, UTC. It may step."""
        ...

    def mono_s(self) -> float:
        """Return seconds from an arbitrary origin; never falls."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the wall clock, aware, UTC."""
        return datetime.now(UTC)

    mono_s = staticmethod(time.monotonic)
    """The monotonic clock in seconds."""


SYSTEM_CLOCK = SystemClock()
