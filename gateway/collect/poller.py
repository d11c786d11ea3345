"""One loop owns one link's life: open, read, hand over; close, back off, reopen.

- A polled device that was away is read again within one interval (a second, if that is longer)
  and the time to connect, however long it was away.
- A device that connects but does not answer is asked less and less often, a minute apart at most.
- Time in which this process did not run is not observed time: the link counts as lost.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from drivers.contract import (
    BadReply,
    Batch,
    Driver,
    DriverError,
    Misconfigured,
    Rejected,
    Session,
    TagGroup,
    Unreachable,
)
from drivers.turn import Turn
from gateway.collect.schedule import Schedule
from gateway.ops.backoff import MAX_DELAY_S, Uniform, delays
from gateway.ops.clock import Clock

_log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]
DEFECT = "Defect"
"""How a link failed that broke by our own doing."""
REOPEN_S = 1.0
"""A device that is not there is not called more often, however short its interval."""
HELD_UP_S = 10.0
"""Who wakes so much later than it meant to was stopped: nobody looked in between."""


class Receiver(Protocol):
    """Who is told what a link brings; `gateway.collect.deriver.Deriver` is."""

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        """Take in one batch at once; awaiting what is returned ends after the commit."""
        ...

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        """Take in that a link has no session."""
        ...


@dataclass(slots=True)
class LinkStats:
    """What one link has done since the start."""

    online: bool = False
    reads: int = 0
    failures: int = 0
    """In a row, since the link last answered."""
    outages: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """How a try ended (a class of `DriverError`, or `DEFECT`) -> how often."""
    read_mono_s: float | None = None
    """When the last reply came; None before the first."""
    rtt_s: float | None = None


class Poller:
    """Reads one link for ever. Ends by cancellation only."""

    def __init__(
        self,
        link: str,
        driver: Driver,
        receiver: Receiver,
        *,
        clock: Clock,
        sleep: Sleep,
        until: Callable[[float], Awaitable[object]] | None = None,
        uniform: Uniform = random.uniform,
        share: float = 0.0,
    ) -> None:
        """``share`` (0..1) is the link's place among all, to spread their scans.

        ``until`` waits for a monotonic moment; what waits for the same one may wake together.
        """
        self.link = link
        self.stats = LinkStats()
        self._driver = driver
        self._receiver = receiver
        self._clock = clock
        self._sleep = sleep
        self._until = until or self._sleep_until
        self._uniform = uniform
        self._share = share
        self._waits: Iterator[float] = iter(())
        self._session: Session | None = None
        self._turn = Turn()
        """To read: in the loop, or out of turn."""

    async def run(self) -> None:
        """Open, read until the session is of no use, and start over."""
        self._waits = delays(self._uniform)
        while True:
            is_reached = False
            try:
                async with self._driver.open() as session:
                    is_reached = True
                    try:
                        await self._read(session)
                    finally:
                        self._session = None
            except Misconfigured as err:
                await self._lost(err)
                await self._sleep(MAX_DELAY_S)
            except DriverError as err:
                await self._lost(err)
                await self._sleep(self._pause_s(is_reached=is_reached))

    def _pause_s(self, *, is_reached: bool) -> float:
        """Return how long to wait before the next try.

        A device that takes the connection and is silent holds up those that share its line:
        longer and longer. Where nobody takes the connection nobody is held up, and a device
        that was restarted is to be read within an interval.
        """
        intervals_s = [g.poll_interval_s for g in self._driver.groups if g.poll_interval_s]
        if is_reached or not intervals_s:
            return next(self._waits)
        every_s = min(max(min(intervals_s), REOPEN_S), MAX_DELAY_S)
        return self._uniform(every_s / 2, every_s)

    async def _read(self, session: Session) -> None:
        pushed = [group for group in self._driver.groups if group.poll_interval_s is None]
        if pushed:
            while True:
                await self._take(await session.read(pushed))
        self._session = session
        now_s = self._clock.mono_s()
        schedule = Schedule(self._driver.groups, now_s, self._share)
        commit: Awaitable[object] = taken()
        while True:
            groups = schedule.due(now_s)
            if not self._turn.taken_at_once():
                await self._turn.come()
            try:
                await commit  # of the last reading: never two under way
                try:
                    batch = await session.read(groups)
                except Rejected as err:
                    batch = self._refused(err, groups)
                commit = self._take(batch)
            finally:
                self._turn.over()
            read_s = max(now_s, self._clock.mono_s())
            wake_s = schedule.after(groups, read_s)
            await self._until(wake_s)
            now_s = max(wake_s, self._clock.mono_s())  # a timer may be a little early
            if now_s - wake_s > HELD_UP_S:
                self._check_awake(now_s - wake_s, after_s=wake_s - read_s)

    def _check_awake(self, late_s: float, *, after_s: float) -> None:
        if late_s > after_s:
            raise Unreachable(
                self._driver.endpoint,
                f"not read: the gateway itself was held up for {late_s:.0f} s",
                "a paused machine, a stopped process, too little CPU",
            )

    async def _sleep_until(self, when_s: float) -> None:
        await self._sleep(max(0.0, when_s - self._clock.mono_s()))

    async def read_now(self) -> None:
        """Read every polled tag out of turn; return after the commit, or if there is no session.

        A pushed link has nothing to ask for: what changed is on its way. An error is left
        to the loop, which meets it at its own next read.
        """
        await self._turn.come()
        try:
            if self._session is not None:
                await self._read_out_of_turn(self._session)
        finally:
            self._turn.over()

    async def _read_out_of_turn(self, session: Session) -> None:
        groups = [group for group in self._driver.groups if group.poll_interval_s is not None]
        try:
            batch = await session.read(groups)
        except Rejected as err:
            batch = self._refused(err, groups)
        except DriverError as err:
            _log.debug("link %s: not read out of turn: %s", self.link, err)
            return
        await self._take(batch)

    def _refused(self, err: Rejected, groups: Collection[TagGroup]) -> Batch:
        """Return what a "no" of the device means: its tags are bad, not its link."""
        self.stats.failures += 1
        self.stats.failed[_kind(err)] += 1
        _log.debug("link %s: refused: %s", self.link, err.reason)
        keys = frozenset[str]().union(*(group.keys for group in groups))
        return Batch(
            read_at=self._clock.now(),
            mono_s=self._clock.mono_s(),
            covers=keys,
            bad=dict.fromkeys(keys, "device_refused"),
        )

    def _take(self, batch: Batch) -> Awaitable[object]:
        if not self.stats.online:
            self.stats.online = True
            self.stats.failures = 0
            self._waits = delays(self._uniform)
            _log.info("link %s online (%s)", self.link, self._driver.endpoint)
        self.stats.reads += 1
        self.stats.read_mono_s = batch.mono_s
        self.stats.rtt_s = batch.rtt_s
        return self._receiver.observe(self.link, batch)

    async def _lost(self, err: Exception) -> None:
        first = self.stats.online or self.stats.failures == 0
        self.stats.failures += 1
        self.stats.failed[_kind(err)] += 1
        if self.stats.online:
            self.stats.online = False
            self.stats.outages += 1
        level = logging.WARNING if first else logging.DEBUG
        _log.log(level, "link %s offline: %s", self.link, err)
        if first:
            await self._receiver.lose(self.link, err, self.stats.failures)

    async def failed(self, err: Exception) -> None:
        """Take in that this loop itself broke; `guard` starts it again."""
        await self._lost(err)


def _kind(err: Exception) -> str:
    """Return the class the contract knows; what a driver derives from it stays its own."""
    known = (Rejected, BadReply, Misconfigured, Unreachable)
    return next((kind.__name__ for kind in known if isinstance(err, kind)), DEFECT)


def taken() -> asyncio.Future[None]:
    """Return what to await where there is nothing to wait for."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


async def read_all_now(pollers: Iterable[Poller]) -> None:
    """Read several links out of turn, side by side; return when all are done.

    Whatever goes wrong, a defect too, is left to the link's own loop, which is guarded;
    who asked for the reading goes on without it.
    """
    await asyncio.gather(*(poller.read_now() for poller in pollers), return_exceptions=True)
