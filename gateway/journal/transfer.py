"""A journal on its way to another box, or back to its own.

- What is exported is one moment of the journal, taken beside a running gateway.
- What is imported begins an epoch, so that no id can name two facts; states and totals go
  on, and what was not delivered is still delivered under its old name.
- What comes from outside is checked as a file, as a database and as a journal.
"""

import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from gateway.domain.vocabulary import stamp
from gateway.journal import archive
from gateway.journal.archive import JOURNAL, SITE, ArchiveRefused, Manifest
from gateway.journal.errors import FileDamaged, JournalUnusable, as_journal_errors
from gateway.journal.ledger import Ledger
from gateway.journal.lock import FileLock
from gateway.journal.schema import (
    MIGRATIONS,
    closed_on_error,
    connect_reader,
    connect_writer,
    migrate,
    version_of,
)

Reason = Literal["import", "restore"]
"""Why the epoch begins: on another box, or from a copy of one's own."""


def export(
    journal: Path,
    target: Path,
    *,
    site: str,
    gateway: str,
    files: Mapping[str, Path],
    left_out: list[str],
    program: str,
    at: datetime,
) -> Manifest:
    """Write the journal and ``files`` (relative name -> file) into one archive.

    Works beside a running gateway. Raises JournalError, OSError.
    """
    copy = target.with_name(target.name + ".journal")
    try:
        with as_journal_errors():
            epoch, head, version = _copy(journal, copy)
        packed = {SITE + name: path for name, path in sorted(files.items())} | {JOURNAL: copy}
        manifest = Manifest(
            program=program,
            journal_version=version,
            site=site,
            gateway=gateway,
            epoch=epoch,
            head=head,
            exported_at=stamp(at),
            left_out=left_out,
            files={name: archive.measure(path) for name, path in packed.items()},
        )
        archive.write(target, manifest, packed)
    finally:
        copy.unlink(missing_ok=True)
    return manifest


@contextmanager
def opened(source: Path, room: Path) -> Iterator[tuple[Manifest, Path]]:
    """Unpack an archive in ``room`` for as long as the context lasts, its journal checked.

    Raises ArchiveRefused, OSError.
    """
    with archive.unpacked(source, room) as (manifest, place):
        try:
            check(place / JOURNAL)
        except (FileDamaged, JournalUnusable) as err:
            raise ArchiveRefused(source, f"its journal is refused: {err}") from err
        yield manifest, place


def adopt(
    unpacked: Path,
    journal: Path,
    *,
    reason: Reason,
    at: datetime,
    randbelow: Callable[[int], int] = secrets.randbelow,
) -> str:
    """Put a checked journal where the gateway will look for it; return its new epoch.

    Raises JournalInUse, FileExistsError, JournalError.
    """
    with as_journal_errors():
        connection = connect_writer(unpacked)
        with closed_on_error(connection):
            migrate(connection)
    ledger = Ledger(connection, randbelow)
    ledger.begin_epoch(reason, at)
    last_alive_ms = ledger.last_alive_ms
    ledger.close(at)
    keep_last_alive(unpacked, last_alive_ms)
    journal.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(journal)
    try:
        if journal.exists():
            raise FileExistsError(f"{journal}: there is a journal already")
        part = journal.with_name(journal.name + ".part")
        shutil.move(unpacked, part)  # perhaps from another file system
        part.replace(journal)
    finally:
        lock.release()
    return ledger.epoch


def check(path: Path) -> None:
    """Read the whole file: a sound database, and tables of ours only.

    Raises FileDamaged, JournalUnusable.
    """
    with as_journal_errors(), closing(connect_reader(path)) as connection:
        # A view or a trigger of somebody else's must not run with our rights.
        connection.execute("PRAGMA trusted_schema = OFF")
        version = version_of(connection)
        if version == 0 or _tables(connection) != _tables_of(version):
            raise JournalUnusable(path, "its tables are not those of a journal")
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise FileDamaged(verdict)


def _copy(journal: Path, copy: Path) -> tuple[str, int, int]:
    with (
        closing(connect_reader(journal)) as source,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        source.backup(target)  # in one step: a writer would make it begin again
        target.execute("PRAGMA journal_mode = DELETE")
        (epoch,) = target.execute("SELECT epoch FROM epoch ORDER BY number DESC LIMIT 1").fetchone()
        found = target.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
        return epoch, found[0] if found else 0, version_of(target)


def _tables(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    return sorted(
        (kind, name, None if sql is None else " ".join(sql.split()))
        for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema")
    )


def _tables_of(version: int) -> list[tuple[str, str, str | None]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for apply in MIGRATIONS[:version]:
            apply(connection)
        return _tables(connection)


def keep_last_alive(path: Path, last_alive_ms: int | None) -> None:
    """Between the export and now nobody collected: that is not to look like life."""
    with as_journal_errors(), closing(connect_writer(path)) as connection:
        connection.execute("DELETE FROM mark WHERE name = 'alive_ms'")
        if last_alive_ms is not None:
            connection.execute("INSERT INTO mark VALUES ('alive_ms', ?)", (last_alive_ms,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
