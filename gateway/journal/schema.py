"""Tables, migrations and how the file is opened.

SQLite up to 3.51.2 can corrupt a WAL database when two connections write or checkpoint at
the same instant. So one connection ever writes and checkpoints, every other one is
``mode=ro`` and ``query_only``, and memory mapping is off.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.journal.errors import JournalUnusable

WRITER_WAIT_S = 5.0
"""How long the writer waits for another process's SQLite lock (a copy being taken)."""

_VERSION_1 = (
    """CREATE TABLE epoch (
        number INTEGER PRIMARY KEY,
        epoch TEXT NOT NULL UNIQUE,
        reason TEXT NOT NULL,
        began_ms INTEGER NOT NULL)""",
    # AUTOINCREMENT: a seq is never used again, also after the newest rows were deleted.
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        epoch INTEGER NOT NULL REFERENCES epoch,
        equipment TEXT NOT NULL,
        type TEXT NOT NULL,
        part TEXT NOT NULL,
        streamseq INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        recorded_ms INTEGER NOT NULL,
        local INTEGER NOT NULL,
        data BLOB NOT NULL)""",
    "CREATE INDEX event_time ON event (time_ms)",
    # The newest event of each stream of the epoch in force.
    """CREATE TABLE stream (
        equipment TEXT NOT NULL,
        type TEXT NOT NULL,
        streamseq INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (equipment, type)) WITHOUT ROWID""",
    "CREATE TABLE state (equipment TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE command (command_id TEXT PRIMARY KEY, seq INTEGER, reply BLOB NOT NULL)",
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
    # One row each: alive_ms, clean, reading_bytes, reading_floor.
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO mark VALUES ('clean', 1), ('reading_bytes', 0), ('reading_floor', 0)",
)


def _create(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1:
        connection.execute(statement)


def _note_places(connection: sqlite3.Connection) -> None:
    # Where something is retained at the broker; of nobody's once the equipment is retired.
    connection.execute("CREATE TABLE place (topic TEXT PRIMARY KEY, equipment TEXT) WITHOUT ROWID")


def _note_lives(connection: sqlite3.Connection) -> None:
    # Each opening for use: its events come after this seq.
    connection.execute(
        "CREATE TABLE life (number INTEGER PRIMARY KEY, name TEXT NOT NULL, after INTEGER NOT NULL)"
    )


def _index_facts(connection: sqlite3.Connection) -> None:
    # What one equipment did, for the screens. Without readings, which are most of what is written:
    # an entry for each of them would triple what a commit writes.
    connection.execute(
        "CREATE INDEX event_of ON event (equipment, type, time_ms) WHERE type <> 'reading'"
    )


def _note_promises(connection: sqlite3.Connection) -> None:
    # Streams whose newest rows are in memory only: no streamseq up to this may be given again.
    connection.execute(
        "CREATE TABLE promise (equipment TEXT NOT NULL, type TEXT NOT NULL,"
        " streamseq INTEGER NOT NULL, PRIMARY KEY (equipment, type)) WITHOUT ROWID"
    )


MIGRATIONS: Sequence[Callable[[sqlite3.Connection], None]] = (
    _create,
    _note_places,
    _note_lives,
    _index_facts,
    _note_promises,
)
"""Step n takes a journal from version n to n + 1; each is one transaction."""


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the one writing connection; it may be handed to another thread, not shared.

    Raises JournalUnusable for a newer journal or somebody else's database, untouched.
    """
    connection = sqlite3.connect(
        path, timeout=WRITER_WAIT_S, isolation_level=None, check_same_thread=False
    )
    with closed_on_error(connection):
        _check_origin(connection, path)
        # auto_vacuum only takes effect before the first page is written, which WAL does.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA mmap_size = 0")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write. Raises sqlite3.OperationalError without a file."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=WRITER_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    with closed_on_error(connection):
        _check_origin(connection, path)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA mmap_size = 0")
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema's version; 0 before the first migration."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this program's version."""
    version = version_of(connection)
    for step, apply in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            apply(connection)
            connection.execute(f"PRAGMA user_version = {step}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _check_origin(connection: sqlite3.Connection, path: Path) -> None:
    version = version_of(connection)
    if version > len(MIGRATIONS):
        raise JournalUnusable(
            path, f"written by a newer version of this program (schema {version})"
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise JournalUnusable(path, "this is a database, but not a journal")


@contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close the connection if the block raises."""
    try:
        yield
    except BaseException:
        connection.close()
        raise
