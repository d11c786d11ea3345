"""The history as the screens ask for it: the journal's, read in threads of its own.

- At most `THREADS` looks at a time, and `WAITING` more that wait; the rest is refused at once, so
  that a crowd of long questions costs no more than a few.
- What cannot be read now is a Problem with the reason.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from gateway.domain.shifts import Span
from gateway.journal.errors import JournalError
from gateway.journal.history import Booked, Extent, JournalHistory, QueryTooLong, Wanted
from gateway.journal.row import Row
from gateway.web.facts import Stay, notes, stays
from gateway.web.problems import Problem

T = TypeVar("T")
THREADS = 2
WAITING = 20
MAX_ROWS = 20_000
LEFT_EDGE = timedelta(days=2)


class History:
    """Its owner calls `close` in the end."""

    def __init__(self, journal: JournalHistory) -> None:
        self._journal = journal
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="history")
        self._asked = 0

    async def extent(self) -> Extent | None:
        """Return what the journal still holds."""
        return await self._look(self._journal.extent)

    async def rows(self, wanted: Wanted) -> Sequence[Row]:
        """Return rows."""
        return await self._look(lambda: self._journal.rows(wanted))

    async def stays(self, equipment: str, span: Span) -> Sequence[Stay]:
        """Return the states in a span, also the one that lasted when it began."""
        return await self._look(lambda: self._stays(equipment, span))

    async def counted(self, equipment: str, span: Span) -> Sequence[Booked]:
        """Return what was booked, minute by minute."""
        return await self._look(lambda: self._journal.counted(equipment, span.begins, span.ends))

    async def envelope(
        self, equipment: str, tag: str, span: Span, points: int
    ) -> Sequence[tuple[datetime, float, float, int]]:
        """Return a tag's values, least and greatest of each of at most ``points`` parts."""
        return await self._look(
            lambda: self._journal.envelope(equipment, tag, span.begins, span.ends, points)
        )

    def close(self) -> None:
        """Wait for the looks that go on."""
        self._threads.shutdown(wait=True)

    def _stays(self, equipment: str, span: Span) -> Sequence[Stay]:
        status = Wanted(equipment=equipment, types=("status",), limit=MAX_ROWS)
        edge = replace(status, end=span.begins, newest_first=True, limit=1)
        within = replace(status, start=span.begins, end=span.ends)
        about = Wanted(
            equipment=equipment, types=("note",), start=span.begins - LEFT_EDGE, limit=MAX_ROWS
        )
        said = notes(self._journal.rows(about))
        return stays([*self._journal.rows(edge), *self._journal.rows(within)], said)

    async def _look(self, look: Callable[[], T]) -> T:
        if self._asked >= THREADS + WAITING:
            raise Problem("busy", headers={"Retry-After": "2"})
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, look)
        except QueryTooLong as err:
            raise Problem("query_too_long", str(err)) from err
        except JournalError as err:
            raise Problem("no_history", str(err)) from err
        finally:
            self._asked -= 1
