"""Televisions that wait to be paired: each shows a code until an administrator enters it.

Pure but for the clock and the codes it is given.

- A code is good for `LASTS_S` and for one television; who shows it is known by a ticket, so that
  the secret of a display goes to that one and to nobody else.
- A code counts once. Entered is not yet paired: it is given back if the display cannot be kept.
- What waits is bounded: `MAX_OF_ADDRESS` of one address, whose oldest goes, and `MAX_WAITING`.
- Nothing of it is stored: after a restart each television shows a new code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.web.access import secret

LASTS_S = 600.0
MAX_WAITING = 100
MAX_OF_ADDRESS = 20


class TooManyWait(Exception):
    """Nobody else may wait for now."""


@dataclass(slots=True)
class Waiting:
    """A television that shows a code; from `secret` on it is paired and only has to ask again."""

    code: str
    address: str
    until_s: float
    entered: bool = False
    secret: str | None = field(default=None, repr=False)
    told: bool = False
    """Whether the television was given the secret before: its answer may have been lost."""


class Pairings:
    """Who waits, oldest first."""

    def __init__(
        self, mono_s: Callable[[], float], draw: Callable[[], str] = secret.new_digits
    ) -> None:
        self._mono_s = mono_s
        self._draw = draw
        self._waiting: dict[bytes, Waiting] = {}

    def find(self, ticket: str) -> Waiting | None:
        """Return who holds a ticket, while his code or his secret can still be had."""
        self._forget_old()
        return self._waiting.get(secret.digest(ticket))

    def begin(self, address: str) -> tuple[str, Waiting]:
        """Let a television wait; return its ticket. Raises TooManyWait."""
        self._forget_old()
        same = [key for key, one in self._waiting.items() if one.address == address]
        if len(same) >= MAX_OF_ADDRESS:
            del self._waiting[same[0]]
        if len(self._waiting) >= MAX_WAITING:
            raise TooManyWait
        ticket = secret.new_secret()
        waiting = Waiting(self._new_code(), address, self._mono_s() + LASTS_S)
        self._waiting[secret.digest(ticket)] = waiting
        return ticket, waiting

    def enter(self, code: str) -> Waiting | None:
        """Take a code that somebody shows; None if nobody does, or it was entered before."""
        self._forget_old()
        for waiting in self._waiting.values():
            if not waiting.entered and secret.same(waiting.code, code):
                waiting.entered = True
                return waiting
        return None

    def give_back(self, waiting: Waiting) -> None:
        """Let the code be entered again: there is no display."""
        waiting.entered = False

    def pair(self, waiting: Waiting, value: str) -> None:
        """Keep the secret until the television has asked for it."""
        waiting.secret = value
        waiting.until_s = self._mono_s() + LASTS_S

    def forget(self, ticket: str) -> None:
        """Let who holds the ticket begin anew."""
        self._waiting.pop(secret.digest(ticket), None)

    def left_s(self, waiting: Waiting) -> float:
        """Return how long a code is still good."""
        return max(0.0, waiting.until_s - self._mono_s())

    def _new_code(self) -> str:
        shown = {one.code for one in self._waiting.values()}
        code = self._draw()
        while code in shown:
            code = self._draw()
        return code

    def _forget_old(self) -> None:
        now_s = self._mono_s()
        for key in [key for key, one in self._waiting.items() if one.until_s <= now_s]:
            del self._waiting[key]
