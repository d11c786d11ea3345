"""Tags read again and again, against a device that comes and goes."""

from collections.abc import AsyncIterator, Sequence

import pytest

from drivers import registry
from gateway.commission.reading import Row, read_rounds
from gateway.commission.target import NoTarget, Target, typed, typed_tags
from tests.support.modbus_device import HR, Device, device
from tests.support.until import until


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, 7, 8)
        yield running


def target(plc: Device) -> Target:
    link = typed(f"modbus-tcp://127.0.0.1:{plc.port}/1?timeout_ms=100")
    return typed_tags(link, {"a": {"address": "hr:0"}, "b": {"address": "hr:1"}})


class Rounds:
    """Keeps what was shown; between two rounds something happens."""

    def __init__(self) -> None:
        self.shown: list[Sequence[Row]] = []
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.between()

    async def between(self) -> None:
        """Nothing."""

    def values(self) -> list[list[object]]:
        return [[row.reading.value for row in rows] for rows in self.shown]


async def test_rounds_over_one_connection(plc: Device) -> None:
    rounds = Rounds()
    good = await read_rounds(
        [target(plc)], rounds.shown.append, sleep=rounds.sleep, every_s=2.0, rounds=3
    )
    assert good
    assert rounds.values() == [[7, 8]] * 3
    assert plc.accepted == 1
    assert [1.5 < one <= 2.0 for one in rounds.slept] == [True, True]
    await until(lambda: plc.connections == 0)


async def test_since_when_a_value_is_the_same(plc: Device) -> None:
    class Changing(Rounds):
        async def between(self) -> None:
            plc.put(HR, 0, 70 + len(self.shown))

    rounds = Changing()
    await read_rounds([target(plc)], rounds.shown.append, sleep=rounds.sleep, rounds=3)
    first, second, third = rounds.shown
    assert first[0].since < second[0].since < third[0].since
    assert first[1].since == second[1].since == third[1].since


async def test_a_device_that_goes_and_comes_back(plc: Device) -> None:
    class Outage(Rounds):
        async def between(self) -> None:
            await (plc.stop() if len(self.shown) == 1 else plc.start())

    rounds = Outage()
    await read_rounds([target(plc)], rounds.shown.append, sleep=rounds.sleep, rounds=3)
    assert rounds.values() == [[7, 8], [None, None], [7, 8]]
    bad = rounds.shown[1][0]
    assert (bad.quality, bad.reading.cause) == ("bad", "no_link")
    assert bad.why is not None


async def test_one_dead_link_does_not_stop_the_other(plc: Device) -> None:
    dead = typed_tags(typed("modbus-tcp://127.0.0.1:1/1"), {"x": {"address": "hr:0"}})
    rounds = Rounds()
    good = await read_rounds([dead, target(plc)], rounds.shown.append, sleep=rounds.sleep, rounds=1)
    assert not good
    assert rounds.values() == [[None, 7, 8]]


async def test_a_recording_is_not_read_like_this() -> None:
    spec = registry.spec("replay")
    one = Target("case", spec, spec.link_settings(file="case.jsonl"))
    with pytest.raises(NoTarget):
        await read_rounds([one], lambda _rows: None, sleep=Rounds().sleep, rounds=1)
