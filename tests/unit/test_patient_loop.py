import asyncio
import time

from tests.support.patient_loop import STEP_S, PatientLoop


def _machine_does_something_else(seconds: float) -> None:
    time.sleep(seconds)


async def test_a_wait_passes_in_full() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    began_s, real_s = loop.time(), time.monotonic()
    await asyncio.sleep(0.05)
    assert loop.time() - began_s >= 0.05
    assert time.monotonic() - real_s >= 0.05


async def test_time_in_which_nothing_could_run_does_not_pass() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    _machine_does_something_else(0.1)
    assert loop.time() - began_s < 2 * STEP_S


async def test_what_goes_on_in_the_loop_is_not_cut_short_by_a_busy_machine() -> None:
    async with asyncio.timeout(0.05):
        for _ in range(4):
            _machine_does_something_else(0.03)
            await asyncio.sleep(0)
