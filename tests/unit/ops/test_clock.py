from datetime import UTC

from gateway.ops.clock import SYSTEM_CLOCK, Clock
from tests.support.clock import MORNING, FakeClock


def test_the_system_clock_is_utc_and_never_falls() -> None:
    assert SYSTEM_CLOCK.now().tzinfo is UTC
    assert SYSTEM_CLOCK.mono_s() <= SYSTEM_CLOCK.mono_s()


def test_a_step_moves_the_wall_clock_only() -> None:
    fake = FakeClock()
    clock: Clock = fake
    fake.advance(2)
    fake.step(-3600)
    assert (MORNING - clock.now()).total_seconds() == 3598
    assert clock.mono_s() == 1002
