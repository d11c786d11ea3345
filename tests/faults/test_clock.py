"""The wall clock is wrong, is set, or ends its century; the machine starts anew."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.domain.events import Count, Status
from gateway.domain.vocabulary import State
from gateway.journal.epoch import draw_epoch
from gateway.journal.row import Entry
from gateway.wire.cloudevent import encode
from tests.support.clock import MORNING
from tests.support.journal import open_journal
from tests.support.plant_bench import PlantBench, plant_bench
from tests.support.publishing import PRESS, TOPICS
from tests.support.until import until

LATE = [
    datetime(2028, 2, 29, 23, 59, 59, 999000, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2038, 12, 23, 23, 59, 59, tzinfo=UTC),
]
SINCE_1970_S = round((datetime(1970, 1, 2, tzinfo=UTC) - datetime.now(UTC)).total_seconds())


def vouched_for(gateway: PlantBench) -> None:
    """Nobody but a person vouches for the clock: what the kernel says here is beside the point."""
    path = gateway.site.directory / "gateway.yaml"
    path.write_text(path.read_text("utf-8") + "clock: trusted\n", encoding="utf-8")


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.fault(
    24,
    injection="the collecting process starts in January 1970; later its clock is set (libfaketime)",
    expectation="events are kept, marked unsynced until then, and the step says by how much;"
    " every part is counted once",
)
async def test_a_boot_in_the_past_is_marked_until_the_clock_is_set(tmp_path: Path) -> None:
    async with plant_bench(tmp_path, "kill", 9, clock_may_step=True) as gateway:
        vouched_for(gateway)
        gateway.collector.set_clock(SINCE_1970_S)
        await gateway.collector.start()
        await gateway.more(60)
        gateway.collector.set_clock(0)
        await until(gateway.clock_steps, timeout_s=30)
        await gateway.more(60)
        await gateway.settle()
        await gateway.collector.stop()
        said = gateway.time_qualities()
        (step,) = set(gateway.clock_steps())
        await gateway.check_counts()
    assert set(said) == {"unsynced", "gateway"}
    assert said.index("gateway") > 60
    assert "unsynced" not in said[said.index("gateway") + 20 :]
    assert abs(step / 1000 + SINCE_1970_S) < 100


@pytest.mark.fault(
    25,
    injection="a leap day, the end of 32-bit seconds, the last day on which epochs sort as text",
    expectation="times come out of the journal and onto the wire as they went in; epochs sort",
)
@pytest.mark.parametrize("at", LATE, ids=str)
async def test_late_times_are_times(tmp_path: Path, at: datetime) -> None:
    later = at + timedelta(milliseconds=2)
    async with open_journal(tmp_path / "j.db", now=lambda: later) as journal:
        events = [
            Status(at=at, state=State.RUNNING, since=at, cause="sample"),
            Count(at=later, counter="good", kind="good", delta=1, total=1, raw=1),
        ]
        await journal.append([Entry("press-03", events)])
        rows = await journal.rows(0, 10)
        assert journal.epoch > draw_epoch(MORNING, Random(1).randrange)
    told = [
        orjson.loads(encode(row, source=TOPICS.source, place=PRESS, epoch=row.epoch, replay=False))
        for row in rows
    ]
    assert [datetime.fromisoformat(one["time"]) for one in told] == [at, later]
    assert datetime.fromisoformat(told[1]["recordedtime"]) == later


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.fault(
    26,
    injection="the process starts again with another boot id, as after a reboot",
    expectation="counts go on from the wall clock, every part is counted once",
)
async def test_another_boot_compares_by_the_wall_clock(tmp_path: Path) -> None:
    async with plant_bench(tmp_path, "kill", 11) as gateway:
        await gateway.collector.start()
        await gateway.more(60)
        await gateway.collector.kill()
        gateway.forget_boot()
        await gateway.collector.start()
        await gateway.more(60)
        await gateway.settle()
        await gateway.collector.stop()
        report = await gateway.audited()
    assert report.problems == []
