from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.expression import compile_expression
from gateway.domain.facts import Observation
from gateway.domain.rules import CounterRule
from gateway.domain.snapshot import snapshots
from gateway.domain.state import CounterState
from tests.support.register import KINDS, Action, Register, actions
from tests.unit.domain.scene import (
    IDLE,
    TAGS,
    Play,
    at,
    lost,
    moment,
    of_type,
    press,
    seen,
    started,
)

RULE = CounterRule("good", "good_parts", "good", modulus=65536, max_rate_per_s=5)


def counter(play: Play) -> CounterState:
    return play.state.durable.counters["good"]


def counted(play: Play) -> list[tuple[float, str, float]]:
    data = of_type(play.events, "count")
    return [(row["delta"], row["anomaly"], row["refused"]) for row in data]


def stamped(second: float, stamp: datetime, value: Value) -> Observation:
    batch = seen(second, good_parts=value)
    return batch._replace(source_times={"good_parts": stamp})


@pytest.mark.parametrize("modulus", [10_000, 65_536, 2**32, None])
def test_everything_made_is_accounted_for(modulus: int | None) -> None:
    register = Register(modulus=modulus)
    register.play(actions(Random(7), 3000))
    register.settle()
    told = register.total + register.refused + register.withheld + register.uncovered
    assert told == register.made
    assert register.total > 0


@given(
    st.lists(
        st.builds(Action, st.sampled_from(KINDS), st.floats(0.1, 20_000), st.floats(0, 1)),
        max_size=60,
    ),
    st.sampled_from([10_000, 65_536, None]),
)
def test_nothing_is_invented_whatever_happens(script: list[Action], modulus: int | None) -> None:
    register = Register(modulus=modulus)
    register.play(script)
    register.settle()
    told = register.total + register.refused + register.withheld + register.uncovered
    assert told == register.made


def test_a_counter_in_a_slow_group_has_its_own_time() -> None:
    play = Play().awake()
    others = frozenset(TAGS) - {"good_parts"}
    for second in range(2, 20):
        play.feed(seen(second)._replace(covers=others))
    play.feed(seen(20, good_parts=190))
    assert counted(play) == [(90, "none", 0)]


def test_a_reading_stamped_before_one_already_taken_is_dropped_and_counted() -> None:
    play = Play().awake()
    play.feed(
        stamped(2, at(2), 104), stamped(2.1, at(1.5), 102), stamped(2.2, at(1.6), 103), seen(3)
    )
    assert counted(play) == [(4, "none", 0)]
    assert snapshots(play.state)["counters"]["counters"][0]["out_of_order"] == 2
    play.feed(stamped(4, at(4), 105))
    assert counted(play)[-1] == (1, "none", 0)


def test_a_rise_is_taken_whatever_its_stamp_and_so_is_a_clock_that_was_set() -> None:
    play = Play().awake()
    play.feed(stamped(2, at(2), 104), stamped(3, at(1), 105))
    play.feed(stamped(4, at(-7200), 3), seen(5), stamped(6, at(-7198), 4))
    assert counted(play) == [(4, "none", 0), (1, "none", 0), (3, "reset", 0), (1, "none", 0)]


def test_what_no_counter_shows_is_said_once_and_keeps_it_dark() -> None:
    play = Play().awake()
    play.feed(seen(2), seen(3, good_parts="?"), seen(4, good_parts=99_999), seen(5))
    (gap,) = of_type(play.events, "gap")
    assert (gap["stream"], gap["reason"]) == ("count:good", "not_observed")
    assert counter(play).dark_since == moment(2)
    play.feed(seen(60, good_parts=350))
    assert counted(play) == [(250, "none", 0)]
    assert counter(play).dark_since is None


def test_a_counter_that_never_showed_a_number_is_not_there() -> None:
    play = Play(press())
    play.feed(started(0), seen(1, **(IDLE | {"good_parts": "?"})))
    assert of_type(play.events, "count") == []
    assert play.state.durable.counters == {}


@pytest.mark.fault(
    26,
    injection="a start under another boot id after an outage, in the pure core",
    expectation="the outage goes on; its length comes from the wall clock",
)
def test_the_dark_lasts_over_restarts_and_other_boots() -> None:
    play = Play().awake()
    play.feed(seen(2), lost(3), started(500, last_alive=499), started(900, 899, "boot-2"))
    dark = counter(play).dark_since
    assert dark is not None
    assert (dark.at, dark.mono_s) == (at(2), None)
    play.feed(seen(1000, **(IDLE | {"good_parts": 5000})))
    assert counted(play) == [(4900, "none", 0)]


def test_doubt_lasts_over_a_restart_as_darkness() -> None:
    play = Play().awake()
    play.feed(seen(2), seen(3, good_parts=40_000), started(5, 4, "boot-2"))
    assert counter(play).pending is None
    dark = counter(play).dark_since
    assert dark is not None
    assert dark.at == at(2)


def test_an_old_journal_without_a_time_of_death_is_dark_since_the_last_part() -> None:
    play = Play().awake()
    play.feed(seen(2, good_parts=101), started(50))
    assert counter(play).dark_since == moment(2)


def test_nothing_new_is_no_new_state() -> None:
    play = Play().awake()
    play.feed(seen(2))
    before = play.state.durable
    play.feed(seen(3), seen(4, temperature=1.0))
    assert play.state.durable is before


@pytest.mark.parametrize(
    ("shown", "cycle_ms"),
    [(1.5, 1500), (0, 0), (True, None), ("x", None), (-1, None), (1e9, None)],
)
def test_the_cycle_time_of_the_machine(shown: Value, cycle_ms: int | None) -> None:
    rule = replace(RULE, cycle_time_tag="temperature", cycle_time_unit_ms=1000)
    play = Play(press(counters=(rule,))).awake()
    play.feed(seen(2, good_parts=101, temperature=shown))
    assert of_type(play.events, "count")[0]["cycle_time_ms"] == cycle_ms


def counting_when(condition: str, **changes: Any) -> Play:
    rule = replace(RULE, count_when=compile_expression(condition), **changes)
    return Play(press(counters=(rule,)))


def test_parts_count_while_no_fault_stops_the_machine() -> None:
    play = counting_when("not stopping_fault").awake()
    play.feed(seen(2, good_parts=101), seen(3, alarm_word=1, good_parts=102))
    play.feed(seen(4, alarm_word=0, good_parts=103))
    assert counted(play) == [(1, "none", 0), (1, "none", 1)]


def test_after_a_start_a_counter_waits_for_its_condition_but_not_when_it_cannot_be_read() -> None:
    play = counting_when("ready").awake()
    good = frozenset({"good_parts"})
    play.feed(started(5, last_alive=2), seen(6, good_parts=110)._replace(covers=good))
    assert counted(play) == []
    play.feed(seen(7, {"ready": "device_refused"}), seen(8, ready=True), seen(9, good_parts=111))
    assert counted(play) == [(1, "none", 10)]
