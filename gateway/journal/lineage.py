"""Whose events these are: ours, or those of another journal that has our name.

- Each opening of a journal for use is a life, with a name of its own. A copy of the file has
  the lives up to the moment it was taken, and begins its own with its first use.
- An event at seq n of life L is in this journal exactly if L is one of its lives and ended
  at n or later: whatever a copy wrote, and whatever was written after a backup was taken, is
  known by that, however far this journal's own seqs have gone meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.journal.epoch import base36

LIVES_KEPT = 1000
_RANDOM_WIDTH = 8
_NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Life:
    """One opening of the journal; its events come ``after`` this seq."""

    number: int
    name: str
    after: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """The newest lives of a journal, oldest first; the last one is the present one."""

    lives: Sequence[Life] = ()

    @property
    def life(self) -> str:
        """The name of the present life; "" before the first."""
        return self.lives[-1].name if self.lives else ""

    def end_of(self, life: str) -> int | None:
        """Return the last seq a life could give; None for a life that is not ours."""
        for index, known in enumerate(self.lives):
            if known.name == life:
                following = self.lives[index + 1 : index + 2]
                return following[0].after if following else _NO_END
        return None

    def draw(self, head: int, randbelow: Callable[[int], int]) -> Life:
        """Return the life that begins behind the event ``head``."""
        number = self.lives[-1].number + 1 if self.lives else 1
        random = base36(randbelow(36**_RANDOM_WIDTH), _RANDOM_WIDTH)
        return Life(number, f"{number}-{random}", head)


@dataclass(frozen=True, slots=True)
class Rival:
    """Another journal of our name, by what it left at the broker."""

    epoch: str
    """In force there."""
    shared: int
    """Up to here our events are its own too, or were delivered before it was noticed."""
    last_seen: datetime | None = None
    """When it last spoke."""
