"""What may be asked of an equipment: typed values, whoever asks."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.events import Order


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


Command = OrderCommand
"""Each has a ``command_id``; `step` obeys it, `gateway.wire.command` reads it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command: the seq it caused, or why it was refused."""

    accepted: bool
    seq: int | None = None
    error: str | None = None
