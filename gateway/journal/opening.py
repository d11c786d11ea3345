"""From a path to a sound file of this program's version."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
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
from gateway.journal.ledger import Begins, Ledger
from gateway.journal.retention import Limits
from gateway.journal.salvage import SUFFIX, salvage
from gateway.journal.schema import closed_on_error, connect_writer, migrate, version_of
from gateway.journal.space import Space
from gateway.journal.wreck import IN_ONE_PAGE, is_object

log = logging.getLogger(__name__)

_COMPANIONS = ("", "-wal", "-shm")
_MARKS = frozenset({"clean", "reading_bytes", "reading_floor"})
"""Every journal has them."""


def open_ledger(
    path: Path,
    *,
    at: datetime,
    limits: Limits,
    randbelow: Callable[[int], int],
    readers: Mapping[str, Begins] | None = None,
) -> tuple[Ledger, Space]:
    """Open or create the journal, ready to be written. Raises JournalUnusable, JournalFull.

    After an unclean end the whole file is checked: a torn page must not wait to be read. A
    damaged one is put aside, and what can be read of it is in the new one. ``readers`` as
    `Ledger.keep_cursors` has them; None leaves the cursors as they are.
    """
    ballast = Ballast(path, limits.ballast_bytes)

    def enter(reason: str) -> tuple[Ledger, Space]:
        try:
            return _entered(path, at, limits, ballast, randbelow, reason)
        except FileFull:
            ballast.release()
            return _entered(path, at, limits, ballast, randbelow, reason)

    try:
        with as_journal_errors():
            _finish_replacing(path, at)
        try:
            ledger, space = enter("created")
        except FileDamaged as err:
            log.critical(
                "journal damaged, a new one is begun with what can be read of it",
                extra={"journal": str(path), "error": str(err)},
            )
            ballast.release()
            _replace_damaged(path, at, randbelow)
            ledger, space = enter("damaged")
        if readers is not None:
            with closed_on_error(ledger.connection):
                space.with_room(partial(ledger.keep_cursors, readers), at)
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


def _entered(
    path: Path,
    at: datetime,
    limits: Limits,
    ballast: Ballast,
    randbelow: Callable[[int], int],
    reason: str,
) -> tuple[Ledger, Space]:
    connection = _open(path)
    with closed_on_error(connection):
        ledger = Ledger(connection, randbelow, hold_readings=limits.hold_readings)
        space = Space(path, ledger, limits, ballast)
        space.prepare()
        space.with_room(lambda: ledger.enter_use(at, reason=reason), at)
    return ledger, space


def _replace_damaged(path: Path, at: datetime, randbelow: Callable[[int], int]) -> None:
    found = salvage(path, at=at, randbelow=randbelow)
    with as_journal_errors():
        aside = _set_aside(path, at)
        _finish_replacing(path, at)
    moved = {"journal": str(path), "moved_to": str(aside)}
    if found is None:
        log.critical("nothing could be read of the damaged journal", extra=moved)
    else:
        log.critical(
            "read of the damaged journal: %d events not yet delivered, %d states; missing: %d",
            found.rows, found.states, found.missing, extra=moved,
        )  # fmt: skip


def _finish_replacing(path: Path, at: datetime) -> None:
    """Put a salvaged journal in its place, also where a crash came between."""
    if path.exists():
        return
    _set_aside(path, at)  # a log without its file: it must not be taken for the new one's
    salvaged = path.with_name(path.name + SUFFIX)
    if salvaged.exists():
        salvaged.replace(path)


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
    try:
        marks = dict(connection.execute("SELECT name, value FROM mark").fetchall())
    except sqlite3.OperationalError as err:
        if err.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise FileDamaged(str(err)) from err  # its table is not known: the schema is damaged
    if not marks.keys() >= _MARKS:
        raise FileDamaged("marks are missing")
    if marks["clean"]:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise FileDamaged(verdict)
    _check_long_rows(connection)


def _check_long_rows(connection: sqlite3.Connection) -> None:
    """Read what was not delivered and does not fit on a page: of its rest nothing was checked."""
    (delivered,) = connection.execute("SELECT coalesce(min(seq), 0) FROM cursor").fetchone()
    for seq, data in connection.execute(
        "SELECT seq, data FROM event WHERE seq > ? AND length(data) > ?", (delivered, IN_ONE_PAGE)
    ):
        if not is_object(data):
            raise FileDamaged(f"row {seq} is not what was written")


def _set_aside(path: Path, at: datetime) -> Path:
    """Rename the file and its log together: recovery tools need both."""
    aside = path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%SZ}")
    for companion in _COMPANIONS:
        source = path.with_name(path.name + companion)
        if source.exists():
            source.replace(aside.with_name(aside.name + companion))
    return aside
