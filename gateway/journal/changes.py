"""What the writer's thread tells the event loop after a transaction."""

from dataclasses import dataclass, field

from gateway.journal.identity import Places
from gateway.journal.numbering import Stream
from gateway.journal.row import Row, StreamHead


@dataclass(slots=True)
class Changes:
    """What was committed since the last `Ledger.take_changes`."""

    head: int
    first_seq: int
    epochs: tuple[str, ...]
    """Oldest first; the last one is in force."""
    given: int
    """Consumers may be given rows up to here."""
    new_epoch: bool = False
    """The heads known before belong to an earlier epoch."""
    rows: list[Row] = field(default_factory=list)
    """New ones, by seq; of those before a rewriting none."""
    rewritten: bool = False
    """Older rows were removed or changed, and all of them are on the disk."""
    heads: dict[Stream, StreamHead] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    """Equipment with new events or a new state."""
    places: Places | None = None
    """All that is noted, if that changed."""
    retired: set[str] = field(default_factory=set)

    def rewrite(self) -> None:
        """Older rows were removed or changed: whoever has some in memory reads them anew."""
        self.rewritten = True
        self.rows.clear()
