"""Finds items that have fallen silent without a word, and makes them anew.

A server that restarted in part, or that took an item and forgot it, is connected and says
nothing; its keepalives look like a machine at rest. So what items say is compared with what
the nodes hold.

Promises:

- Within ``supervise_s`` each watched value is read once, piece by piece within the limits.
- An item is made anew if twice in a row, ``supervise_s`` apart, its node held something
  else than the item said last, and the item said nothing in between.
- What finds no such item changes nothing: a value read here is never a reading.
"""

from collections.abc import Callable, Mapping, Sequence

from drivers.opcua.convert import is_bad
from drivers.opcua.services import Place, Raw


class Supervisor:
    """Takes turns through the items of one session."""

    def __init__(self, supervise_s: float, size: int, monotonic: Callable[[], float]) -> None:
        """``size``: values read at once."""
        self._supervise_s = supervise_s
        self._size = size
        self._monotonic = monotonic
        self._round: list[str] = []
        self._due_s = monotonic() + supervise_s
        self._step_s = supervise_s
        self._suspects: dict[str, Raw | None] = {}

    def due(self, places: Mapping[str, Place]) -> Sequence[str]:
        """Return the tags to be read now; none if it is not time."""
        now_s = self._monotonic()
        if now_s < self._due_s or not places:
            return ()
        if not self._round:
            self._round = sorted(places)
            self._step_s = self._supervise_s * self._size / max(len(places), self._size)
        piece, self._round = self._round[: self._size], self._round[self._size :]
        self._due_s = now_s + self._step_s
        return [key for key in piece if key in places]

    def dead(self, read: Mapping[str, Raw], said: Mapping[str, Raw]) -> list[str]:
        """Return the tags whose items are to be made anew."""
        dead: list[str] = []
        for key, raw in read.items():
            last = said.get(key)
            suspected = key in self._suspects
            before = self._suspects.pop(key, None)
            if last is not None and _same(raw, last):
                continue
            if suspected and before is last:
                dead.append(key)
            else:
                self._suspects[key] = last
        return dead


def _same(one: Raw, other: Raw) -> bool:
    if is_bad(one.status) or is_bad(other.status):
        return is_bad(one.status) == is_bad(other.status)
    return repr(one.value) == repr(other.value)  # NaN equals itself there
