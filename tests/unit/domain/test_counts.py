from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.counts import MAX_TOTAL, Reading, raw_steps, read
from gateway.domain.events import Count
from gateway.domain.rules import CounterRule
from gateway.domain.state import CounterState
from tests.unit.domain.scene import Play, lost, moment, of_type, press, seen, started

RULE = CounterRule("good", "good_parts", "good", modulus=65536, max_rate_per_s=5)
"""It may make 8 in a second and 5 at one stroke: 13 after a second."""


def held(raw: int, total: int = 1000) -> CounterState:
    return CounterState("", raw, moment(0), total, "good", "1", part_at=moment(0))


def reading(raw: int, second: float = 1, since: float = 0, /, **changes: Any) -> Reading:
    return Reading(shown=raw, raw=raw, now=moment(second), since=moment(since), **changes)


def believed(
    before: CounterState, raw: int, rule: CounterRule = RULE, /, dt: float = 1, **changes: Any
) -> tuple[CounterState, Count]:
    """Read the same until it is believed."""
    state, event = read(before, reading(raw, dt, **changes), rule)
    for n in range(1, rule.confirm_reads):
        if event is None:
            state, event = read(state, reading(raw, dt + n * 0.01, **changes), rule)
    assert event is not None
    return state, event


@pytest.mark.parametrize(
    ("previous", "current", "changes", "dt", "delta", "anomaly"),
    [
        (100, 105, {}, 1, 5, "none"),
        (100, 113, {}, 1, 13, "none"),
        (65534, 3, {}, 1, 5, "rollover"),
        (65535, 0, {}, 1, 1, "rollover"),
        (9998, 2, {"modulus": 10_000}, 1, 4, "rollover"),
        (5000, 3, {}, 1, 3, "reset"),
        (5000, 0, {}, 1, 0, "reset"),
        (65_400, 3, {}, 1, 3, "reset"),
        (65_530, 3, {}, 1, 9, "rollover"),  # a reset is possible too: the top was near
        (5000, 4000, {}, 1, 0, "preset"),
        (5000, 4000, {"on_decrease": "reset_from_zero"}, 1, 4000, "reset"),
        (5000, 3, {"on_decrease": "rebaseline"}, 1, 0, "preset"),
        (5000, 3, {"max_rate_per_s": None, "modulus": None}, 1, 0, "preset"),
        (100, 90_000, {"max_rate_per_s": None, "modulus": None}, 1, 89_900, "none"),
        (100, 300, {}, 10_000, 200, "rollover_ambiguous"),
        (300, 100, {}, 10_000, 100, "rollover_ambiguous"),
        (300, 100, {"on_decrease": "rebaseline"}, 10_000, 0, "rollover_ambiguous"),
        (100, 103, {"factor": 4}, 1, 12, "none"),
        (100, 600, {}, 1, 0, "jump"),
    ],
)
@pytest.mark.fault(
    38,
    injection="reset, preset, jump, decrease, rollover: each row of the counter rules",
    expectation="exactly the delta and the anomaly the contract names",
)
def test_the_table(
    previous: int, current: int, changes: dict[str, Any], dt: float, delta: int, anomaly: str
) -> None:
    after, event = believed(held(previous), current, replace(RULE, **changes), dt=dt)
    assert (event.delta, event.anomaly) == (delta, anomaly)
    assert (after.total, after.raw, after.pending) == (1000 + delta, current, None)
    assert event.total == after.total


def test_the_first_reading_is_a_baseline() -> None:
    after, event = read(None, reading(4711), RULE)
    assert event is not None
    assert (event.delta, event.total, event.anomaly, event.raw) == (0, 0, "baseline", 4711)
    assert after.raw == 4711


def test_nothing_made_is_no_event() -> None:
    before = held(100)
    assert read(before, reading(100), RULE) == (before, None)
    assert read(before, reading(100), RULE)[0] is before


