import asyncio
import logging
from collections.abc import Awaitable, Sequence

import pytest

from drivers.contract import Batch, Misconfigured, Rejected, TagGroup, Unreachable
from gateway.collect.guard import guard
from gateway.collect.poller import HELD_UP_S, REOPEN_S, Poller, read_all_now, taken
from gateway.journal.errors import JournalFailed
from gateway.ops.backoff import MAX_DELAY_S
from tests.support.clock import FakeClock
from tests.support.fake_driver import FakeDriver, FakeSession, Step
from tests.support.until import until

POLLED = TagGroup("plc", 1.0, frozenset({"press-07/run"}))
PUSHED = TagGroup("cnc", None, frozenset({"press-07/run"}))
GONE = Unreachable("fake:1", "connection refused")


class Recorder:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.commit: asyncio.Future[None] | None = None

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        self.seen.append(f"{link}: {dict(batch.changed) or dict(batch.bad)}")
        return self.commit or taken()

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        self.seen.append(f"{link} lost ({failures}): {type(err).__name__}")


class Stop(Exception):
    """Ends a loop that otherwise runs for ever."""


class Bed:
    """A poller whose sleeps move a clock and end it after ``sleeps`` of them."""

    def __init__(
        self,
        *sessions: Sequence[Step] | Exception,
        group: TagGroup = POLLED,
        sleeps: int = 3,
        late_s: float = 0.0,
    ) -> None:
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.recorder = Recorder()
        self.driver = FakeDriver(*sessions, groups=[group])
        self._sleeps = sleeps
        self._late_s = late_s
        self.poller = Poller(
            "plc",
            self.driver,
            self.recorder,
            clock=self.clock,
            sleep=self._sleep,
            uniform=lambda _low, high: high,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds + self._late_s)
        if len(self.slept) >= self._sleeps:
            raise Stop

    async def run(self) -> None:
        with pytest.raises(Stop):
            await self.poller.run()

    def batch(self, **changed: bool) -> Batch:
        values = {f"press-07/{tag}": value for tag, value in changed.items()}
        return Batch(self.clock.now(), self.clock.mono_s(), POLLED.keys, values)


async def test_reads_at_its_interval() -> None:
    bed = Bed()
    batches = [bed.batch(run=True), bed.batch(), bed.batch(run=False)]
    bed.driver.script = [batches]
    await bed.run()
    assert bed.recorder.seen == [
        "plc: {'press-07/run': True}",
        "plc: {}",
        "plc: {'press-07/run': False}",
    ]
    assert all(0 < pause <= 1.0 for pause in bed.slept)


async def test_reads_again_only_after_the_commit_of_what_it_read() -> None:
    bed = Bed()
    bed.driver.script = [[bed.batch(run=True), bed.batch(run=False), bed.batch()]]
    commit = bed.recorder.commit = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(bed.run())
    await until(lambda: len(bed.slept) == 1)
    await asyncio.sleep(0)
    assert len(bed.driver.asked) == 1
    commit.set_result(None)
    await running
    assert len(bed.driver.asked) == 3


async def test_a_device_that_connects_and_is_silent_is_asked_less_and_less_often() -> None:
    bed = Bed([GONE], [GONE], [GONE], [GONE], sleeps=4)
    await bed.run()
    assert bed.slept == [1, 2, 4, 8]


@pytest.mark.parametrize(("interval_s", "pause_s"), [(0.1, REOPEN_S), (5.0, 5.0), (600.0, 60.0)])
async def test_a_device_that_is_away_is_looked_for_once_an_interval(
    interval_s: float, pause_s: float
) -> None:
    bed = Bed(GONE, GONE, GONE, GONE, sleeps=4, group=TagGroup("plc", interval_s, POLLED.keys))
    await bed.run()
    assert bed.slept == [pause_s] * 4


async def test_a_pushed_link_that_is_away_is_looked_for_less_and_less_often() -> None:
    bed = Bed(GONE, GONE, GONE, sleeps=3, group=TagGroup("plc", None, POLLED.keys))
    await bed.run()
    assert bed.slept == [1, 2, 4]


async def test_an_outage_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    bed = Bed(GONE, GONE, [GONE], GONE, sleeps=4)
    with caplog.at_level(logging.INFO, "gateway.collect"):
        await bed.run()
    assert bed.recorder.seen == ["plc lost (1): Unreachable"]
    assert [record.message for record in caplog.records] == [
        "link plc offline: fake:1: connection refused"
    ]


async def test_an_outage_is_logged_when_it_starts_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bed = Bed(sleeps=4)
    bed.driver.script = [[bed.batch(run=True), GONE], GONE, [bed.batch(run=True)]]
    with caplog.at_level(logging.INFO, "gateway.collect"):
        await bed.run()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "link plc online (fake",
        "link plc offline",
        "link plc online (fake",
    ]
    assert bed.poller.stats.outages == 1
    assert bed.driver.opened == 3
    assert bed.driver.closed == 2


async def test_what_retrying_cannot_help_waits_longest() -> None:
    bed = Bed(Misconfigured("fake:1", "bad unit"), sleeps=1)
    await bed.run()
    assert bed.slept == [MAX_DELAY_S]


async def test_a_device_that_says_no_keeps_its_session() -> None:
    bed = Bed(sleeps=2)
    bed.driver.script = [[Rejected("fake:1", "busy"), bed.batch(run=True)]]
    await bed.run()
    assert bed.recorder.seen == [
        "plc: {'press-07/run': 'device_refused'}",
        "plc: {'press-07/run': True}",
    ]
    assert bed.driver.opened == 1


