"""What a chart store has confirmed and may not have on its disk yet. Pure.

VictoriaMetrics confirms what it has in memory and writes it within seconds; if it is killed, what
it confirmed last is gone. The store of record has it all: how far to go back is kept here.

- Kept from the *last confirmation* backwards, not from now: a store may have died right after
  it, long before the next write notices.
- Bounded: one note for each second in which something was confirmed.
- What is fed again is kept for less long, so that a store that dies every minute gets on.
"""

from collections import deque

FIRST_S = 60.0
"""So long what was fed for the first time may be in memory only: much longer than any default."""
AGAIN_S = 10.0
"""The same of what is fed again: twice the five seconds of VictoriaMetrics."""
_SPAN_S = 1.0


class Unsettled:
    """The youngest part of what one chart store has confirmed, by numbers of the record."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, int]] = deque()
        """When it is settled, and behind which number it begins; oldest first."""
        self._next_span_s = 0.0
        self._furthest = 0

    def confirmed(self, before: int, number: int, now_s: float) -> int:
        """Note what is behind ``before`` up to ``number``; return up to where all is settled."""
        if not self._spans or now_s >= self._next_span_s:
            keep_s = FIRST_S if number > self._furthest else AGAIN_S
            self._spans.append((now_s + _SPAN_S + keep_s, before))
            self._next_span_s = now_s + _SPAN_S
        self._furthest = max(self._furthest, number)
        while self._spans[0][0] < now_s:
            self._spans.popleft()
        return self._spans[0][1]

    def back(self) -> int | None:
        """Return behind which number to feed again, and forget; None: nothing is unsettled."""
        first = self._spans[0][1] if self._spans else None
        self._spans.clear()
        return first