def test_another_meaning_keeps_the_total_and_is_a_baseline() -> None:
    before = replace(held(100), carry=1, withheld=5)
    after, event = read(before, reading(7), replace(RULE, identity="hr:9"))
    assert event is not None
    assert (event.anomaly, event.delta, after.total, after.raw) == ("baseline", 0, 1000, 7)
    assert (after.carry, after.withheld) == (0, 0)


@pytest.mark.parametrize(("blind", "delta", "anomaly"), [(False, 0, "jump"), (True, 500, "gap")])
@pytest.mark.fault(
    38,
    injection="a step beyond the machine's rate",
    expectation="believed only when it stands for two reads",
)
def test_a_step_too_large_must_stand_for_two_reads(blind: bool, delta: int, anomaly: str) -> None:
    waiting, event = read(held(100), reading(600, 1, 0, blind=blind), RULE)
    assert event is None
    assert (waiting.raw, waiting.total) == (100, 1000)
    after, event = read(waiting, reading(601, 2, 0, blind=blind), RULE)
    assert event is not None
    assert (event.delta, event.anomaly, after.raw) == (delta + blind, anomaly, 601)
    assert event.refused == (0 if blind else 501)


def test_a_believing_counter_takes_a_doubtful_reading_at_once() -> None:
    assert read(held(100), reading(600), replace(RULE, confirm_reads=1))[1] is not None


@pytest.mark.parametrize("torn", [0, 60_000, 131_071 % 65_536])
@pytest.mark.fault(
    39,
    injection="one reading with a torn or swapped word",
    expectation="no delta, no phantom jump",
)
def test_one_torn_reading_is_forgotten(torn: int) -> None:
    waiting, event = read(held(40_000), reading(torn), RULE)
    assert event is None
    after, event = read(waiting, reading(40_002, 2, 0), RULE)
    assert event is not None
    assert (event.delta, event.anomaly, after.pending) == (2, "none", None)


def test_a_torn_reading_costs_no_part_made_meanwhile() -> None:
    counter = held(100)
    for n in range(1, 4):
        counter, event = read(counter, reading(60_000 - 100 * n, n, 0), RULE)
        assert event is None
    after, event = read(counter, reading(132, 4, 0), RULE)
    assert event is not None
    assert (event.delta, after.raw) == (32, 132)


def test_a_doubtful_reading_that_goes_back_to_the_old_one_is_forgotten() -> None:
    waiting, _ = read(held(100), reading(60_000), RULE)
    after, event = read(waiting, reading(100, 2, 0), RULE)
    assert event is None
    assert after.pending is None


def test_a_machine_faster_than_its_rate_is_told_and_not_silent() -> None:
    counter, told, refused = held(0), 0, 0
    for n in range(1, 61):
        counter, event = read(counter, reading(100 * n, n, n - 1), RULE)
        if event is not None:
            assert (event.anomaly, event.delta) == ("jump", 0)
            told, refused = told + 1, refused + int(event.refused)
    assert told == 10
    assert refused == 6000


def test_a_register_that_shows_anything_is_given_up_and_followed() -> None:
    counter, anomalies = held(30_000), []
    for n in range(1, 25):
        raw = n * 40_503 % 65_536
        counter, event = read(counter, reading(raw, n, n - 1), RULE)
        anomalies += [] if event is None else [(event.anomaly, event.delta)]
    assert len(anomalies) == 4
    assert {anomaly for anomaly, _ in anomalies} <= {"jump", "preset"}
    assert {delta for _, delta in anomalies} == {0}


def test_a_reset_is_booked_with_what_was_made_until_it_was_believed() -> None:
    waiting, event = read(held(30_000), reading(1), RULE)
    assert event is None
    _, event = read(waiting, reading(4, 2, 0), RULE)
    assert event is not None
    assert (event.delta, event.anomaly, event.window_from) == (4, "reset", moment(0).at)


def test_boxes_of_a_dozen_come_at_one_stroke() -> None:
    rule = replace(RULE, max_rate_per_s=12, modulus=None)
    _, event = read(held(100), reading(112, 0.1), rule)
    assert event is not None
    assert (event.delta, event.anomaly) == (12, "none")


