"""Whether the broker has heard of another journal of our name: a clone, or we are a backup.

The retained ``health`` tells its epoch, its life, its newest seq and when it spoke. What is
not a health message proves nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.journal.lineage import Rival
from gateway.publish.pump import CURSOR
from gateway.publish.source import Source

_EPOCH = re.compile(r"[0-9a-y][0-9a-z]{5}-[0-9a-z]{4}")
"""Behind one that begins with z no other could be ordered."""


def rival(earlier_health: bytes | None, journal: Source) -> Rival | None:
    """Return the other journal, if it may have given ids of our epoch to other facts.

    It may if it is in our epoch at a place that our journal never came by, or in a later
    epoch, which then is not ours. In an earlier one it cannot have known of ours.
    """
    health = _object(earlier_health)
    epoch, life = health.get("epoch"), health.get("life")
    if not isinstance(epoch, str) or not _EPOCH.fullmatch(epoch) or epoch < journal.epoch:
        return None
    newest, head, cursor = _newest(health), journal.head(), journal.cursor(CURSOR)
    if isinstance(life, str):
        end = journal.lineage.end_of(life)
    else:  # it spoke before lives had names
        end = head if newest <= head else None
    if epoch == journal.epoch and end is not None and newest <= end:
        return None
    shared = cursor if end is None else max(cursor, min(end, head))
    return Rival(epoch, shared, _spoke_at(health))


def _object(payload: bytes | None) -> Mapping[str, Any]:
    try:
        message = orjson.loads(payload or b"")
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _newest(health: Mapping[str, Any]) -> int:
    seqs = health.get("last_seq")
    values = seqs.values() if isinstance(seqs, dict) else ()
    return max((seq for seq in values if isinstance(seq, int)), default=0)


def _spoke_at(health: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(health.get("at")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
