"""Who is logged in: rows that can be taken away, so that a cookie is worth nothing by itself."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.web.access.roles import Role
from gateway.web.store.database import unix_ms

IDLE = timedelta(hours=12)
"""A shift."""
ABSOLUTE = timedelta(days=7)
SHOWN = timedelta(days=90)
"""A viewer's: the board on the wall is his, and nobody is to log in there every week."""
_SEEN_EVERY = timedelta(minutes=1)
MAX_OF_USER = 20
"""The oldest go; a person has so many screens at most."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session in force, with what its user may and likes."""

    user: str
    role: Role
    csrf: str
    language: str | None
    theme: str | None
    must_change: bool


def lasts(role: Role) -> timedelta:
    """Return after how long a session ends however much it is used."""
    return SHOWN if role is Role.VIEWER else ABSOLUTE


def begin(
    connection: sqlite3.Connection, hash_: bytes, user: str, csrf: str, address: str, at: datetime
) -> None:
    """Create a session; the oldest of the user beyond `MAX_OF_USER` and what is over go."""
    at_ms = unix_ms(at)
    connection.execute(
        "DELETE FROM session WHERE created_ms < ? OR seen_ms < ?",
        (unix_ms(at - SHOWN), unix_ms(at - IDLE)),
    )
    connection.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", (hash_, user, csrf, address, at_ms, at_ms)
    )
    connection.execute(
        "DELETE FROM session WHERE user = ?1 AND hash NOT IN ("
        "SELECT hash FROM session WHERE user = ?1"
        # Of several in one millisecond the one that is begun must not be the one that goes.
        " ORDER BY hash = ?3 DESC, created_ms DESC, hash LIMIT ?2)",
        (user, MAX_OF_USER, hash_),
    )


def find(
    connection: sqlite3.Connection, hash_: bytes, at: datetime, *, used: bool = True
) -> Session | None:
    """Return the session if it is in force at ``at``; if ``used``, it is idle from now on."""
    row = connection.execute(
        "SELECT u.name, u.role, s.csrf, u.language, u.theme, u.must_change, s.created_ms, s.seen_ms"
        " FROM session AS s JOIN user AS u ON u.name = s.user"
        " WHERE s.hash = ? AND s.seen_ms > ? AND NOT u.disabled",
        (hash_, unix_ms(at - IDLE)),
    ).fetchone()
    if row is None:
        return None
    user, role, csrf, language, theme, must_change, created_ms, seen_ms = row
    if created_ms <= unix_ms(at - lasts(Role(role))):
        return None
    if used and seen_ms < unix_ms(at - _SEEN_EVERY):
        connection.execute("UPDATE session SET seen_ms = ? WHERE hash = ?", (unix_ms(at), hash_))
    return Session(user, Role(role), csrf, language, theme, bool(must_change))


def end(connection: sqlite3.Connection, hash_: bytes) -> None:
    """Forget a session."""
    connection.execute("DELETE FROM session WHERE hash = ?", (hash_,))


def end_others(connection: sqlite3.Connection, user: str, kept: bytes) -> None:
    """Forget every session of a user but one."""
    connection.execute("DELETE FROM session WHERE user = ? AND hash <> ?", (user, kept))