@pytest.mark.fault(
    40,
    injection="a gap in which the counter may have gone round",
    expectation="rollover_ambiguous, only what is certain is booked",
)
def test_after_more_than_a_lap_only_the_least_is_booked() -> None:
    _, event = believed(held(60_000), 100, dt=20_000)
    assert (event.delta, event.refused, event.anomaly) == (100, 5536, "rollover_ambiguous")
    _, event = believed(held(100), 60_000, dt=20_000)
    assert (event.delta, event.refused) == (59_900, 0)


@pytest.mark.parametrize(
    ("value", "changes", "steps"),
    [
        (-1, {}, 65535),  # a signed register past its upper half
        (-32_768, {}, 32_768),
        (-32_769, {}, None),
        (65_535, {}, 65_535),
        (65_536, {}, None),
        (-1, {"modulus": 10_000}, None),  # BCD is never negative
        (10_000, {"modulus": 10_000}, None),
        (-2_147_483_648, {"modulus": 2**32}, 2**31),
        (-2_147_483_648, {"modulus": None}, None),
        (12.34, {"modulus": None, "resolution": 0.01}, 1234),
        (2**53 - 1, {"modulus": None}, 2**53 - 1),
        (2**53, {"modulus": None}, None),
        (1e300, {"modulus": None, "resolution": 0.001}, None),
        (10**400, {"modulus": None, "resolution": 0.001}, None),
        (float("nan"), {}, None),
        (float("inf"), {}, None),
        (True, {}, None),
        ("7", {}, None),
    ],
)
def test_raw_steps(value: Value, changes: dict[str, Any], steps: int | None) -> None:
    assert raw_steps(value, replace(RULE, **changes)) == steps


@pytest.mark.parametrize(
    ("factor", "parts", "made"),
    [(0.5, 5, 2), (0.1, 10, 1), (2.5, 3, 7), (1 / 3, 300, 100), (4, 7, 28), (0.001, 999, 0)],
)
def test_a_fraction_of_a_part_is_carried(factor: float, parts: int, made: int) -> None:
    rule = replace(RULE, factor=factor)
    counter = held(0, 0)
    for n in range(1, parts + 1):
        counter, event = read(counter, reading(n, n, n - 1), rule)
        assert event is not None
    assert counter.total == made


def test_a_total_ends_below_2_to_the_53() -> None:
    after, event = read(held(0, MAX_TOTAL - 2), reading(5), RULE)
    assert event is not None
    assert (event.delta, event.refused, after.total) == (2, 3, MAX_TOTAL)


def test_what_does_not_count_is_refused_by_the_next_that_does() -> None:
    counter = held(100)
    for n in range(1, 4):
        counter, event = read(counter, reading(100 + n, n, n - 1, counting=False), RULE)
        assert event is None
    after, event = read(counter, reading(105, 4, 3), RULE)
    assert event is not None
    assert (event.delta, event.refused, event.anomaly) == (2, 3, "none")
    assert (after.withheld, after.total, event.cycle_time_ms) == (0, 1002, None)


def test_cycle_time_is_given_for_few_pieces_only() -> None:
    def cycle_ms(raw: int, **changes: Any) -> int | None:
        event = read(held(100), reading(raw, 3, 0, **changes), RULE)[1]
        assert event is not None
        return event.cycle_time_ms

    assert cycle_ms(102) == 1500
    assert cycle_ms(105) is None


def test_no_cycle_time_where_nobody_saw_the_last_part() -> None:
    for before in (
        replace(held(100), part_at=None),
        replace(held(100), dark_since=moment(0)),
    ):
        event = read(before, reading(101), RULE)[1]
        assert event is not None
        assert event.cycle_time_ms is None
    counter, _ = read(None, reading(7), RULE)
    counter, first = read(counter, reading(8, 5, 1), RULE)
    _, second = read(counter, reading(9, 7, 5), RULE)
    assert first is not None
    assert second is not None
    assert (first.cycle_time_ms, second.cycle_time_ms) == (None, 2000)


