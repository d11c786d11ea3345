"""Rows on their way to consumers: from memory where they are new, else from the file.

What was given once never changes, also not after a crash: that it may be given is on the disk
before. So what lies beyond may still be made less where space is short.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from gateway.journal.known import Known
from gateway.journal.reader import JournalReader
from gateway.journal.row import Row

T = TypeVar("T")

GIVEN_AHEAD = 4096
"""Rows that may be given before the disk must hear of it again."""


class Read(Protocol):
    """Runs a query of the reader on its thread."""

    async def __call__(self, read: Callable[[], T], /) -> T:
        """Return what ``read`` returns."""
        ...


class Giving:
    """Belongs to one event loop."""

    def __init__(
        self,
        known: Known,
        reader: JournalReader,
        read: Read,
        promise: Callable[[int], Awaitable[object]],
    ) -> None:
        """``promise`` puts on the disk that rows up to a seq may be given."""
        self._known = known
        self._reader = reader
        self._read = read
        self._promise = promise

    async def rows(self, after: int, limit: int, upto: int | None) -> list[Row]:
        """Return the oldest rows with after < seq <= upto, none beyond the newest known."""
        known = self._known
        last = known.head if upto is None else min(upto, known.head)
        begin, ahead = max(after, known.first_seq - 1), max(limit, GIVEN_AHEAD)
        while True:
            if known.given < min(last, begin + limit):
                await self._promise(begin + ahead)
            rows = await self._rows(after, limit, min(last, known.given))
            if rows or known.given >= last:
                return rows
            begin, ahead = known.given, 2 * ahead  # there are no rows left in this stretch

    async def _rows(self, after: int, limit: int, last: int) -> list[Row]:
        tail = self._known.tail
        newest = tail.rows(after, limit, last)
        if newest is not None:
            return newest
        # What the tail holds may be nowhere else: the file is asked for what is older only.
        older_to = min(last, tail.first_seq - 1) if tail.first_seq else last
        older = await self._read(partial(self._reader.rows, after, limit, older_to))
        if len(older) == limit or older_to == last:
            return older
        newest = tail.rows(older_to, limit - len(older), last)
        if newest is not None:
            return older + newest
        return older or await self._rows(after, limit, last)  # the tail moved on meanwhile
