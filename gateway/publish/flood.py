"""How many commands are obeyed: a MES that sends in bursts is, a flood is not.

Of what is too much, a few are answered so that an honest sender hears of it; the rest is
counted. It is logged when it begins and when it has ended.
"""

import logging
from collections.abc import Callable
from enum import Enum, auto

RATE_PER_S = 50.0
BURST = 500
_ANSWERS_PER_S = 5.0

_log = logging.getLogger(__name__)


class Verdict(Enum):
    """What becomes of one command."""

    OBEY = auto()
    REFUSE = auto()
    """With an answer."""
    IGNORE = auto()
    """Without one."""


class _Bucket:
    def __init__(self, rate_per_s: float, size: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._size = self._level = size
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        self._level = min(self._size, self._level + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def is_full(self) -> bool:
        return self._level >= self._size - 1


class FloodGate:
    """Judges commands one by one."""

    def __init__(self, mono_s: Callable[[], float]) -> None:
        self.kept_out = 0
        """Commands that were not obeyed, since the start."""
        self._mono_s = mono_s
        now_s = mono_s()
        self._commands = _Bucket(RATE_PER_S, BURST, now_s)
        self._answers = _Bucket(_ANSWERS_PER_S, _ANSWERS_PER_S, now_s)
        self._flooded = 0

    def judge(self, topic: str) -> Verdict:
        """Return what is to be done with a command that came now."""
        now_s = self._mono_s()
        if self._commands.take(now_s):
            if self._flooded and self._commands.is_full:
                _log.warning("the flood of commands is over: %d were not obeyed", self._flooded)
                self._flooded = 0
            return Verdict.OBEY
        if not self._flooded:
            _log.error("a flood of commands, now on %s: what is too much is refused", topic)
        self._flooded += 1
        self.kept_out += 1
        return Verdict.REFUSE if self._answers.take(now_s) else Verdict.IGNORE
