"""People who may log in. Disabled rather than deleted: the audit trail keeps their names."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.web.access.roles import Role
from gateway.web.store.database import from_unix_ms, unix_ms

_COLUMNS = "name, role, password, must_change, disabled, language, theme, created_ms, login_ms"


class UserExists(Exception):
    """The name is taken."""


class LastAdmin(Exception):
    """Nobody would be left who may manage users."""


@dataclass(frozen=True, slots=True)
class User:
    """One row; ``password`` is its hash."""

    name: str
    role: Role
    password: str
    must_change: bool
    disabled: bool
    language: str | None
    theme: str | None
    created_at: datetime
    login_at: datetime | None


def find(connection: sqlite3.Connection, name: str) -> User | None:
    """Return a user, upper or lower case; disabled ones too."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM user WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return None if found is None else _user(found)


def everyone(connection: sqlite3.Connection) -> Sequence[User]:
    """Return all users by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM user ORDER BY name")  # noqa: S608
    return [_user(row) for row in rows]


def has_admin(connection: sqlite3.Connection) -> bool:
    """Whether somebody may manage users."""
    row = connection.execute("SELECT 1 FROM user WHERE role = 'admin' AND NOT disabled").fetchone()
    return row is not None


def add(
    connection: sqlite3.Connection,
    name: str,
    role: Role,
    password: str,
    at: datetime,
    *,
    must_change: bool = False,
) -> None:
    """Create a user; ``password`` is a hash. Raises UserExists."""
    try:
        connection.execute(
            "INSERT INTO user (name, role, password, must_change, created_ms)"
            " VALUES (?, ?, ?, ?, ?)",
            (name, role.value, password, must_change, unix_ms(at)),
        )
    except sqlite3.IntegrityError as err:
        raise UserExists(name) from err


def set_password(
    connection: sqlite3.Connection, name: str, password: str, *, must_change: bool
) -> None:
    """Store the hash of a new password; every session of the user ends."""
    connection.execute(
        "UPDATE user SET password = ?, must_change = ? WHERE name = ?",
        (password, must_change, name),
    )
    connection.execute("DELETE FROM session WHERE user = ?", (name,))


def change(
    connection: sqlite3.Connection, name: str, *, role: Role | None, disabled: bool | None
) -> None:
    """Change what a user may. Raises LastAdmin. A changed user has to log in again."""
    if role is not None:
        connection.execute("UPDATE user SET role = ? WHERE name = ?", (role.value, name))
    if disabled is not None:
        connection.execute("UPDATE user SET disabled = ? WHERE name = ?", (disabled, name))
    if not has_admin(connection):
        raise LastAdmin(name)
    connection.execute("DELETE FROM session WHERE user = ?", (name,))


def prefer(
    connection: sqlite3.Connection, name: str, *, language: str | None, theme: str | None
) -> None:
    """Keep what a user likes."""
    connection.execute(
        "UPDATE user SET language = ?, theme = ? WHERE name = ?", (language, theme, name)
    )


def note_login(connection: sqlite3.Connection, name: str, at: datetime) -> None:
    """Keep when a user last logged in."""
    connection.execute("UPDATE user SET login_ms = ? WHERE name = ?", (unix_ms(at), name))


def _user(row: tuple[str, str, str, int, int, str | None, str | None, int, int | None]) -> User:
    name, role, password, must_change, disabled, language, theme, created_ms, login_ms = row
    return User(
        name=name,
        role=Role(role),
        password=password,
        must_change=bool(must_change),
        disabled=bool(disabled),
        language=language,
        theme=theme,
        created_at=from_unix_ms(created_ms),
        login_at=None if login_ms is None else from_unix_ms(login_ms),
    )
