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

from gateway.domain.events import Event, Reading
from gateway.domain.vocabulary import packed
from gateway.journal.epoch import MAX_STREAMSEQ
from gateway.journal.errors import JournalFailed
from gateway.journal.row import CommandRecord, Entry, Row, StreamHead

Stream = tuple[str, str]
"""equipment, type"""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Draft(NamedTuple):
    """One event, encoded, without its numbers."""

    equipment: str
    type: str
    part: str
    time_ms: int
    local: bool
    data: bytes


class Append(NamedTuple):
    """What one call of `Journal.append` asks for, ready to be written by another thread."""

    drafts: Sequence[Draft]
    states: Mapping[str, bytes]
    command_id: str | None = None
    reply: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class Numbered:
    """Appends with their numbers."""

    rows: list[tuple[int, int, Draft]] = field(default_factory=list)
    """seq, streamseq, draft"""
    seqs: list[list[int]] = field(default_factory=list)
    """The seqs of each append, in its order."""
    heads: dict[Stream, StreamHead] = field(default_factory=dict)
    """The streams that moved."""


def unix_ms(at: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (at - _UNIX_EPOCH) // _MILLISECOND


def from_unix_ms(at_ms: int) -> datetime:
    """Return the aware UTC time of ``unix_ms``."""
    return _UNIX_EPOCH + at_ms * _MILLISECOND


def prepare(entries: Iterable[Entry], command: CommandRecord | None = None) -> Append:
    """Encode what an append holds. Raises TypeError for what JSON cannot say."""
    entries = tuple(entries)
    return Append(
        drafts=[_draft(entry, event) for entry in entries for event in entry.events],
        states={entry.equipment: entry.state for entry in entries if entry.state is not None},
        command_id=None if command is None else command.command_id,
        reply=b"{}" if command is None else orjson.dumps(dict(command.reply)),
    )


def _draft(entry: Entry, event: Event) -> Draft:
    return Draft(
        entry.equipment,
        event.type,
        event.group if isinstance(event, Reading) else "",
        unix_ms(event.at),
        entry.local,
        packed(event.data()),
    )


def number(
    appends: Iterable[Append], *, after: int, heads: Mapping[Stream, StreamHead]
) -> Numbered:
    """Give the appends their numbers, continuing after seq ``after`` and ``heads``.

    Raises JournalFailed where a streamseq would leave 32 bits: the next start begins an
    epoch.
    """
    numbered = Numbered()
    seq = after
    for append in appends:
        first = seq + 1
        for draft in append.drafts:
            seq += 1
            streamseq = 0
            if not draft.local:
                stream = (draft.equipment, draft.type)
                head = numbered.heads.get(stream) or heads.get(stream)
                streamseq = 1 if head is None else head.streamseq + 1
                if streamseq > MAX_STREAMSEQ:
                    raise JournalFailed(f"{stream}: streamseq is used up")
                numbered.heads[stream] = StreamHead(streamseq, seq)
            numbered.rows.append((seq, streamseq, draft))
        numbered.seqs.append(list(range(first, seq + 1)))
    return numbered


def rows_of(numbered: Numbered, at: datetime, epoch: str) -> list[Row]:
    """Return the rows as they can be read back once they are committed."""
    recorded_ms = unix_ms(at)
    return [
        Row(seq, d.equipment, d.type, d.part, n, d.time_ms, recorded_ms, d.local, d.data, epoch)
        for seq, n, d in numbered.rows
    ]
