"""Who did what, when, from where; also what was refused. Written in the deed's own transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gateway.web.store.database import from_unix_ms, unix_ms

KEPT = 200_000
"""Rows; the oldest go beyond that, a few at a time."""
_PRUNE_EVERY = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """What is written down."""

    who: str
    address: str
    action: str
    target: str = ""
    accepted: bool = True
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What was written down."""

    id: int
    at: datetime
    who: str
    address: str
    action: str
    target: str
    accepted: bool
    detail: dict[str, Any]


def write(connection: sqlite3.Connection, deed: Deed, at: datetime) -> None:
    """Write a row."""
    cursor = connection.execute(
        "INSERT INTO audit (at_ms, who, address, action, target, accepted, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            unix_ms(at),
            deed.who,
            deed.address,
            deed.action,
            deed.target,
            deed.accepted,
            orjson.dumps(deed.detail or {}).decode(),
        ),
    )
    newest = cursor.lastrowid or 0
    if newest % _PRUNE_EVERY == 0:
        connection.execute("DELETE FROM audit WHERE id <= ?", (newest - KEPT,))


def read(
    connection: sqlite3.Connection,
    *,
    before: int | None = None,
    limit: int = 100,
    who: str | None = None,
    action: str | None = None,
) -> Sequence[AuditRow]:
    """Return rows, newest first."""
    rows = connection.execute(
        "SELECT id, at_ms, who, address, action, target, accepted, detail FROM audit"
        " WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR who = ?2 COLLATE NOCASE)"
        " AND (?3 IS NULL OR action = ?3) ORDER BY id DESC LIMIT ?4",
        (before, who, action, limit),
    )
    return [
        AuditRow(id_, from_unix_ms(at), by, address, done, target, bool(ok), orjson.loads(detail))
        for id_, at, by, address, done, target, ok, detail in rows
    ]
