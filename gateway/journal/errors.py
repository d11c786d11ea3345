"""What the journal may raise, sorted by what the caller does next.

::

    JournalError
    + JournalInUse      another process has this journal open: end, say so
    + JournalUnusable   it cannot be opened until a person acts: end, say so
      + JournalFull     there is no room to open it: wait for room
    + JournalFailed     its writer ended; memory is ahead of the disk: end the process
    + CommandRepeated   obeyed before: answer with `Journal.reply_to`

Inside the package, two conditions of the file call for an action of our own.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JournalError(Exception):
    """Root of all the journal raises, cancellation apart."""


class JournalInUse(JournalError):
    """Another process has this journal open."""

    def __init__(self, path: Path) -> None:
        """Name the file both processes want."""
        super().__init__(
            f"{path}: another gateway process is using this journal; stop it first, "
            "or give this one a journal of its own (journal.path)"
        )
        self.path = path


class JournalUnusable(JournalError):
    """The journal cannot be opened until somebody acts."""

    def __init__(self, path: Path, reason: str) -> None:
        """Say which file and what is wrong with it."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class JournalFull(JournalUnusable):
    """The disk is full, and nothing of ours is left to give up."""


class JournalFailed(JournalError):
    """The writer ended. Nothing more is written; the process must end and start again."""


class CommandRepeated(JournalError):
    """A command with this id was committed before; nothing of this append was written."""

    def __init__(self, command_id: str) -> None:
        """Name the command."""
        super().__init__(f"command {command_id} was obeyed before")
        self.command_id = command_id


class FileFull(JournalError):
    """No room for the transaction; it was rolled back. The ledger makes room."""


class FileDamaged(JournalError):
    """What the file holds is not a sound database."""


_PRIMARY_CODE = 0xFF  # SQLite's extended result codes keep the primary one in the low byte
_BY_CODE: dict[int, type[JournalError]] = {
    sqlite3.SQLITE_FULL: FileFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: FileFull,  # no room for the index of the write-ahead log
    sqlite3.SQLITE_CORRUPT: FileDamaged,
    sqlite3.SQLITE_NOTADB: FileDamaged,
}
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_lack_of_room(err: sqlite3.Error | OSError) -> bool:
    """Whether room on the disk would have helped."""
    if isinstance(err, OSError):
        return err.errno in _NO_ROOM
    return _ours(err) is FileFull


@contextmanager
def as_journal_errors() -> Iterator[None]:
    """Re-raise what SQLite and the file system raise as the nearest JournalError."""
    try:
        yield
    except sqlite3.Error as err:
        name = getattr(err, "sqlite_errorname", type(err).__name__)
        raise _ours(err)(f"{err} ({name})") from err
    except OSError as err:
        raise JournalFailed(str(err)) from err


def _ours(err: sqlite3.Error) -> type[JournalError]:
    code = getattr(err, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return _BY_CODE.get(code) or _BY_CODE.get(code & _PRIMARY_CODE, JournalFailed)
