"""The store of record to one chart store.

- Fed from the committed rows in the order they were stored, so an outage of the chart store
  delays nothing else, and a chart store that is added later gets the whole history.
- The cursor moves only over what the store has confirmed and surely has on its disk: what it
  confirmed last before it went away, or before the historian ended, is fed again. Points sent
  twice are the same points.
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
from gateway.historian.unsettled import Unsettled
from gateway.ops.backoff import Uniform, delays
from gateway.ops.clock import Clock
from gateway.wire.cloudevent import Envelope

CHUNK = 1000
Rows = Sequence[tuple[int, Envelope]]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ChartStats:
    """Since the start."""

    points: int = 0
    """Confirmed by the store; those that were fed again count again."""
    number: int = 0
    """Of the event in the record that was fed last."""
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
        self._unsettled = Unsettled()
        self._was_away = False
        """Since the last look: it may have lost what it had in memory."""
        self._settled = 0
        """What the cursor in the record says."""

    async def run(self) -> NoReturn:
        """Follow the record for ever. Raises StoreUnusable."""
        try:
            store = await asyncio.to_thread(self._open_store, self._settings)
        except OSError as err:
            raise StoreUnusable(self._settings.name, str(err)) from err
        committed = self._record.follow()
        try:
            number = (await self._record.cursors()).get(self._settings.name, 0)
            self._settled = number
            await self._warm_up(number)
            while True:
                committed.clear()
                rows = await self._record.events_after(number, CHUNK)
                if not rows:
                    await committed.wait()
                    continue
                await self._feed(store, rows)
                number = await self._next(number, rows[-1][0])
        finally:
            store.close()

    async def _next(self, before: int, number: int) -> int:
        """Note that all behind ``before`` up to ``number`` is fed; return where to go on."""
        self.stats.number = number
        back = self._unsettled.back() if self._was_away else None
        self._was_away = False
        if back is not None:
            _log.warning("%s: fed again from event %d on", self.name, back + 1)
            await self._warm_up(back)
            return back
        settled = self._unsettled.confirmed(before, number, self._clock.mono_s())
        if settled != self._settled:
            await self._record.advance(self._settings.name, settled)
            self._settled = settled
        return number

    async def _warm_up(self, number: int) -> None:
        """Learn which milliseconds the last points took, so that the next ones go beside them."""
        earlier = await self._record.events_after(max(0, number - CHUNK), CHUNK)
        self._place([row for row in earlier if row[0] <= number])

    def _place(self, rows: Rows) -> list[Point]:
        place = self._occupied.place
        return [place(point, number) for number, event in rows for point in points(event)]

    async def _feed(self, store: ChartStore, rows: Rows) -> None:
        placed = self._place(rows)
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
                self._was_away = self._was_away or not err.has_too_much
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
