from gateway.publish.timing import Pace, Timing
from tests.support.clock import FakeClock


async def test_a_pace_bounds_the_rate_over_any_longer_time() -> None:
    clock = FakeClock()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    pace = Pace(100.0, Timing(clock=clock, sleep=sleep))
    began_s = clock.mono_s()
    for _ in range(300):
        await pace.step()
    assert 2.9 < clock.mono_s() - began_s <= 3.0


async def test_a_rest_saves_up_no_burst() -> None:
    clock = FakeClock()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    pace = Pace(100.0, Timing(clock=clock, sleep=sleep))
    await pace.step()
    clock.advance(3600)
    for _ in range(20):
        await pace.step()
    assert sum(slept) > 0.1
