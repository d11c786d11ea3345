"""What this package needs of the journal; `gateway.journal` has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from gateway.journal.identity import IdentityChange
from gateway.journal.lineage import Lineage
from gateway.journal.row import Row, StreamHead


class Watch(Protocol):
    """Wakes a reader of the journal."""

    async def changed(self) -> set[str]:
        """Return the equipment committed since the last call; wait if there is none."""
        ...


class Source(Protocol):
    """The committed events and the cursor that remembers what was delivered."""

    @property
    def epoch(self) -> str:
        """The epoch in which new rows are committed."""
        ...

    @property
    def previous_epochs(self) -> tuple[str, ...]:
        """The epochs of older rows."""
        ...

    @property
    def lineage(self) -> Lineage:
        """Which lives of this gateway the journal has seen."""
        ...

    async def advance(self, cursor: str, seq: int) -> None:
        """Remember that everything up to ``seq`` was delivered."""
        ...

    def cursor(self, name: str) -> int:
        """Return what `advance` was last told; 0 for a new cursor."""
        ...

    def head(self) -> int:
        """Return the last committed seq."""
        ...

    def heads(self, equipment: str) -> Mapping[str, StreamHead]:
        """Return type -> newest event of this equipment."""
        ...

    def state(self, equipment: str) -> bytes | None:
        """Return its newest durable state: the same object until it changes."""
        ...

    def last_seqs(self) -> Mapping[str, int]:
        """Return type -> newest seq over all equipment."""
        ...

    def first_seq(self) -> int:
        """Return the oldest row that still exists; head + 1 if there is none."""
        ...

    async def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Return rows after ``after`` in order, local ones too."""
        ...

    async def rows_between(
        self, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Row]:
        """Return rows whose time lies in [start, end], in order of seq."""
        ...

    def places(self) -> Mapping[str, str | None]:
        """Return the topics under which something is retained -> their equipment."""
        ...

    async def identify(self, change: IdentityChange) -> None:
        """Note where equipment is retained; return after the commit."""
        ...

    def watch(self) -> Watch:
        """Return a new watch; its first `changed` waits for the next commit."""
        ...
