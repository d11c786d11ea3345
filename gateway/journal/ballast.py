"""Disk space put by, to be given up when the disk is full.

- The first half is for the rows that come next.
- The second is for giving up old rows: on a full disk even deleting needs room in the
  write-ahead log.

What was given up is taken back when there is plenty of room, not at once: it would be taken
from the rows it was given to.
"""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_PLENTY = 2
"""So many times its size must be free before the ballast is taken back."""


class Ballast:
    """The file ``<journal>.ballast``, really allocated, of no content; empty once given up."""

    def __init__(self, journal: Path, size_bytes: int) -> None:
        """Touch nothing yet."""
        self._path = journal.with_name(journal.name + ".ballast")
        self._size_bytes = size_bytes

    @property
    def whole(self) -> bool:
        """Whether nothing of it is given up."""
        return self._held_bytes() >= self._size_bytes

    @property
    def given_up(self) -> bool:
        """Whether some of it is, also as seen from another process."""
        return self._path.exists() and not self.whole

    def begin(self) -> None:
        """Allocate it where it never was; what was given up in an earlier life is not touched."""
        if not self._path.exists():
            self._allocate(self._size_bytes)

    def restore(self) -> bool:
        """Take back what there is plenty of room for; return whether it is whole."""
        if self.whole:
            return True
        room_bytes = shutil.disk_usage(self._path.parent).free + self._held_bytes()
        if room_bytes >= _PLENTY * self._size_bytes:
            return self._allocate(self._size_bytes)
        if room_bytes >= _PLENTY * self._reserve_bytes:
            self.reserve()
        return False

    def give_to_rows(self) -> bool:
        """Give up the first half; return whether that made room."""
        if self._held_bytes() <= self._reserve_bytes:
            return False
        os.truncate(self._path, self._reserve_bytes)
        return True

    def reserve(self) -> None:
        """Take back the second half, if there is room for it."""
        if self._held_bytes() < self._reserve_bytes:
            self._allocate(self._reserve_bytes)

    def release(self) -> bool:
        """Give up all of it; return whether that made room. Idempotent."""
        if not self._held_bytes():
            return False
        os.truncate(self._path, 0)
        return True

    @property
    def _reserve_bytes(self) -> int:
        return self._size_bytes // 2

    def _held_bytes(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def _allocate(self, size_bytes: int) -> bool:
        if size_bytes == 0:
            return True
        held_bytes = self._held_bytes()
        try:
            with self._path.open("ab") as file:
                _allocate(file.fileno(), size_bytes)
        except OSError as err:
            log.debug("no room for ballast: %s", err)
            with suppress(OSError):
                os.truncate(self._path, held_bytes)
            return False
        return True


def _allocate(descriptor: int, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size_bytes)
        return
    block = bytes(1 << 20)
    for offset in range(os.fstat(descriptor).st_size, size_bytes, len(block)):
        os.write(descriptor, block[: size_bytes - offset])
