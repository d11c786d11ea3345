"""What the historian needs of the store of record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.domain.vocabulary import Json
from gateway.historian.ledger import Changes, Ledger
from gateway.historian.shift_windows import ShiftPlan
from gateway.wire.cloudevent import Envelope


class StoreError(Exception):
    """What can go wrong with a store.

    * StoreError
      + StoreUnavailable  locked, busy, down, full: keep everything, wait, write again
      + Unstorable        this content can never be stored: write it off as a dead letter
      + StoreUnusable     no waiting helps (schema of a newer version, no such driver)
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store}: {reason}")
        self.store = store
        self.reason = reason


class StoreUnavailable(StoreError):
    """It cannot be written at the moment."""


class Unstorable(StoreError):
    """It refuses the content."""


class StoreUnusable(StoreError):
    """It cannot be used as it is configured."""


@dataclass(frozen=True, slots=True)
class Birth:
    """The dictionary of one equipment, as its gateway last published it."""

    source: str
    equipment: str
    subject: str
    data: Json


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that is not a fact, or a fact that cannot be stored; nothing is thrown away."""

    at: datetime
    topic: str
    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    events: Sequence[Envelope] = ()
    changes: Changes = field(default_factory=Changes)
    births: Sequence[Birth] = ()
    dead: Sequence[DeadLetter] = ()
    at: datetime | None = None
    """When the losses in ``changes`` were written down."""


class Store(Protocol):
    """The store of record. Its methods block and are called from one thread at a time.

    Any of them raises StoreError.
    """

    def ledger(self) -> Ledger:
        """Return the marks and positions as of the last commit."""
        ...

    def write(self, batch: Batch) -> None:
        """Store all of it or nothing; what is there already stays as it is."""
        ...

    def events_after(self, number: int, limit: int) -> Sequence[tuple[int, Envelope]]:
        """Return stored events in the order they were stored, each with its number."""
        ...

    def cursors(self) -> Mapping[str, int]:
        """Return how far each chart store has been fed."""
        ...

    def advance(self, name: str, number: int) -> None:
        """Note that the chart store ``name`` has everything up to ``number``."""
        ...

    def plan_shifts(self, plan: ShiftPlan, now: datetime) -> None:
        """Make the shifts to come those of ``plan``; those that have begun stay."""
        ...

    def close(self) -> None:
        """Release everything. Idempotent."""
        ...
