"""The one connection to ``web.db``, used in a thread of its own.

- What is asked is done in the order it was asked, each in one transaction: all or nothing.
- The loop never waits for the disk.
- Without room on the disk nothing is kept, and `NoRoom` says so; whoever only looks is answered.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection, Error
from typing import Self, TypeVar

from gateway.journal.errors import is_lack_of_room
from gateway.web.store.schema import connect

T = TypeVar("T")
__all__ = ["Connection", "NoRoom", "Store", "Work", "from_unix_ms", "unix_ms"]
Work = Callable[[Connection], T]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoRoom(Exception):
    """There is no room on the disk for what was to be kept; nothing of it was."""


class Store:
    """``Store.open`` and, in the end, `close`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="web.db")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the file. Raises StoreUnusable, StoreFull."""
        return cls(connect(path))

    async def run(self, work: Work[T]) -> T:
        """Do ``work`` in one transaction and return its result after the commit.

        Raises NoRoom.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.run_now, work)

    async def look(self, work: Work[T]) -> T:
        """As `run`, for who only looks: without room the note that he did is lost, no more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look_now, work)

    def run_now(self, work: Work[T]) -> T:
        """Do it here; only before anything else uses the store. Raises NoRoom."""
        try:
            return self._transact(work, "COMMIT")
        except Error as err:
            if is_lack_of_room(err):
                raise NoRoom(str(err)) from err
            raise

    def _look_now(self, work: Work[T]) -> T:
        try:
            return self.run_now(work)
        except NoRoom:
            return self._transact(work, "ROLLBACK")

    def _transact(self, work: Work[T], end: str) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
            self._connection.execute(end)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return result

    def close(self) -> None:
        """Finish what was asked and close. Idempotent."""
        self._thread.shutdown(wait=True)
        self._connection.close()


def unix_ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_unix_ms(time_ms: int) -> datetime:
    """Return the moment, UTC."""
    return _EPOCH + timedelta(milliseconds=time_ms)