async def test_a_pushed_link_reads_without_pauses() -> None:
    bed = Bed(group=PUSHED, sleeps=1)
    bed.driver.script = [[bed.batch(run=True), bed.batch(run=False), GONE]]
    await bed.run()
    assert len(bed.recorder.seen) == 3


async def test_an_order_can_have_everything_read_out_of_turn() -> None:
    bed = Bed(sleeps=2)
    asked: list[int] = []

    async def sleep(seconds: float) -> None:
        asked.append(len(bed.recorder.seen))
        if len(asked) == 1:
            await bed.poller.read_now()
        await bed._sleep(seconds)  # noqa: SLF001

    bed.poller._sleep = sleep  # noqa: SLF001 - to come between two scans
    bed.driver.script = [[bed.batch(run=True), bed.batch(run=False), bed.batch()]]
    await bed.run()
    assert bed.recorder.seen == [
        "plc: {'press-07/run': True}",
        "plc: {'press-07/run': False}",
        "plc: {}",
    ]
    assert bed.driver.opened == 1


async def test_the_loop_waits_while_something_is_read_out_of_turn() -> None:
    bed = Bed(sleeps=2)
    commit = asyncio.get_running_loop().create_future()
    reading: list[asyncio.Task[None]] = []

    async def sleep(seconds: float) -> None:
        if not reading:
            bed.recorder.commit = commit
            reading.append(asyncio.create_task(bed.poller.read_now()))
            await until(lambda: len(bed.driver.asked) == 2)
        await bed._sleep(seconds)  # noqa: SLF001

    bed.poller._sleep = sleep  # noqa: SLF001 - to come between two scans
    bed.driver.script = [[bed.batch(run=True), bed.batch(run=False), bed.batch()]]
    running = asyncio.create_task(bed.run())
    await until(lambda: bed.slept)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(bed.driver.asked) == 2
    commit.set_result(None)
    await asyncio.gather(running, *reading)
    assert len(bed.driver.asked) == 3


async def test_without_a_session_nothing_is_read_out_of_turn() -> None:
    bed = Bed(GONE, sleeps=1)
    await bed.poller.read_now()
    await bed.run()
    await bed.poller.read_now()
    assert bed.driver.asked == []


async def test_an_error_out_of_turn_is_left_to_the_loop() -> None:
    bed = Bed(sleeps=2)

    async def sleep(seconds: float) -> None:
        if not bed.slept:
            await bed.poller.read_now()
        await bed._sleep(seconds)  # noqa: SLF001

    bed.poller._sleep = sleep  # noqa: SLF001 - to come between two scans
    bed.driver.script = [[bed.batch(run=True), GONE, bed.batch()]]
    await bed.run()
    assert bed.recorder.seen == ["plc: {'press-07/run': True}", "plc: {}"]


async def test_a_defect_of_one_link_does_not_keep_another_from_being_read_now() -> None:
    broken, sound = Bed(sleeps=1), Bed(sleeps=1)

    async def sleep(seconds: float) -> None:
        await read_all_now([broken.poller, sound.poller])
        await sound._sleep(seconds)  # noqa: SLF001

    broken.poller._session = FakeSession([ZeroDivisionError()], broken.driver.asked)  # noqa: SLF001
    sound.poller._sleep = sleep  # noqa: SLF001 - to come between two scans
    sound.driver.script = [[sound.batch(run=True), sound.batch(run=False)]]
    await sound.run()
    assert broken.driver.asked == [["plc"]]
    assert len(sound.recorder.seen) == 2


async def test_cancellation_releases_the_session() -> None:
    bed = Bed(group=PUSHED)
    task = asyncio.create_task(bed.poller.run())
    await until(lambda: bed.driver.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bed.driver.closed == 1


async def test_the_guard_restarts_a_broken_loop_and_reports_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures: list[str] = []
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ZeroDivisionError

    async def failed(err: Exception) -> None:
        failures.append(type(err).__name__)

    async def sleep(_seconds: float) -> None:
        return

    await guard("plc", run, failed, sleep)
    assert failures == ["ZeroDivisionError"] * 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


async def test_the_guard_lets_a_failed_journal_through() -> None:
    async def run() -> None:
        raise JournalFailed("disk I/O error")

    async def never(_: object) -> None:
        raise AssertionError

    with pytest.raises(JournalFailed):
        await guard("plc", run, never, never)


@pytest.mark.fault(
    6,
    injection="a loop wakes 60 s late, on a clock of the test",
    expectation="the link counts as lost for that time",
)
async def test_what_nobody_looked_at_while_the_process_stood_still_is_not_observed() -> None:
    bed = Bed(sleeps=2, late_s=HELD_UP_S + 50)
    bed.driver.script = [[bed.batch(run=True), bed.batch()]]
    await bed.run()
    assert bed.recorder.seen == ["plc: {'press-07/run': True}", "plc lost (1): Unreachable"]


async def test_a_short_delay_is_no_outage() -> None:
    bed = Bed(sleeps=2, late_s=HELD_UP_S - 1)
    bed.driver.script = [[bed.batch(run=True), bed.batch()]]
    await bed.run()
    assert bed.recorder.seen == ["plc: {'press-07/run': True}", "plc: {}"]
