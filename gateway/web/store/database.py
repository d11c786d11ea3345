"""The one connection to ``web.db``, used in a thread of its own.

- What is asked is done in the order it was asked, each in one transaction: all or nothing.
- The loop never waits for the disk.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Self, TypeVar

from gateway.web.store.schema import connect

T = TypeVar("T")
__all__ = ["Connection", "Store", "Work", "from_unix_ms", "unix_ms"]
Work = Callable[[Connection], T]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        """Do ``work`` in one transaction and return its result after the commit."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.run_now, work)

    def run_now(self, work: Work[T]) -> T:
        """Do it here; only before anything else uses the store."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
            self._connection.execute("COMMIT")
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
