"""A journaled fact as one CloudEvents 1.0 JSON object, and back (structured mode).

- The same row gives the same ``id`` on every send: ``<epoch>-<seq>``; with ``source`` it
  is the key a consumer deduplicates by.
- ``data`` leaves byte for byte as the journal holds it; nothing is parsed on the way out.
- `decode` gives back what was encoded, ignores attributes it does not know and raises
  nothing but WireError, whatever the bytes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol, Self

import orjson

from gateway.domain.vocabulary import Json, stamp
from gateway.wire import fields
from gateway.wire.error import WireError
from gateway.wire.topics import Place

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "millgate."
VERSION = "1"
SNAPSHOT = "state."
"""How the type of a snapshot begins, after the prefix."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_PER_S = 1000
_FRACTIONS = tuple(f".{ms:03d}Z" for ms in range(_MS_PER_S))


class RowLike(Protocol):
    """What of a journal row leaves the house (`gateway.journal.row.Row` is one)."""

    @property
    def seq(self) -> int:
        """The row's number in its journal."""
        ...

    @property
    def type(self) -> str:
        """The stream: status, count, ..."""
        ...

    @property
    def streamseq(self) -> int:
        """Position in the stream, from 1."""
        ...

    @property
    def time_ms(self) -> int:
        """When it happened, UTC milliseconds."""
        ...

    @property
    def recorded_ms(self) -> int:
        """When it was committed, UTC milliseconds."""
        ...

    @property
    def data(self) -> bytes:
        """The data object as JSON."""
        ...


@lru_cache(maxsize=16)
def _second(unix_s: int) -> str:
    return (_UNIX_EPOCH + timedelta(seconds=unix_s)).strftime("%Y-%m-%dT%H:%M:%S")


def stamp_ms(unix_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds, from UTC milliseconds."""
    return _second(unix_ms // _MS_PER_S) + _FRACTIONS[unix_ms % _MS_PER_S]


class Form(NamedTuple):
    """What the events of one type of an equipment say alike in an epoch: as JSON, written once."""

    id: str
    """Up to the seq."""
    about: str
    """Between the id and the times."""
    kind: str
    """Between the times and the streamseq."""

    @classmethod
    def of(cls, type_: str, *, source: str, place: Place, epoch: str) -> Self:
        """Return the form of these events; ``epoch`` is the one they were committed in."""
        about = {
            "source": source,
            "type": f"{TYPE_PREFIX}{type_}.v{VERSION}",
            "subject": place.subject,
        }
        kind = {
            "datacontenttype": "application/json",
            "dataschema": f"urn:millgate:{type_}:{VERSION}",
            "epoch": epoch,
        }
        id_ = _members({"specversion": "1.0", "id": f"{epoch}-"}).removesuffix('"')
        return cls(id_, _members(about), _members(kind))

    def fill(self, row: RowLike, *, replay: bool) -> bytes:
        """Return the message of one event."""
        head = (
            f'{{{self.id}{row.seq}",{self.about},"time":"{stamp_ms(row.time_ms)}",'
            f'"recordedtime":"{stamp_ms(row.recorded_ms)}",{self.kind},'
            f'"streamseq":{row.streamseq},"replay":{"true" if replay else "false"},"data":'
        )
        return head.encode() + row.data + b"}"


def _members(of: Json) -> str:
    return orjson.dumps(of).decode()[1:-1]


def encode(row: RowLike, *, source: str, place: Place, epoch: str, replay: bool) -> bytes:
    """Return the message of one event; ``epoch`` is the one the row was committed in."""
    return Form.of(row.type, source=source, place=place, epoch=epoch).fill(row, replay=replay)


def encode_snapshot(
    kind: str,
    data: Json,
    *,
    head_seq: int,
    source: str,
    place: Place,
    epoch: str,
    at: datetime,
    valid_until: datetime,
) -> bytes:
    """Return the message of one ``state/<kind>`` topic.

    ``head_seq`` is the seq of the newest event in it, 0 before the first. ``valid_until``
    travels in the data: extension attributes have no underscore.
    """
    now = stamp(at)
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{epoch}-{head_seq}.state",
            "source": source,
            "type": f"{TYPE_PREFIX}{SNAPSHOT}{kind}.v{VERSION}",
            "subject": place.subject,
            "time": now,
            "recordedtime": now,
            "datacontenttype": "application/json",
            "dataschema": f"urn:millgate:{SNAPSHOT}{kind}:{VERSION}",
            "epoch": epoch,
            "replay": False,
            "data": data | {"valid_until": stamp(valid_until)},
        }
    )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message read. Times are aware UTC.

    ``type`` is the stream ("status", "count", ...), or "state.<kind>" of a snapshot, whose
    ``streamseq`` is 0 and whose ``seq`` is that of the newest event in it.
    """

    id: str
    source: str
    epoch: str
    seq: int
    type: str
    subject: str
    time: datetime
    recordedtime: datetime
    streamseq: int
    replay: bool
    data: Json


_ID = re.compile(r"(?P<epoch>[0-9a-z]+-[0-9a-z]+)-(?P<seq>[0-9]{1,19})(?P<snapshot>\.state)?")
_TYPE = re.compile(r"millgate\.(?P<type>(?P<snapshot>state\.)?[a-z]+)\.v(?P<version>[0-9]+)")


def decode(payload: bytes) -> Envelope:
    """Return the event or snapshot in ``payload``; WireError if it is not one of ours."""
    message = fields.json_object(payload)
    if message.get("specversion") != "1.0":
        raise WireError("specversion is not 1.0")
    type_ = fields.matched(_TYPE, message, "type")
    if type_["version"] != VERSION:
        raise WireError(f"type: version {type_['version']} is not known")
    id_ = fields.matched(_ID, message, "id")
    is_snapshot = type_["snapshot"] is not None
    if (id_["snapshot"] is not None) != is_snapshot or id_["epoch"] != message.get("epoch"):
        raise WireError("id does not fit type and epoch")
    return Envelope(
        id=id_[0],
        source=fields.text(message, "source"),
        epoch=id_["epoch"],
        seq=int(id_["seq"]),
        type=type_["type"],
        subject=fields.text(message, "subject"),
        time=fields.time(message, "time"),
        recordedtime=fields.time(message, "recordedtime"),
        streamseq=0 if is_snapshot else fields.positive(message, "streamseq"),
        replay=fields.typed(message, "replay", bool),
        data=fields.typed(message, "data", dict),
    )
