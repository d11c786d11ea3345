"""An event loop whose clock stands still while the machine has no time for the test.

A test whose driver waits 100 ms for a device in the same process says nothing of a machine that
is busy with something else for those 100 ms: when both get to run again, so does the clock.
A wait passes in full; so a test of what a silent device costs means what it says.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from datetime import UTC, datetime

STEP_S = 0.005
"""What a turn of the loop may take of the clock beside its wait; more was not the loop's doing."""


class _Selector(selectors.DefaultSelector):
    """Tells how long it was asked to wait, when nothing was ready at once."""

    waits: Callable[[float | None], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        self.waits(timeout)
        return super().select(timeout)


class PatientLoop(asyncio.SelectorEventLoop):
    """As the standard loop, but for `time`."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.waits = self._wait
        self._seen_s = self._now_s = time.monotonic()
        self._may_take_s: float | None = STEP_S
        super().__init__(selector)

    def time(self) -> float:
        """Return the seconds in which it could run or wanted to wait."""
        seen_s = time.monotonic()
        taken_s, self._seen_s = seen_s - self._seen_s, seen_s
        if self._may_take_s is not None:
            taken_s = min(taken_s, self._may_take_s)
        self._may_take_s = STEP_S
        self._now_s += taken_s
        return self._now_s

    def _wait(self, timeout_s: float | None) -> None:
        self.time()
        self._may_take_s = None if timeout_s is None else timeout_s + STEP_S


class LoopClock:
    """A `gateway.ops.clock.Clock` that measures by the running loop."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def mono_s(self) -> float:
        return asyncio.get_running_loop().time()
