from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.counts import count, raw_steps
from gateway.domain.events import Count
from gateway.domain.rules import CounterRule
from gateway.domain.state import CounterState
from tests.unit.domain.scene import Play, lost, moment, of_type, press, seen, started

RULE = CounterRule("good", "good_parts", "good", modulus=65536, max_rate_per_s=5)


def held(raw: int, total: int = 1000) -> CounterState:
    return CounterState("", raw, moment(0), total, "good", "1")


def read(
    before: CounterState | None,
    value: Value,
    rule: CounterRule = RULE,
    *,
    dt: float = 1.0,
    **kw: Any,
) -> tuple[CounterState | None, Count | None]:
    options: dict[str, Any] = {"blind": False, "order": None} | kw
    return count(before, value, rule, now=moment(dt), last_read=moment(0), **options)


@pytest.mark.parametrize(
    ("previous", "current", "changes", "dt", "delta", "anomaly"),
    [
        (100, 105, {}, 1, 5, "none"),
        (100, 109, {}, 1, 9, "none"),  # cap = ceil(5 * 1 * 1.5) + 1 = 9
        (65534, 3, {}, 1, 5, "rollover"),
        (65535, 0, {}, 1, 1, "rollover"),
        (9998, 2, {"modulus": 10_000}, 1, 4, "rollover"),
        (5000, 3, {}, 1, 3, "reset"),
        (5000, 0, {}, 1, 0, "reset"),
        (5000, 4000, {}, 1, 0, "preset"),
        (5000, 4000, {"on_decrease": "reset_from_zero"}, 1, 4000, "reset"),
        (5000, 3, {"on_decrease": "rebaseline"}, 1, 0, "preset"),
        (5000, 3, {"max_rate_per_s": None, "modulus": None}, 1, 0, "preset"),
        (100, 90_000, {"max_rate_per_s": None, "modulus": None}, 1, 89_900, "none"),
        (100, 300, {}, 10_000, 200, "rollover_ambiguous"),
        (300, 100, {}, 10_000, 65336, "rollover_ambiguous"),
        (100, 103, {"factor": 4}, 1, 12, "none"),
    ],
)
def test_the_table(
    previous: int, current: int, changes: dict[str, Any], dt: float, delta: int, anomaly: str
) -> None:
    after, event = read(held(previous), current, replace(RULE, **changes), dt=dt)
    assert event is not None
    assert after is not None
    assert (event.delta, event.anomaly) == (delta, anomaly)
    assert (after.total, after.raw) == (1000 + delta, current)
    assert event.total == after.total


def test_the_first_reading_is_a_baseline() -> None:
    after, event = read(None, 4711)
    assert event is not None
    assert after is not None
    assert (event.delta, event.total, event.anomaly) == (0, 0, "baseline")
    assert after.raw == 4711


def test_nothing_made_is_no_event() -> None:
    before = held(100)
    assert read(before, 100) == (before, None)


def test_another_meaning_keeps_the_total_and_is_a_baseline() -> None:
    after, event = read(held(100), 7, replace(RULE, identity="hr:9"))
    assert event is not None
    assert after is not None
    assert (event.anomaly, event.delta, after.total, after.raw) == ("baseline", 0, 1000, 7)


@pytest.mark.parametrize(("blind", "delta", "anomaly"), [(False, 0, "jump"), (True, 500, "gap")])
def test_a_jump_must_stand_for_two_reads(blind: bool, delta: int, anomaly: str) -> None:
    waiting, event = read(held(100), 600, blind=blind)
    assert event is None
    assert waiting is not None
    assert (waiting.raw, waiting.total) == (100, 1000)
    after, event = count(
        waiting, 600, RULE, now=moment(2), last_read=moment(1), blind=blind, order=None
    )
    assert event is not None
    assert after is not None
    assert (event.delta, event.anomaly, after.raw) == (delta, anomaly, 600)
    assert event.refused == (0 if blind else 500)


def test_one_wild_reading_is_forgotten() -> None:
    waiting, _ = read(held(100), 60_000)
    after, event = count(
        waiting, 102, RULE, now=moment(2), last_read=moment(1), blind=False, order=None
    )
    assert event is not None
    assert after is not None
    assert (event.delta, event.anomaly, after.pending) == (2, "none", None)


def test_a_wild_reading_that_goes_back_to_the_old_one_is_forgotten() -> None:
    waiting, _ = read(held(100), 60_000)
    after, event = count(
        waiting, 100, RULE, now=moment(2), last_read=moment(1), blind=False, order=None
    )
    assert event is None
    assert after is not None
    assert after.pending is None


@pytest.mark.parametrize(
    ("value", "rule", "steps"),
    [
        (-1, RULE, 65535),  # a signed register past its upper half
        (12.34, replace(RULE, modulus=None, resolution=0.01), 1234),
        (-5, replace(RULE, modulus=None), None),
        (True, RULE, None),
        ("7", RULE, None),
    ],
)
def test_raw_steps(value: Value, rule: CounterRule, steps: int | None) -> None:
    assert raw_steps(value, rule) == steps


def test_what_cannot_be_a_count_changes_nothing() -> None:
    before = held(100)
    assert read(before, "x") == (before, None)


def test_cycle_time_is_given_for_few_pieces_only() -> None:
    assert read(held(100), 102, dt=3)[1].cycle_time_ms == 1500  # type: ignore[union-attr]
    assert read(held(100), 105, dt=3)[1].cycle_time_ms is None  # type: ignore[union-attr]


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
def test_every_part_of_a_wrapping_counter_is_booked(
    steps: list[int], start: int, modulus: int
) -> None:
    rule = replace(RULE, modulus=modulus)
    counter, _ = read(None, start % modulus, rule)
    raw = start % modulus
    booked = 0
    for n, made in enumerate(steps):
        raw = (raw + made) % modulus
        counter, event = count(
            counter, raw, rule, now=moment(n + 1), last_read=moment(n), blind=False, order=None
        )
        booked += 0 if event is None else int(event.delta)
    assert booked == sum(steps)


@given(
    values=st.lists(
        st.integers(0, 70_000)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans()
        | st.text(max_size=3),
        max_size=40,
    )
)
def test_totals_never_fall_and_deltas_are_never_negative(values: list[Value]) -> None:
    counter: CounterState | None = None
    total = 0.0
    for n, value in enumerate(values):
        counter, event = count(
            counter, value, RULE, now=moment(n), last_read=moment(n - 1), blind=False, order=None
        )
        if event is not None:
            assert event.delta >= 0
            assert event.total == total + event.delta
            total = event.total
