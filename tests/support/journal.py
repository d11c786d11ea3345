"""A journal for tests, and small facts to put into it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from gateway.domain.events import Count, Reading
from gateway.journal.journal import Journal
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from tests.support.clock import MORNING

SMALL = Limits(ballast_bytes=0)


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_journal(
    path: Path, *, now: Callable[[], datetime] = utc_now, limits: Limits = SMALL, seed: int = 1
) -> AsyncIterator[Journal]:
    journal = Journal.open(path, now=now, limits=limits, randbelow=Random(seed).randrange)
    try:
        yield journal
    finally:
        await journal.close()


def count(total: int = 1, *, at: datetime = MORNING) -> Count:
    return Count(at=at, counter="good", kind="good", delta=1, total=total, raw=total)


def reading(value: float = 1.0, *, at: datetime = MORNING, group: str = "plc") -> Reading:
    return Reading(at=at, group=group, values={"temperature": value})


def entry(equipment: str = "press-07", *, counts: int = 1, total: int = 1) -> Entry:
    """A few counts and the state they lead to."""
    return Entry(
        equipment,
        [count(total + i) for i in range(counts)],
        state=b'{"total": %d}' % (total + counts - 1),
    )
