import pytest

from gateway.publish.flood import BURST, RATE_PER_S, FloodGate, Verdict
from tests.support.clock import FakeClock


def test_a_burst_is_obeyed_and_a_flood_is_not(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    gate = FloodGate(clock.mono_s)
    assert {gate.judge("t") for _ in range(BURST)} == {Verdict.OBEY}
    flood = [gate.judge("t") for _ in range(100)]
    assert set(flood) == {Verdict.REFUSE, Verdict.IGNORE}
    assert 0 < flood.count(Verdict.REFUSE) < 10
    clock.advance(1)
    later = [gate.judge("t") for _ in range(100)]
    assert later.count(Verdict.OBEY) == RATE_PER_S
    assert gate.kept_out == 100 + 100 - RATE_PER_S
    clock.advance(60)
    assert gate.judge("t") is Verdict.OBEY
    assert len(caplog.records) == 2  # when it begins and when it ends
