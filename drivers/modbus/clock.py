"""The two clocks a driver stamps with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` is aware UTC, ``mono_s`` seconds that only go forward."""

    now: Callable[[], datetime] = _utc
    mono_s: Callable[[], float] = time.monotonic
