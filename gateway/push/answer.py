"""What an answer says about what was sent. Pure.

2xx                  taken
408, 425, 429, 5xx   later: with the pause the target asks for, if it does
409                  likewise: a request with this Idempotency-Key is still under way there
401, 403, 404 ...    the door is wrong, not what was brought: later, and somebody is told
3xx                  likewise: nobody is followed elsewhere with a signed body
400, 413, 422 ...    something in it is not taken: it is looked for
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Verdict = Literal["taken", "later", "refused"]
MAX_RETRY_AFTER_S = 3600.0
_TAKEN, _REFUSED = 2, 4
_OF_THE_DOOR = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 431, 451})
_OF_THE_MOMENT = frozenset({408, 409, 423, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """A status that came back, and the beginning of what was said with it."""

    status: int
    retry_after: str | None = None
    text: str = ""

    @property
    def verdict(self) -> Verdict:
        """What to do next."""
        if self.status // 100 == _TAKEN:
            return "taken"
        if self.status // 100 == _REFUSED and self.status not in _OF_THE_DOOR | _OF_THE_MOMENT:
            return "refused"
        return "later"

    def pause_s(self, now: datetime) -> float:
        """Return how long the target asks to be left alone, within reason."""
        said = (self.retry_after or "").strip()
        if said.isascii() and said.isdecimal():
            return min(float(said), MAX_RETRY_AFTER_S)
        try:
            at = parsedate_to_datetime(said)
        except ValueError:
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(0.0, (at - now).total_seconds()), MAX_RETRY_AFTER_S)


class Unanswered(Exception):
    """No answer came, or none that could be read: nobody knows whether it was taken."""
