"""Whether the wall clock can be believed.

A box without a battery for its clock boots in the past, and one without a time server drifts.
What it stamps then is kept, in order, and marked.
"""

import ctypes
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gateway.ops.clock import Clock

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""This program is younger than that: a clock that shows an earlier time is wrong."""
LOOK_S = 1.0
TIME_ERROR = 5
"""adjtimex(2): nobody disciplines the clock."""
_TIMEX_BYTES = 512
"""More than ``struct timex`` takes anywhere; zeros ask for nothing to be changed."""


class ClockTrust:
    """Asks the system at most once in `LOOK_S`. For one thread."""

    def __init__(self, clock: Clock, is_synced: Callable[[], bool]) -> None:
        """``is_synced`` says whether a time server or a person vouches for the clock."""
        self._clock = clock
        self._is_synced = is_synced
        self._looked_s: float | None = None
        self._trusted = True

    @property
    def trusted(self) -> bool:
        """Whether a stamp of now can be believed."""
        now_s = self._clock.mono_s()
        if self._looked_s is None or now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._trusted = self._clock.now() >= FIRST_DAY and self._is_synced()
        return self._trusted


def kernel_is_synced(timesyncd: Path = Path("/run/systemd/timesync")) -> bool:
    """Return what the kernel says of NTP or PTP; True where nobody can say.

    A hardened service may be refused the question; systemd-timesyncd leaves a file as well.
    """
    answer = ask_kernel()
    if answer is None:
        return not timesyncd.exists() or (timesyncd / "synchronized").exists()
    return answer != TIME_ERROR


def ask_kernel() -> int | None:
    """Return what adjtimex(2) says of the clock; None where nobody answers."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        answer = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
    return answer if answer >= 0 else None
