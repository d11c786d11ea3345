"""From a path to a sound file of this program's version."""

import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.journal.ballast import Ballast
from gateway.journal.errors import (
    FileDamaged,
    FileFull,
    JournalFailed,
    JournalFull,
    JournalUnusable,
    as_journal_errors,
)
from gateway.journal.ledger import Ledger
from gateway.journal.retention import Limits
from gateway.journal.schema import closed_on_error, connect_writer, migrate, version_of
from gateway.journal.space import Space

log = logging.getLogger(__name__)

_COMPANIONS = ("", "-wal", "-shm")


def open_ledger(
    path: Path, *, at: datetime, limits: Limits, randbelow: Callable[[int], int]
) -> tuple[Ledger, Space]:
    """Open or create the journal, ready to be written. Raises JournalUnusable, JournalFull."""
    ballast = Ballast(path, limits.ballast_bytes)
    try:
        try:
            connection, damaged = open_file(path, at)
        except FileFull:
            ballast.release()
            connection, damaged = open_file(path, at)
        ledger = Ledger(connection, randbelow, hold_readings=limits.hold_readings)
        space = Space(path, ledger, limits, ballast)
        space.prepare()
        reason = "damaged" if damaged else "created"
        space.with_room(lambda: ledger.enter_use(at, reason=reason), at)
    except FileFull as err:
        raise JournalFull(path, f"no room on the disk: {err}") from err
    except (FileDamaged, JournalFailed) as err:
        raise JournalUnusable(path, str(err)) from err
    log.info(
        "journal open",
        extra={
            "journal": str(path),
            "epoch": ledger.epoch,
            "head": ledger.head,
            "sqlite": sqlite3.sqlite_version,
        },
    )
    return ledger, space


def open_file(path: Path, at: datetime) -> tuple[sqlite3.Connection, Path | None]:
    """Open or create the journal; return it and where a damaged one was put, if any.

    After an unclean end the whole file is checked: a torn page must not wait to be read.
    Raises JournalUnusable, FileFull, or JournalFailed for what the system refuses.
    """
    try:
        return _open(path), None
    except FileDamaged as err:
        with as_journal_errors():
            aside = _set_aside(path, at)
        log.critical(
            "journal damaged, a new one is begun; facts not yet delivered are in the old file",
            extra={"journal": str(path), "moved_to": str(aside), "error": str(err)},
        )
        return _open(path), aside


def _open(path: Path) -> sqlite3.Connection:
    with as_journal_errors():
        connection = connect_writer(path)
        with closed_on_error(connection):
            _check(connection)
            migrate(connection)
    return connection


def _check(connection: sqlite3.Connection) -> None:
    if version_of(connection) == 0:
        return
    (clean,) = connection.execute("SELECT value FROM mark WHERE name = 'clean'").fetchone()
    if clean:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise FileDamaged(verdict)


def _set_aside(path: Path, at: datetime) -> Path:
    """Rename the file and its log together: recovery tools need both."""
    aside = path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%SZ}")
    for companion in _COMPANIONS:
        source = path.with_name(path.name + companion)
        if source.exists():
            source.replace(aside.with_name(aside.name + companion))
    return aside
