"""What goes into the journal and what comes out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.domain.events import Event


class Entry(NamedTuple):
    """One equipment's part of a transaction: its events and the state they came from.

    ``state`` is the equipment's new durable state as JSON, or None if it is unchanged.
    The events of a ``local`` entry (equipment in commissioning) never leave the gateway
    and take no streamseq.
    """

    equipment: str
    events: Sequence[Event] = ()
    state: bytes | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command to remember in the same transaction, so that it is obeyed once."""

    command_id: str
    reply: Mapping[str, Any] = field(default_factory=dict)


class Row(NamedTuple):
    """One journaled event.

    ``seq`` is the row's number in this journal, never reused. ``streamseq`` counts the
    events of one (equipment, type) from 1 without a hole; 0 if the row is ``local``.
    ``part`` is the reading group of a reading, else "". Times are UTC milliseconds.
    """

    seq: int
    equipment: str
    type: str
    part: str
    streamseq: int
    time_ms: int
    recorded_ms: int
    local: bool
    data: bytes
    """The event's ``data()`` as JSON."""
    epoch: str
    """The epoch in force when the row was written: its identity is ``<epoch>-<seq>``."""


class StreamHead(NamedTuple):
    """The newest event of one (equipment, type)."""

    streamseq: int
    seq: int
