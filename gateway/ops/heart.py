"""Whether the event loop turns: how late it is, what holds it up, and who must hear of it.

- A task on the loop beats every `BEAT_S` and notes by how much it came late.
- A thread beside it looks after the beats. When they stay away for `BLOCKED_S` it logs where
  the loop's thread stands, once for each time; when they are back, for how long they were away.
- The service manager hears of a beat only from the loop, and only while everything in
  ``checks`` says that it is well: a blocked loop or a dead writer ends the process by silence.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import islice, takewhile
from pathlib import Path
from types import FrameType

from gateway.ops.durations import Durations
from gateway.ops.notify import Notifier

BEAT_S = 0.25
BLOCKED_S = 1.0
_FRAMES = 12
"""So many calls show where a loop stands."""

Check = Callable[[], str | None]
"""Returns what is wrong, or None."""

_log = logging.getLogger(__name__)


class Heart:
    """One for each event loop."""

    def __init__(
        self,
        notifier: Notifier,
        *,
        blocked_s: float = BLOCKED_S,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Beat for ``notifier``; add to `checks` what must be well for that."""
        self.late = Durations()
        """By how much the beats came late."""
        self.blocked = 0
        """How often the loop stood still for longer than ``blocked_s``."""
        self.checks: dict[str, Check] = {}
        self._notifier = notifier
        self._blocked_s = blocked_s
        self._mono_s = mono_s
        self._beat_s = mono_s()
        self._told_s = float("-inf")
        self._doubtful: frozenset[str] = frozenset()
        self._named: frozenset[str] = frozenset()
        self._over = threading.Event()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat and look after the beats until the end."""
        self._beat_s = self._mono_s()
        thread = threading.Thread(
            target=self._look, args=(threading.get_ident(),), name="heart", daemon=True
        )
        beats = asyncio.create_task(self._run(), name="heart")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            thread.join()

    async def _run(self) -> None:
        while True:
            self._tell()
            due_s = self._mono_s() + BEAT_S
            await asyncio.sleep(BEAT_S)
            now_s = self._mono_s()
            self.late.note(max(0.0, now_s - due_s))
            self._beat_s = now_s

    def _tell(self) -> None:
        """Let the service manager hear a beat, thrice in the time it waits for one."""
        every_s = self._notifier.watchdog_s
        if every_s is None or self._mono_s() - self._told_s < every_s / 3:
            return
        unwell = {name: said for name, check in self.checks.items() if (said := check())}
        self._name(unwell)
        if not unwell:
            self._notifier.watchdog()
            self._told_s = self._mono_s()

    def _name(self, unwell: Mapping[str, str]) -> None:
        """Log once what was not well at the last look either: after a pause much is late."""
        lasting = self._doubtful & unwell.keys()
        for name in sorted(lasting - self._named):
            _log.error("%s: %s; without it the watchdog ends this process", name, unwell[name])
        self._named, self._doubtful = lasting, frozenset(unwell)

    def _look(self, loop_thread: int) -> None:
        """Run in a thread of its own: the loop cannot say that it is stuck."""
        noticed_s: float | None = None
        looked_s = self._mono_s()
        while not self._over.wait(BEAT_S):
            now_s = self._mono_s()
            paused = now_s - looked_s > self._blocked_s  # all of us stood still, not the loop
            looked_s, beat_s = now_s, self._beat_s
            silent = now_s - beat_s > self._blocked_s
            if silent and noticed_s is None and not paused:
                noticed_s = beat_s
                self.blocked += 1
                where = _where(sys._current_frames().get(loop_thread))  # noqa: SLF001 - the one way
                _log.error("the event loop stands still; it is in %s", where)
            elif not silent and noticed_s is not None:
                _log.warning("the event loop turns again after %.1f s", beat_s - noticed_s)
                noticed_s = None


def _where(frame: FrameType | None) -> str:
    """Return the innermost calls up to where asyncio runs them, the innermost first."""
    calls = reversed(traceback.extract_stack(frame) if frame else [])
    ours = takewhile(lambda call: "asyncio" not in call.filename or "run" not in call.name, calls)
    return " < ".join(
        f"{Path(call.filename).parent.name}/{Path(call.filename).name}:{call.lineno} {call.name}"
        for call in islice(ours, _FRAMES)
    )
