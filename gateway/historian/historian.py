"""The historian: one site's facts from MQTT into its stores, until cancelled."""

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from gateway.historian.asking import Asker
from gateway.historian.charts import ChartFeed, ChartStats
from gateway.historian.consumer import Consumer
from gateway.historian.record import Record, recording
from gateway.historian.settings import HistorianSettings, Sleep
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.sql import SqlStore
from gateway.historian.store import Store
from gateway.ops.backoff import Uniform
from gateway.ops.clock import SYSTEM_CLOCK, Clock
from gateway.ops.mqtt_choice import BetterBroker, BrokerChoice, look_for_better
from gateway.ops.mqtt_terms import MqttError

REPLAN_S = 6 * 3600.0
"""The shifts to come are written so often, days ahead."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Numbers since the start, for health and for people."""

    connected: bool
    messages: int
    events_written: int
    """Repeats of stored events included."""
    dead_letters: int
    losses: int
    replays_asked: int
    store_outages: int
    store_away_s: float
    """For how long the store of record has been away; 0 while it is there."""
    lag_s: float | None
    """How old the newest live event was when it was stored."""
    charts: Mapping[str, ChartStats]
    """By the store's URL and bucket."""
    holes: int
    """Known holes that nothing has filled yet."""


class Historian:
    """``await run()`` until cancelled; ``stats()`` any time."""

    def __init__(
        self,
        settings: HistorianSettings,
        *,
        open_store: Callable[[], Store] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Sleep = asyncio.sleep,
        uniform: Uniform = random.uniform,
        asker: Asker | None = None,
    ) -> None:
        self._settings = settings
        self._open_store = open_store or self._open_sql
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._asker = asker or Asker(
            lambda: f"replay-{secrets.token_hex(6)}", is_part=bool(settings.places)
        )
        self._shifts = settings.shifts
        self._planned_anew = asyncio.Event()
        self._consumer: Consumer | None = None
        self._record: Record | None = None
        self._feeds: list[ChartFeed] = []

    async def run(self) -> None:
        """Consume for ever; reconnect with full jitter.

        Raises StoreUnusable, alone or in an ExceptionGroup.
        """
        async with (
            recording(
                self._open_store, now=self._clock.now, sleep=self._sleep, uniform=self._uniform
            ) as record,
            asyncio.TaskGroup() as tasks,
        ):
            self._record = record
            self._consumer = Consumer(self._settings, record, self._asker, self._clock)
            for chart in self._settings.charts:
                feed = ChartFeed(chart, record, self._clock, self._sleep, self._uniform)
                self._feeds.append(feed)
                tasks.create_task(feed.run(), name=f"historian {chart.name}")
            tasks.create_task(self._plan_shifts(record), name="historian shifts")
            await self._consume(self._consumer)

    def plan(self, shifts: ShiftPlan) -> None:
        """Plan these shifts from now on; those that have begun stay as they were."""
        if shifts != self._shifts:
            self._shifts = shifts
            self._planned_anew.set()
            _log.info("the shifts have changed: those to come are planned anew")

    def stats(self) -> Stats:
        """Return the numbers of this moment."""
        record, consumer = self._record, self._consumer
        if record is None or consumer is None:
            return Stats(
                connected=False,
                messages=0,
                events_written=0,
                dead_letters=0,
                losses=0,
                replays_asked=0,
                store_outages=0,
                store_away_s=0.0,
                lag_s=None,
                charts={},
                holes=0,
            )
        ledger = record.ledger
        return Stats(
            connected=consumer.received.connected,
            messages=consumer.received.messages,
            events_written=record.written.events,
            dead_letters=record.written.dead,
            losses=record.written.losses,
            replays_asked=self._asker.requests,
            store_outages=record.outages,
            store_away_s=record.away_s,
            lag_s=record.written.lag_s,
            charts={feed.name: feed.stats for feed in self._feeds},
            holes=sum(len(ledger.holes(series)) for series in ledger.all_series()),
        )

    async def _consume(self, consumer: Consumer) -> None:
        settings = self._settings
        choice = BrokerChoice(
            (settings.broker, *settings.standbys),
            uniform=self._uniform,
            mono_s=self._clock.mono_s,
            patience_s=settings.patience_s,
        )
        outage = _Outage()
        while True:
            broker, began_s = choice.broker, self._clock.mono_s()
            looking = asyncio.create_task(
                look_for_better(choice, settings.client_id, self._sleep), name="historian broker"
            )
            try:
                await consumer.run(broker, partial(outage.end, broker.name), looking.done)
                await looking
            except BetterBroker as better:
                choice.turn_to(better)
            except MqttError as err:
                was_up, before = outage.is_over, choice.takeovers
                outage.begin(broker.name, err)
                wait_s = choice.failed(began_s, err.reason_code, was_up=was_up)
                if choice.takeovers > before:
                    _log.error("sessions of %s end at once: two historians?", settings.client_id)
                await self._sleep(wait_s)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    async def _plan_shifts(self, record: Record) -> None:
        if not self._shifts.calendars:
            await self._planned_anew.wait()
        while True:
            self._planned_anew.clear()
            await record.plan_shifts(self._shifts)
            await self._until_planned_anew(REPLAN_S)

    async def _until_planned_anew(self, at_most_s: float) -> None:
        waits = [
            asyncio.ensure_future(self._sleep(at_most_s)),
            asyncio.ensure_future(self._planned_anew.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _open_sql(self) -> Store:
        return SqlStore.open(self._settings.sql.url, zone=ZoneInfo(self._settings.timezone))


class _Outage:
    """Logs an outage of the broker when it begins and when it ends."""

    def __init__(self) -> None:
        self._is_on = False
        self._was_up = False

    @property
    def is_over(self) -> bool:
        """Whether there was a connection since the last failure."""
        return self._was_up

    def begin(self, broker: str, err: MqttError) -> None:
        """Note a failure."""
        if not self._is_on:
            _log.warning("broker %s is away: %s", broker, err)
        self._is_on, self._was_up = True, False

    def end(self, broker: str) -> None:
        """Note a connection."""
        if self._is_on:
            _log.warning("broker %s is back", broker)
        self._is_on, self._was_up = False, True
