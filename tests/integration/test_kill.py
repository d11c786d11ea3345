"""kill -9 of the collector at random moments: the store says what could be known."""

import asyncio
import random
from pathlib import Path

import pytest

from simulators.audit import AuditReport
from tests.support.plant_bench import PlantBench, plant_bench

pytestmark = pytest.mark.alone

KILLS_A_RUN = 20


async def _killed(directory: Path, times: int, seed: int) -> tuple[PlantBench, AuditReport]:
    chance = random.Random(seed)
    async with plant_bench(directory, "kill", seed) as gateway:
        await gateway.collector.start()
        await gateway.knows_every_counter()
        for _ in range(times):
            await gateway.committed_more()
            await asyncio.sleep(chance.uniform(0.0, 1.2))
            await gateway.collector.kill()
            await asyncio.sleep(chance.uniform(0.0, 0.8))
            await gateway.collector.start()
        await gateway.committed_more()  # it runs again: only then is silence the plant's
        await gateway.keeps_time()
        await gateway.settle()
        await gateway.collector.stop()
        return gateway, await gateway.audited()


def _judge(gateway: PlantBench, report: AuditReport, times: int) -> None:
    assert report.problems == []
    assert len(gateway.collector.kills) == times
    # On a busy machine a lap nobody could see stands in `refused`: the audit holds that.
    assert report.parts_observable >= report.parts_stored > 0
    assert report.states_observable == report.states_stored > 0
    assert gateway.stored_twice() == 0


@pytest.mark.timeout(900)
@pytest.mark.fault(
    1,
    injection="kill -9 of the collecting process, 20 times, 0 to 1.2 s after a commit",
    expectation="every part and every state that could be seen is stored once, no hole in time",
)
async def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    _judge(*await _killed(tmp_path, KILLS_A_RUN, seed=7), KILLS_A_RUN)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.fault(
    1,
    injection="kill -9 of the collecting process, 1,000 times, 0 to 1.2 s after a commit",
    expectation="every part and every state that could be seen is stored once, no hole in time",
)
@pytest.mark.parametrize("seed", range(50))
async def test_a_thousand_kills_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    _judge(*await _killed(tmp_path, KILLS_A_RUN, seed=100 + seed), KILLS_A_RUN)
