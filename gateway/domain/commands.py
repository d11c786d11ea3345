"""What may be asked of an equipment: typed values, whoever asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.vocabulary import Order, Reason


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """Put an order in force, or take it away (``order`` None).

    ``effective_at`` is the sender's wish; the order is in force from the moment the
    gateway obeys, which is what the event says.
    """

    command_id: str
    order: Order | None
    effective_at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class NoteCommand:
    """A later word about an interval or a fault: a reason, a comment or both.

    ``about`` is the id of the status event that began the interval, or a fault_id.
    """

    command_id: str
    about: str
    by: str
    reason: Reason | None = None
    comment: str | None = None


FaultAction = Literal["ack", "comment", "shelve", "unshelve"]


@dataclass(frozen=True, slots=True)
class FaultCommand:
    """A person's word on one occurrence: seen, commented, out of sight for a while, back.

    Shelving needs ``until`` and says why in ``comment``.
    """

    command_id: str
    fault_id: str
    action: FaultAction
    by: str
    comment: str | None = None
    until: datetime | None = None


ScrapKind = Literal["reject", "rework"]


@dataclass(frozen=True, slots=True)
class ScrapCommand:
    """Parts that a person found bad, or fit to be worked on again."""

    command_id: str
    quantity: int
    """From 1."""
    by: str
    counter: str | None = None
    """A manual counter; None for the one of this kind."""
    kind: ScrapKind = "reject"
    reason: str | None = None

    @property
    def name(self) -> str:
        """The manual counter it goes to."""
        return self.counter or f"manual_{self.kind}"


@dataclass(frozen=True, slots=True)
class UsageCommand:
    """Set a usage after maintenance, by default to nothing; in hours or in cycles."""

    command_id: str
    usage: str
    by: str
    used: float = 0.0
    comment: str | None = None


Command = OrderCommand | NoteCommand | FaultCommand | ScrapCommand | UsageCommand
"""Each has a ``command_id``; `step` obeys it, `gateway.wire.command` reads it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command: the seq it caused, or why it was refused."""

    accepted: bool
    seq: int | None = None
    error: str | None = None