def test_the_machine_may_measure_its_cycle_itself() -> None:
    rule = replace(RULE, cycle_time_tag="cycle")
    event = read(held(100), reading(106, 1, 0, cycle_time_ms=412), rule)[1]
    assert event is not None
    assert event.cycle_time_ms == 412
    event = read(held(100), reading(101), replace(RULE, kind="energy"))[1]
    assert event is not None
    assert event.cycle_time_ms is None


def test_parts_made_while_the_gateway_was_down_are_booked() -> None:
    play = Play().awake()
    play.feed(started(10, last_alive=2), seen(11, good_parts=130, run=False, ready=True))
    data = of_type(play.events, "count")
    assert [(row["delta"], row["anomaly"]) for row in data] == [(30, "none")]
    assert data[0]["window"] == {
        "from": "2026-03-20T01:00:02.000Z",
        "to": "2026-03-20T01:00:11.000Z",
    }


def test_an_implausible_step_over_an_outage_is_a_gap() -> None:
    play = Play(press()).awake()
    play.feed(seen(2), lost(3), seen(4, good_parts=5000), seen(5), seen(6, good_parts=5001))
    data = of_type(play.events, "count")
    assert [(row["delta"], row["anomaly"]) for row in data] == [(4900, "gap"), (1, "none")]


def test_parts_made_while_the_register_could_not_be_read_are_booked() -> None:
    play = Play().awake()
    bad = {"good_parts": "device_refused"}
    play.feed(seen(2), *(seen(3 + n, bad) for n in range(5)), seen(8, good_parts=120))
    data = of_type(play.events, "count")
    assert [(row["delta"], row["anomaly"]) for row in data] == [(20, "none")]
    assert data[0]["window"]["from"] == "2026-03-20T01:00:02.000Z"


def test_an_implausible_step_over_a_bad_register_is_a_gap() -> None:
    play = Play().awake()
    play.feed(seen(2, {"good_parts": "device_refused"}))
    play.feed(seen(3, good_parts=5000), seen(4), seen(5))
    data = of_type(play.events, "count")
    assert [(row["delta"], row["anomaly"]) for row in data] == [(4900, "gap")]


@given(
    steps=st.lists(st.integers(0, 9), max_size=60),
    start=st.integers(0, 65535),
    modulus=st.sampled_from([10_000, 65_536, 2**32]),
)
@pytest.mark.fault(
    37,
    injection="generated counters that wrap any number of times",
    expectation="the sum is exact",
)
def test_every_part_of_a_wrapping_counter_is_booked(
    steps: list[int], start: int, modulus: int
) -> None:
    rule = replace(RULE, modulus=modulus)
    raw = start % modulus
    counter, _ = read(None, reading(raw, 0, 0), rule)
    booked = 0
    for n, made in enumerate(steps):
        raw = (raw + made) % modulus
        counter, event = read(counter, reading(raw, n + 1, n), rule)
        booked += 0 if event is None else int(event.delta)
    assert booked == sum(steps)


@given(
    values=st.lists(st.integers(0, 65_535), max_size=40),
    counting=st.lists(st.booleans(), min_size=40, max_size=40),
    blind=st.booleans(),
    rate=st.none() | st.floats(0.001, 1e5),
    factor=st.floats(0.001, 100),
)
def test_totals_never_fall_and_deltas_are_never_negative(
    values: list[int], counting: list[bool], blind: bool, rate: float | None, factor: float
) -> None:
    rule = replace(RULE, max_rate_per_s=rate, factor=factor)
    counter: CounterState | None = None
    total = 0.0
    for n, raw in enumerate(values):
        seen_now = reading(raw, n, n - 1, blind=blind, counting=counting[n])
        counter, event = read(counter, seen_now, rule)
        if event is not None:
            assert event.delta >= 0
            assert event.refused >= 0
            assert event.total == total + event.delta
            total = event.total
