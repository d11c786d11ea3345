from itertools import islice

from gateway.publish.timing import Pace, Timing, delays
from tests.support.clock import FakeClock


def test_waits_double_up_to_a_minute_with_full_jitter() -> None:
    asked: list[tuple[float, float]] = []

    def half(low: float, high: float) -> float:
        asked.append((low, high))
        return high / 2

    assert list(islice(delays(half), 8)) == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert {low for low, _ in asked} == {0.0}


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
