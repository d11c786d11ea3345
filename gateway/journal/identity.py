"""Who is spoken about, and where: what must be known after a move, a rename, a retirement.

- A place is noted before anything is retained there, and forgotten after it was cleared.
- A retired equipment leaves no state; its events stay, and its places become nobody's.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Places = dict[str, str | None]
"""Topic under which something is retained -> its equipment; None once that is retired."""


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """What one transaction changes about places and equipment."""

    occupied: Mapping[str, str] = field(default_factory=dict)
    """Topic -> equipment."""
    vacated: Collection[str] = ()
    """Topics under which nothing is retained any more."""
    retired: str | None = None
    """An equipment that is gone for good."""

    def write(self, connection: sqlite3.Connection) -> None:
        """Carry it out; the caller owns the transaction."""
        connection.executemany("INSERT OR REPLACE INTO place VALUES (?, ?)", self.occupied.items())
        connection.executemany("DELETE FROM place WHERE topic = ?", [(t,) for t in self.vacated])
        if self.retired is not None:
            connection.execute("DELETE FROM state WHERE equipment = ?", (self.retired,))
            connection.execute(
                "UPDATE place SET equipment = NULL WHERE equipment = ?", (self.retired,)
            )


def read_places(connection: sqlite3.Connection) -> Places:
    """Return what is noted."""
    return dict(connection.execute("SELECT topic, equipment FROM place").fetchall())
