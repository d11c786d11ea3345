"""A clock that moves only when told to."""

from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)


class FakeClock:
    """A `gateway.ops.clock.Clock` moved by hand."""

    def __init__(self, at: datetime = MORNING, mono_s: float = 1000.0) -> None:
        self._at = at
        self._mono_s = mono_s

    def now(self) -> datetime:
        return self._at

    def mono_s(self) -> float:
        return self._mono_s

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move."""
        self._at += timedelta(seconds=seconds)
        self._mono_s += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person does; the monotonic clock stays."""
        self._at += timedelta(seconds=seconds)
