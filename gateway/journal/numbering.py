"""Which number each event gets: pure.

- seq grows by one per event, in the order of the appends.
- streamseq grows by one per event of one (equipment, type) that is not local; local ones
  have 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from gateway.domain.events import Reading
from gateway.domain.vocabulary import packed
from gateway.journal.epoch import MAX_STREAMSEQ
from gateway.journal.errors import JournalFailed
from gateway.journal.row import CommandRecord, Entry, Row, StreamHead

Stream = tuple[str, str]
"""equipment, type"""
Draft = tuple[str, str, str, int, bool, bytes]
"""One event, encoded, without its numbers: equipment, type, part, time_ms, local, data"""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Append(NamedTuple):
    """What one call of `Journal.append` asks for, ready to be written by another thread."""

    drafts: Sequence[Draft]
    states: Mapping[str, bytes]
    command_id: str | None = None
    reply: bytes = b"{}"


class Obeyed(NamedTuple):
    """A command, with the seq of its last event."""

    command_id: str
    seq: int | None
    reply: bytes


@dataclass(frozen=True, slots=True)
class Numbered:
    """What appends bring, with its numbers."""

    rows: list[Row] = field(default_factory=list)
    """As they can be read back once they are committed."""
    seqs: list[list[int]] = field(default_factory=list)
    """The seqs of each append, in its order."""
    heads: dict[Stream, StreamHead] = field(default_factory=dict)
    """The streams that moved."""
    states: dict[str, bytes] = field(default_factory=dict)
    commands: list[Obeyed] = field(default_factory=list)


def unix_ms(at: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (at - _UNIX_EPOCH) // _MILLISECOND


def from_unix_ms(at_ms: int) -> datetime:
    """Return the aware UTC time of ``unix_ms``."""
    return _UNIX_EPOCH + at_ms * _MILLISECOND


def prepare(entries: Iterable[Entry], command: CommandRecord | None = None) -> Append:
    """Encode what an append holds. Raises TypeError for what JSON cannot say."""
    drafts: list[Draft] = []
    states: dict[str, bytes] = {}
    for equipment, events, state, local in entries:
        for event in events:
            part = event.group if isinstance(event, Reading) else ""
            data = packed(event.data())
            drafts.append((equipment, event.type, part, unix_ms(event.at), local, data))
        if state is not None:
            states[equipment] = state
    if command is None:
        return Append(drafts, states)
    return Append(drafts, states, command.command_id, orjson.dumps(dict(command.reply)))


def number(
    appends: Iterable[Append],
    *,
    after: int,
    heads: Mapping[Stream, StreamHead],
    at: datetime,
    epoch: str,
) -> Numbered:
    """Give the appends their numbers, continuing after seq ``after`` and ``heads``.

    Raises JournalFailed where a streamseq would leave 32 bits: the next start begins an
    epoch.
    """
    numbered = Numbered()
    rows, moved = numbered.rows, numbered.heads
    seq, recorded_ms = after, unix_ms(at)
    for append in appends:
        own: list[int] = []
        for equipment, kind, part, time_ms, local, data in append.drafts:
            seq += 1
            own.append(seq)
            n = 0
            if not local:
                stream = (equipment, kind)
                head = moved.get(stream) or heads.get(stream)
                n = 1 if head is None else head.streamseq + 1
                if n > MAX_STREAMSEQ:
                    raise JournalFailed(f"{stream}: streamseq is used up")
                moved[stream] = StreamHead(n, seq)
            rows.append(
                Row(seq, equipment, kind, part, n, time_ms, recorded_ms, local, data, epoch)
            )
        numbered.seqs.append(own)
        if append.states:
            numbered.states.update(append.states)
        if append.command_id is not None:
            last = own[-1] if own else None
            numbered.commands.append(Obeyed(append.command_id, last, append.reply))
    return numbered
