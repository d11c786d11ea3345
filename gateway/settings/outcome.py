"""What became of a wish to change the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.domain.vocabulary import Text
from gateway.settings.problems import Problem

OutcomeCode = Literal[
    "applied", "unchanged", "invalid", "stale", "needs_restart", "rolled_back", "failed"
]
"""``stale``: the draft was built on a revision that is not in force any more.
``rolled_back``: a changed link did not answer. ``failed``: the disk or the machine."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer. Whatever its code is, one revision is in force as a whole."""

    code: OutcomeCode
    revision: int
    """The one in force now; 0 where none is kept yet."""
    text: Text
    """One sentence in both languages."""
    problems: Sequence[Problem] = ()
    """Everything `load` says of it, warnings too."""
    notes: Sequence[str] = ()
    """A line for each thing that differs."""
    keys: Sequence[str] = ()
    """Of ``gateway.yaml``, what needs a restart."""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether what was wanted is in force."""
        return self.code in {"applied", "unchanged"}

    def data(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "accepted": self.accepted,
            "code": self.code,
            "revision": self.revision,
            "text": dict(self.text),
            "problems": [problem.data() for problem in self.problems],
            "notes": list(self.notes),
            "keys": list(self.keys),
            "counts": {name: dict(counts) for name, counts in self.counts.items()},
        }

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Outcome":
        """Return what `data` was made of. Raises KeyError, TypeError."""
        return cls(
            code=said["code"],
            revision=said["revision"],
            text=said["text"],
            problems=tuple(Problem(**problem) for problem in said["problems"]),
            notes=tuple(said["notes"]),
            keys=tuple(said["keys"]),
            counts=said["counts"],
        )
