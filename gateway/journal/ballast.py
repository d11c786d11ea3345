"""Disk space put by, to be given up when the disk is full.

On a full disk even deleting rows needs room in the write-ahead log. Giving up the ballast
makes that room.
"""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


class Ballast:
    """The file ``<journal>.ballast``, really allocated, of no content."""

    def __init__(self, journal: Path, size_bytes: int) -> None:
        """Touch nothing yet."""
        self._path = journal.with_name(journal.name + ".ballast")
        self._size_bytes = size_bytes

    def restore(self) -> bool:
        """Allocate it if it is not there; return False if the disk has no room for it."""
        if self._size_bytes == 0 or self._allocated():
            return True
        try:
            with self._path.open("wb") as file:
                _allocate(file.fileno(), self._size_bytes)
        except OSError as err:
            self._path.unlink(missing_ok=True)
            log.debug("no room for ballast: %s", err)
            return False
        return True

    def release(self) -> None:
        """Give the space back to the file system. Idempotent."""
        self._path.unlink(missing_ok=True)

    def _allocated(self) -> bool:
        return self._path.exists() and self._path.stat().st_size == self._size_bytes


def _allocate(descriptor: int, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size_bytes)
        return
    block = bytes(1 << 20)
    for offset in range(0, size_bytes, len(block)):
        os.write(descriptor, block[: size_bytes - offset])
