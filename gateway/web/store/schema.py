"""``web.db``: users, sessions, tokens, displays and the audit trail; tables, migrations, opening.

Owned by the one web process of a gateway. Times are milliseconds since 1970, UTC. Of sessions,
tokens and displays only hashes are kept.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.journal.errors import is_lack_of_room

OWNER_ONLY = 0o600

MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE user (
            name TEXT PRIMARY KEY COLLATE NOCASE,
            role TEXT NOT NULL,
            password TEXT NOT NULL,
            must_change INTEGER NOT NULL DEFAULT 0,
            disabled INTEGER NOT NULL DEFAULT 0,
            language TEXT,
            theme TEXT,
            created_ms INTEGER NOT NULL,
            login_ms INTEGER) WITHOUT ROWID""",
        """CREATE TABLE session (
            hash BLOB PRIMARY KEY,
            user TEXT NOT NULL REFERENCES user,
            csrf TEXT NOT NULL,
            address TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            seen_ms INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE token (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            expires_ms INTEGER NOT NULL,
            used_ms INTEGER,
            used_from TEXT)""",
        """CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            who TEXT NOT NULL,
            address TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            accepted INTEGER NOT NULL,
            detail TEXT NOT NULL)""",
    ),
    (
        """CREATE TABLE display (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            theme TEXT NOT NULL,
            language TEXT NOT NULL,
            lines TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            seen_ms INTEGER,
            seen_from TEXT)""",
    ),
)
"""Step n takes the file from version n to n + 1; each is one transaction."""


class StoreUnusable(OSError):
    """The file is not ours, newer than this program, or damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        """Say which file and why."""
        super().__init__(f"{path}: {reason}")
        self.path = path


class StoreFull(StoreUnusable):
    """There is no room on the disk to open it."""


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the file, brought to this version. Raises StoreUnusable, StoreFull."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=OWNER_ONLY)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as err:
        raise _unusable(path, err) from err
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except sqlite3.Error as err:
        connection.close()
        raise _unusable(path, err) from err
    except StoreUnusable:
        connection.close()
        raise
    return connection


def _unusable(path: Path, err: OSError | sqlite3.Error) -> StoreUnusable:
    return (StoreFull if is_lack_of_room(err) else StoreUnusable)(path, str(err))


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreUnusable(path, f"written by a newer version of this program (schema {version})")
    for step, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
