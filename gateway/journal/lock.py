"""One process per journal."""

import sys
from pathlib import Path
from typing import IO

from gateway.journal.errors import JournalInUse


class FileLock:
    """The exclusive lock on ``<journal>.lock``; the system frees it when the process ends.

    The file stays: removing it would let a third process lock a file of its own.
    """

    def __init__(self, journal: Path) -> None:
        """Take the lock at once. Raises JournalInUse, or OSError if it cannot be created."""
        self._file: IO[bytes] = journal.with_name(journal.name + ".lock").open("ab")
        try:
            _lock(self._file.fileno())
        except BlockingIOError as err:
            self._file.close()
            raise JournalInUse(journal) from err

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as err:
            raise BlockingIOError from err
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
