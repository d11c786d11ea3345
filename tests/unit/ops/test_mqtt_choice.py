import pytest

from gateway.ops.mqtt_choice import (
    PATIENCE_S,
    STEADY_S,
    TAKEN_OVER_S,
    BetterBroker,
    BrokerChoice,
    look_for_better,
)
from gateway.ops.mqtt_terms import CLOSED, TAKEN_OVER, BrokerSettings
from tests.support.broker import mosquitto
from tests.support.clock import FakeClock

FIRST, SECOND, THIRD = (BrokerSettings(host=name) for name in ("a", "b", "c"))


def choice(clock: FakeClock, *brokers: BrokerSettings) -> BrokerChoice:
    return BrokerChoice(brokers, uniform=lambda _low, high: high, mono_s=clock.mono_s)


def test_one_broker_is_tried_for_ever_with_growing_waits() -> None:
    clock = FakeClock()
    only = choice(clock, FIRST)
    assert [only.failed(clock.mono_s()) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    began_s = clock.mono_s()
    clock.advance(STEADY_S + 1)
    assert only.failed(began_s) == 1


def test_the_next_is_tried_when_patience_ends_and_the_first_again_after_the_last() -> None:
    clock = FakeClock()
    several = choice(clock, FIRST, SECOND, THIRD)
    tried = []
    for _ in range(10):
        tried.append(several.broker.host)
        clock.advance(several.failed(clock.mono_s()) or PATIENCE_S / 2)
    assert "".join(tried).startswith("aaaaabb")
    assert set(tried) == {"a", "b", "c"}


def test_after_a_steady_session_the_order_begins_anew() -> None:
    clock = FakeClock()
    several = choice(clock, FIRST, SECOND)
    several.failed(clock.mono_s())
    clock.advance(PATIENCE_S)
    assert several.failed(clock.mono_s()) == 0.0
    assert (several.broker, several.better, several.others) == (SECOND, (FIRST,), (FIRST,))
    began_s = clock.mono_s()
    clock.advance(STEADY_S + 1)
    assert several.failed(began_s) == 1
    assert (several.broker, several.better, several.others) == (FIRST, (), (SECOND,))


def test_who_is_put_out_by_a_namesake_stays_away_longer_each_time() -> None:
    clock = FakeClock()
    only = choice(clock, FIRST)
    waits = [only.failed(clock.mono_s(), TAKEN_OVER) for _ in range(6)]
    assert min(waits) >= TAKEN_OVER_S
    assert waits == sorted(waits)
    assert only.takeovers == 6
    at_least = BrokerChoice([FIRST], uniform=lambda low, _high: low, mono_s=clock.mono_s)
    assert at_least.failed(clock.mono_s(), TAKEN_OVER) == TAKEN_OVER_S


def test_three_short_sessions_closed_without_a_word_mean_the_same() -> None:
    clock = FakeClock()
    only = choice(clock, FIRST)
    waits = [only.failed(clock.mono_s(), CLOSED, was_up=True) for _ in range(4)]
    assert waits[:2] == [1, 2]
    assert waits[2:] == [2 * TAKEN_OVER_S, 4 * TAKEN_OVER_S]
    only.failed(clock.mono_s())  # it could not be reached: that is an outage
    assert only.failed(clock.mono_s(), CLOSED, was_up=True) < TAKEN_OVER_S


async def test_a_better_broker_is_returned_to_when_it_has_let_us_in_twice() -> None:
    clock, looks = FakeClock(), 0
    with mosquitto() as broker:
        broker.kill()

        async def sleep(_seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 3:
                broker.start()

        several = at_second(clock, BrokerSettings(port=broker.port))
        with pytest.raises(BetterBroker) as caught:
            await look_for_better(several, "gw", sleep)
    several.turn_to(caught.value)
    assert (looks, several.better) == (4, ())


def at_second(clock: FakeClock, first: BrokerSettings) -> BrokerChoice:
    several = choice(clock, first, SECOND)
    several.failed(clock.mono_s())
    clock.advance(PATIENCE_S)
    several.failed(clock.mono_s())
    return several
