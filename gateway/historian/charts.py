"""The store of record to one chart store.

- Fed from the committed rows in the order they were stored, so an outage of the chart store
  delays nothing else, and a chart store that is added later gets the whole history.
- The cursor moves only over what the store has confirmed; points sent twice are the same
  points.
- One bad line costs that line: it becomes a dead letter, the rest is written.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from gateway.historian.influx import ChartStore, ChartsUnavailable, InfluxStore, LinesRefused
from gateway.historian.lines import Occupied, Point, points
from gateway.historian.record import Record
from gateway.historian.settings import InfluxSettings, Sleep
from gateway.historian.store import DeadLetter, StoreUnusable
from gateway.ops.backoff import Uniform, delays
from gateway.ops.clock import Clock
from gateway.wire.cloudevent import Envelope

CHUNK = 1000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ChartStats:
    """Since the start."""

    points: int = 0
    """Confirmed by the store."""
    refused: int = 0
    """Became dead letters."""
    outages: int = 0
    is_away: bool = False


class ChartFeed:
    """Feeds one chart store; ``run`` until cancelled."""

    def __init__(
        self,
        settings: InfluxSettings,
        record: Record,
        clock: Clock,
        sleep: Sleep,
        uniform: Uniform,
        open_store: Callable[[InfluxSettings], ChartStore] = InfluxStore,
    ) -> None:
        self.name = settings.name
        self.stats = ChartStats()
        self._settings = settings
        self._record = record
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._open_store = open_store
        self._occupied = Occupied()

    async def run(self) -> NoReturn:
        """Follow the record for ever. Raises StoreUnusable."""
        try:
            store = await asyncio.to_thread(self._open_store, self._settings)
        except OSError as err:
            raise StoreUnusable(self._settings.name, str(err)) from err
        committed = self._record.follow()
        try:
            number = (await self._record.cursors()).get(self._settings.name, 0)
            await self._warm_up(number)
            while True:
                committed.clear()
                rows = await self._record.events_after(number, CHUNK)
                if not rows:
                    await committed.wait()
                    continue
                await self._feed(store, [event for _, event in rows])
                number = rows[-1][0]
                await self._record.advance(self._settings.name, number)
        finally:
            store.close()

    async def _warm_up(self, number: int) -> None:
        """Learn which milliseconds the last points took, so that the next ones go beside them."""
        earlier = await self._record.events_after(max(0, number - CHUNK), CHUNK)
        for event in [event for at, event in earlier if at <= number]:
            for point in points(event):
                self._occupied.place(point)

    async def _feed(self, store: ChartStore, events: Sequence[Envelope]) -> None:
        placed = [self._occupied.place(point) for event in events for point in points(event)]
        kept = _kept_ms(self._settings, self._clock.now())
        inside = [point for point in placed if point.time_ms in kept]
        outside = [point for point in placed if point.time_ms not in kept]
        if outside:
            await self._give_up(outside, "outside of what the store keeps")
        await self._write(store, inside)

    async def _write(self, store: ChartStore, placed: Sequence[Point]) -> None:
        if not placed:
            return
        try:
            await self._persist(store, [point.line() for point in placed])
        except LinesRefused as err:
            if len(placed) == 1:
                await self._give_up(placed, err.reason)
                return
            half = len(placed) // 2
            await self._write(store, placed[:half])
            await self._write(store, placed[half:])

    async def _persist(self, store: ChartStore, lines: Sequence[str]) -> None:
        waits, stats = delays(self._uniform), self.stats
        while True:
            try:
                await asyncio.to_thread(store.write, lines)
            except ChartsUnavailable as err:
                if not stats.is_away:
                    _log.warning("%s is away: %s", self.name, err.reason)
                    stats.outages += 1
                stats.is_away = True
                await self._sleep(max(next(waits), err.retry_after_s))
            else:
                if stats.is_away:
                    _log.warning("%s is back", self.name)
                stats.is_away = False
                stats.points += len(lines)
                return

    async def _give_up(self, placed: Sequence[Point], reason: str) -> None:
        self.stats.refused += len(placed)
        _log.error("%s: %d points not written: %s", self._settings.name, len(placed), reason)
        now = self._clock.now()
        dead = [
            DeadLetter(now, self._settings.name, point.line().encode(), reason) for point in placed
        ]
        await self._record.write((), (), dead)


def _kept_ms(settings: InfluxSettings, now: datetime) -> range:
    latest = now + timedelta(seconds=settings.max_future_s)
    if settings.max_age_s is None:
        return range(round(latest.timestamp() * 1000))
    earliest = now - timedelta(seconds=settings.max_age_s)
    return range(round(earliest.timestamp() * 1000), round(latest.timestamp() * 1000))
