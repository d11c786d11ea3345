"""API tokens: for programs. Shown once; only a hash is kept."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.web.access.roles import Role
from gateway.web.store import users
from gateway.web.store.database import from_unix_ms, unix_ms

_USED_EVERY = timedelta(minutes=1)
_COLUMNS = "id, name, role, created_by, created_ms, expires_ms, used_ms, used_from"


@dataclass(frozen=True, slots=True)
class Token:
    """One row, without its secret."""

    id: int
    name: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None


def add(
    connection: sqlite3.Connection,
    hash_: bytes,
    name: str,
    role: Role,
    by: str,
    *,
    at: datetime,
    expires_at: datetime,
) -> Token:
    """Create a token."""
    cursor = connection.execute(
        "INSERT INTO token (hash, name, role, created_by, created_ms, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (hash_, name, role.value, by, unix_ms(at), unix_ms(expires_at)),
    )
    return Token(cursor.lastrowid or 0, name, role, by, at, expires_at, None, None)


def find(connection: sqlite3.Connection, hash_: bytes, address: str, at: datetime) -> Token | None:
    """Return the token if it is in force, and note that it was used.

    It is worth no more than the person who made it is now: nothing once that one is disabled.
    """
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM token WHERE hash = ? AND expires_ms > ?",  # noqa: S608
        (hash_, unix_ms(at)),
    ).fetchone()
    if row is None:
        return None
    token = _token(row)
    maker = users.find(connection, token.created_by)
    if maker is None or maker.disabled:
        return None
    if not maker.role.includes(token.role):
        token = replace(token, role=maker.role)
    if token.used_at is None or token.used_at < at - _USED_EVERY or token.used_from != address:
        connection.execute(
            "UPDATE token SET used_ms = ?, used_from = ? WHERE id = ?",
            (unix_ms(at), address, token.id),
        )
    return token


def everyone(connection: sqlite3.Connection, by: str | None = None) -> Sequence[Token]:
    """Return all tokens, or those that one user made."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM token WHERE ?1 IS NULL OR created_by = ?1 ORDER BY id",  # noqa: S608
        (by,),
    )
    return [_token(row) for row in rows]


def remove(connection: sqlite3.Connection, id_: int, by: str | None = None) -> Token | None:
    """Delete a token (of one user, if ``by`` is given) and return what it was."""
    found = [token for token in everyone(connection, by) if token.id == id_]
    if not found:
        return None
    connection.execute("DELETE FROM token WHERE id = ?", (id_,))
    return found[0]


def _token(row: tuple[int, str, str, str, int, int, int | None, str | None]) -> Token:
    id_, name, role, by, created_ms, expires_ms, used_ms, used_from = row
    return Token(
        id=id_,
        name=name,
        role=Role(role),
        created_by=by,
        created_at=from_unix_ms(created_ms),
        expires_at=from_unix_ms(expires_ms),
        used_at=None if used_ms is None else from_unix_ms(used_ms),
        used_from=used_from,
    )
