"""Rows of the journal as the body of one request. Pure.

- CloudEvents in batched JSON: each is byte for byte what goes over MQTT.
- Or flat objects with the field names of a target that wants them: each field is looked up
  by its path in the event; what is not there is null.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.domain.vocabulary import Json
from gateway.journal.row import Row
from gateway.wire.cloudevent import encode
from gateway.wire.topics import Place

BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8"
FLAT_TYPE = "application/json; charset=utf-8"


def event(row: Row, *, source: str, place: Place, replay: bool, flat: Mapping[str, str]) -> bytes:
    """Return one element of a batch."""
    encoded = encode(row, source=source, place=place, epoch=row.epoch, replay=replay)
    if not flat:
        return encoded
    known = orjson.loads(encoded) | _beside(row, place)
    return orjson.dumps({name: _at(known, path) for name, path in flat.items()})


def batch(events: Sequence[bytes]) -> bytes:
    """Return the body."""
    return b"[" + b",".join(events) + b"]"


def idempotency_key(rows: Sequence[Row], content: bytes) -> str:
    """Return what names a request: its rows, and of what its body is made.

    The same rows are another body after a restart (``replay``) or under other field names; a key
    that came with another body is refused by whoever keeps to the draft of the header.
    """
    first, last = rows[0], rows[-1]
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{first.epoch}-{first.seq}..{last.epoch}-{last.seq}.{digest}"


def _beside(row: Row, place: Place) -> Json:
    """What an event does not say in a field of its own."""
    return {
        "seq": row.seq,
        "stream": row.type,
        "site": place.site,
        "area": place.area,
        "line": place.line,
        "equipment": place.equipment,
    }


def _at(known: Mapping[str, Any], path: str) -> Any:
    found: Any = known
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found
