from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from drivers.contract import Batch, DriverError, Rejected, Session, TagGroup, Unreachable
from drivers.replay.recording import Event, Failed, Opened, Said
from drivers.replay.tap import TappedDriver

COVERS = frozenset({"a/x"})
GROUP = TagGroup("plc", 1.0, COVERS)
BATCH = Batch(datetime(2026, 3, 20, tzinfo=UTC), 5.0, COVERS, {"a/x": 1}, rtt_s=0.5)


@dataclass
class Script:
    """A driver and its session: gives the next batch or error at each step."""

    steps: list[Batch | DriverError]
    opens: bool = True
    endpoint: str = "h:1"
    groups: Collection[TagGroup] = field(default_factory=lambda: [GROUP])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        if not self.opens:
            raise Unreachable("h:1", "refused")
        yield self

    async def read(self, due: Collection[TagGroup]) -> Batch:
        assert due == [GROUP]
        step = self.steps.pop(0)
        if isinstance(step, DriverError):
            raise step
        return step


def tapped(script: Script) -> tuple[TappedDriver, list[Event]]:
    told: list[Event] = []
    clock = iter(range(100, 200))
    return TappedDriver(script, told.append, lambda: float(next(clock)), 90.0), told


async def read_all(driver: TappedDriver, times: int) -> None:
    async with driver.open() as session:
        for _ in range(times):
            assert await session.read([GROUP]) is BATCH


async def test_batches_pass_and_are_told() -> None:
    driver, told = tapped(Script([BATCH]))
    await read_all(driver, 1)
    assert told == [Opened(10.0), Said(11.0, COVERS, BATCH.read_at, {"a/x": 1}, rtt_s=0.5)]
    assert (driver.endpoint, driver.groups) == ("h:1", [GROUP])


async def test_an_error_is_told_once_wherever_it_passes() -> None:
    driver, told = tapped(Script([BATCH, Unreachable("h:1", "closed", "cable")]))
    with pytest.raises(Unreachable):
        await read_all(driver, 2)
    assert told[2:] == [Failed(12.0, "Unreachable", "closed", "cable")]


async def test_an_error_the_reader_lives_with_is_told_too() -> None:
    driver, told = tapped(Script([Rejected("h:1", "busy"), BATCH]))
    async with driver.open() as session:
        with pytest.raises(Rejected):
            await session.read([GROUP])
        await session.read([GROUP])
    assert [type(event) for event in told] == [Opened, Failed, Said]


async def test_a_session_that_does_not_open_is_told() -> None:
    driver, told = tapped(Script([], opens=False))
    with pytest.raises(Unreachable):
        await read_all(driver, 1)
    assert told == [Failed(10.0, "Unreachable", "refused")]
