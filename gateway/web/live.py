"""The board as it is now.

Promises:

1. The source is read at most once per ``refresh_s``, however many people look.
2. When the collector has been silent for ``SILENT_S``, every tile says offline.
3. The source is read in one thread of the board's own, one call at a time, so that neither
   the loop nor the others' threads wait for it.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from gateway.domain.vocabulary import stamp
from gateway.web.board import (
    Progress,
    ShiftFigures,
    Tiles,
    keep_equal,
    tile,
    unobserved,
)
from gateway.web.fault_list import FaultItem, fault_list
from gateway.web.source import BoardReading, BoardSource, SiteCard, SourceUnavailable

T = TypeVar("T")
SILENT_S = 10.0
EARLY_S = 0.005
"""A timer may fire so much early: who comes then is not to wait for another one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole board at one moment. ``rev`` grows with every change."""

    rev: int = 0
    tiles: Tiles = field(default_factory=dict)
    faults: tuple[FaultItem, ...] = ()
    collector: Mapping[str, str | bool | None] = field(default_factory=dict)
    """{"alive": bool, "at": its last sign of life or None, "problem": text or None,
    "problem_code": `Trouble` or None}"""
    epoch: str = ""
    head_seq: int = 0


def utc_now() -> datetime:
    """Return the wall clock, UTC."""
    return datetime.now(UTC)


class Board:
    """Reads the source for everybody who looks. Its owner calls `close` in the end."""

    def __init__(
        self,
        source: BoardSource,
        *,
        refresh_s: float = 1.0,
        now: Callable[[], datetime] = utc_now,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = now
        self.refresh_s = refresh_s
        self.figures: Mapping[str, ShiftFigures] = {}
        """Of the running shift; `gateway.web.tile_figures` keeps them up to date."""
        self.progress: Mapping[str, Progress] = {}
        """Of the orders in force; `gateway.web.tile_figures` keeps it up to date."""
        self._source = source
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="board")
        self.mono_s = mono_s
        self._lock = asyncio.Lock()
        self._read_at_s: float | None = None
        self._reading: BoardReading | None = None
        self._alive_at: datetime | None = None
        self._alive_seen_s = -math.inf
        self._picture = Picture()
        self._failure: SourceUnavailable | None = None
        self._painted: tuple[Mapping[str, ShiftFigures], Mapping[str, Progress]] = ({}, {})

    @property
    def site(self) -> SiteCard:
        """Whose board it is."""
        return self._source.site

    async def picture(self) -> Picture:
        """Return the board, at most ``refresh_s`` old."""
        async with self._lock:
            read_at_s = self._read_at_s
            if read_at_s is None or self.mono_s() - read_at_s >= self.refresh_s - EARLY_S:
                await self._refresh()
            elif self._painted[0] is not self.figures or self._painted[1] is not self.progress:
                self._repaint()
        return self._picture

    async def close(self) -> None:
        """End the thread; waits for the query it is in."""
        self._thread.shutdown(wait=True)

    async def _in_thread(self, read: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, read)

    async def _refresh(self) -> None:
        self._failure = None
        try:
            self._reading = await self._in_thread(self._source.read)
        except SourceUnavailable as err:
            self._failure = err
        self._read_at_s = self.mono_s()
        self._notice(None if self._reading is None else self._reading.alive_at)
        self._repaint()

    def _repaint(self) -> None:
        self._painted = (self.figures, self.progress)
        self._picture = self._paint(self._picture, self._reading, self._failure)

    def _notice(self, alive_at: datetime | None) -> None:
        """Remember when the sign of life last moved; the wall clock is asked only once."""
        if alive_at is None or alive_at == self._alive_at:
            return
        first = self._alive_at is None
        age_s = max(0.0, (self.now() - alive_at).total_seconds()) if first else 0.0
        self._alive_at, self._alive_seen_s = alive_at, self.mono_s() - age_s

    def _paint(
        self, old: Picture, reading: BoardReading | None, failure: SourceUnavailable | None
    ) -> Picture:
        alive_at = self._alive_at
        silent = self.mono_s() - self._alive_seen_s > SILENT_S
        snapshots = {} if reading is None else reading.snapshots
        fresh = {
            card.equipment: tile(
                card,
                snapshots.get(card.equipment, {}),
                self.figures.get(card.equipment),
                self.progress.get(card.equipment),
            )
            for card in self._source.cards
        }
        if silent:
            fresh = {key: unobserved(known, alive_at) for key, known in fresh.items()}
        tiles = keep_equal(old.tiles, fresh)
        faults = fault_list(self._source.cards, snapshots)
        if faults == old.faults:
            faults = old.faults  # the same object: streams compare with `is`
        collector: Mapping[str, str | bool | None] = {
            "alive": not silent,
            "at": stamp(alive_at) if silent and alive_at is not None else None,
            "problem": None if failure is None else str(failure),
            "problem_code": None if failure is None else failure.code,
        }
        changed = tiles is not old.tiles or faults is not old.faults or collector != old.collector
        return Picture(
            rev=old.rev + changed,
            tiles=tiles,
            faults=faults,
            collector=collector,
            epoch="" if reading is None else reading.epoch,
            head_seq=0 if reading is None else reading.head_seq,
        )
