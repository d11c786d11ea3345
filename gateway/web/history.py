"""The history as the screens ask for it: the journal's, read in threads of its own.

- At most `THREADS` looks at a time, and `WAITING` more that wait; the rest is refused at once, so
  that a crowd of long questions costs no more than a few.
- What cannot be read now is a Problem with the reason.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.journal.errors import JournalError
from gateway.journal.history import JournalHistory, Look, QueryTooLong
from gateway.web.problems import Problem

T = TypeVar("T")
THREADS = 2
WAITING = 20


class History:
    """Its owner calls `close` in the end."""

    def __init__(self, journal: JournalHistory) -> None:
        self._journal = journal
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="history")
        self._asked = 0

    async def look(self, at: Callable[[Look], T]) -> T:
        """Return what ``at`` finds; it is called in a thread. Raises Problem."""
        if self._asked >= THREADS + WAITING:
            raise Problem("busy", headers={"Retry-After": "2"})
        self._asked += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: self._looked(at))
        except QueryTooLong as err:
            raise Problem("query_too_long", str(err)) from err
        except JournalError as err:
            raise Problem("no_history", str(err)) from err
        finally:
            self._asked -= 1

    def close(self) -> None:
        """Wait for the looks that go on."""
        self._threads.shutdown(wait=True)

    def _looked(self, at: Callable[[Look], T]) -> T:
        with self._journal.look() as look:
            return at(look)
