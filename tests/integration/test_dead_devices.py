"""What dead devices cost the living, and how soon one that comes back is read.

Counted where it matters: at the devices.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from drivers.contract import Batch, Driver, TagRequest
from drivers.modbus import SPECS
from drivers.modbus.settings import LinkSettings
from gateway.collect.poller import Poller, taken
from tests.support.dead_devices import DEATHS
from tests.support.modbus_device import HR, Asked, Device, device
from tests.support.modbus_lines import LINES
from tests.support.patient_loop import LoopClock
from tests.support.ports import HOST
from tests.support.until import until

pytestmark = pytest.mark.alone

INTERVAL_S = 0.25
TIMEOUT_MS = 200
SCANS = 12
TOLERANCE = 0.10
TRIES = 3
"""A busy machine is no dead device: one calm stretch is enough, a defect leaves none."""


@dataclass
class Seen:
    """Who is told what the links bring."""

    batches: list[tuple[str, Batch]] = field(default_factory=list)

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        self.batches.append((link, batch))
        return taken()

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        """Nothing: the poller counts."""


@dataclass
class Living:
    """A device that notes when it is asked."""

    device: Device
    asked_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device.put(HR, 0, 7)
        self.device.lie = self._note

    def _note(self, _: Asked, honest: bytes) -> bytes:
        self.asked_s.append(asyncio.get_running_loop().time())
        return honest

    @property
    def period_s(self) -> float:
        return (self.asked_s[-1] - self.asked_s[0]) / (len(self.asked_s) - 1)


def driver_of(link: LinkSettings) -> Driver:
    spec = SPECS[link.protocol]
    tags = [TagRequest("value", "plc", None, spec.tag_settings(address="hr:0"))]
    return spec.create(link, tags, {})


def poller_to(port: int, share: float) -> Poller:
    link = SPECS["modbus-tcp"].link_settings(
        host=HOST, port=port, timeout_ms=TIMEOUT_MS, poll_interval_ms=round(INTERVAL_S * 1000)
    )
    return Poller(
        str(port),
        driver_of(link),
        Seen(),
        clock=LoopClock(),
        sleep=asyncio.sleep,
        share=share,
    )


@asynccontextmanager
async def running(pollers: Collection[Poller]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(poller.run()) for poller in pollers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def periods_s(living: Sequence[Living]) -> list[float]:
    """Return how far apart the next scans of each device are."""
    for one in living:
        one.asked_s.clear()
    await until(lambda: min(len(one.asked_s) for one in living) > SCANS, timeout_s=90)
    return [one.period_s for one in living]


@pytest.mark.fault(
    35,
    injection="20 of 100 devices, then 30 of 40, are switched off, hung, unplugged, or "
    "silent after one answer",
    expectation="the others keep their period within 10 % and see no outage",
)
@pytest.mark.fault(
    30,
    injection="a fifth of the devices never answers a connection, or answers once and never again",
    expectation="the others keep their period within 10 %",
)
@pytest.mark.parametrize(("devices", "dead_ones"), [(100, 20), (40, 30)])
async def test_the_dead_leave_the_others_their_period(devices: int, dead_ones: int) -> None:
    async with AsyncExitStack() as plant:
        living = [
            Living(await plant.enter_async_context(device())) for _ in range(devices - dead_ones)
        ]
        deaths = itertools.islice(itertools.cycle(DEATHS.values()), dead_ones)
        ports = [await plant.enter_async_context(death()) for death in deaths]
        dead = [poller_to(port, number / dead_ones) for number, port in enumerate(ports)]
        alive = [
            poller_to(one.device.port, number / len(living)) for number, one in enumerate(living)
        ]
        await plant.enter_async_context(running([*alive, *dead]))
        await until(lambda: all(poller.stats.failures for poller in dead), timeout_s=90)
        for _ in range(TRIES):
            worst_s = max(await periods_s(living))
            if worst_s < INTERVAL_S * (1 + TOLERANCE):
                break
        assert worst_s < INTERVAL_S * (1 + TOLERANCE)
        assert all(not poller.stats.outages for poller in alive)
        assert not any(poller.stats.online for poller in dead)


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.fault(
    30,
    injection="the device is switched off, hung, silent after one answer, or every packet "
    "to it is dropped",
    expectation="an outage, and tried again",
)
async def test_each_way_to_be_dead_is_an_outage_and_is_tried_again(death: str) -> None:
    async with DEATHS[death]() as port:
        poller = poller_to(port, 0.0)
        async with running([poller]):
            await until(lambda: poller.stats.failures >= 2)
    assert not poller.stats.online


@pytest.mark.parametrize("transport", ["modbus-tcp", "modbus-tcp, fast", "modbus-rtu"])
@pytest.mark.fault(
    27,
    injection="the device is stopped for three tries and started again",
    expectation="the first value within one interval and the time to connect",
)
async def test_values_flow_within_one_interval_and_the_connect_time_after_a_restart(
    transport: str,
) -> None:
    interval_s = 1.0
    async with LINES[transport]() as line:
        line.device.put(HR, 0, 7)
        link = line.link(poll_interval_ms=1000, timeout_ms=500)
        seen = Seen()
        poller = Poller(
            "plc",
            driver_of(link),
            seen,
            clock=LoopClock(),
            sleep=asyncio.sleep,
            uniform=lambda _low, high: high,
        )
        async with running([poller]):
            await until(lambda: seen.batches)
            await line.device.stop()
            # So long that a wait which doubles with each try would be four seconds or more.
            await until(lambda: poller.stats.failures >= 3)
            seen.batches.clear()
            line.device.put(HR, 0, 8)
            await line.device.start()
            async with asyncio.timeout(interval_s + link.timeout_ms / 1000):
                await until(lambda: seen.batches)
            _, first = seen.batches[0]
    assert first.changed == {"value": 8}
