from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain import durable
from gateway.domain.commands import OrderCommand
from gateway.domain.equipment import next_due_s
from gateway.domain.events import Event, Status
from gateway.domain.facts import Commanded, Fact, Observation, Started
from gateway.domain.rules import Alive, EquipmentRules, ModeRule
from gateway.domain.state import EquipmentState
from gateway.domain.status import written
from gateway.domain.vocabulary import Order, Reason, State
from tests.unit.domain.scene import (
    IDLE,
    TAGS,
    Play,
    at,
    lost,
    of_type,
    press,
    rule,
    seen,
    started,
    tick,
)


def states(play: Play) -> list[tuple[str, str]]:
    return [(data["state"], data["since"]) for data in of_type(play.events, "status")]


def stamp(second: float) -> str:
    return f"2026-03-20T01:00:{second:06.3f}Z"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"run": True}, "running"),
        ({"run": True, "alarm_word": 1}, "fault"),
        ({"run": True, "alarm_word": 8}, "running"),  # E04 does not stop the machine
        ({"ready": False}, "stopped"),  # every rule is false
    ],
)
def test_first_true_rule_wins(changed: dict[str, bool], expected: str) -> None:
    play = Play().awake()
    play.feed(seen(2, **changed))
    assert states(play) == [(expected, stamp(2))]


def test_none_true_is_stopped_for_an_unspecified_reason() -> None:
    play = Play().awake()
    play.feed(seen(2, ready=False))
    assert of_type(play.events, "status")[0]["reason"]["category"] == "unspecified"


def test_rule_that_cannot_be_evaluated_before_the_first_true_one_is_offline() -> None:
    play = Play().awake()
    play.feed(seen(2), seen(3, {"run": "illegal_address"}))
    assert states(play) == [("offline", stamp(2))]  # since the last good sample


def test_rule_behind_the_first_true_one_may_be_unknown() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), seen(3, {"ready": "illegal_address"}))
    assert states(play) == [("running", stamp(2))]


def test_a_link_no_status_rule_reads_does_not_matter() -> None:
    rules = press()
    tags = dict(rules.tags)
    tags["temperature"] = replace(tags["temperature"], link="meter")
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(replace(lost(2), link="meter"))
    assert states(play) == []


def test_lost_link_is_offline_since_its_last_reply_and_heals() -> None:
    play = Play().awake()
    play.feed(seen(2), lost(4), seen(9, **IDLE))
    assert states(play) == [("offline", stamp(2)), ("idle", stamp(9))]
    assert of_type(play.events, "status")[0]["reason"]["category"] == "comms"
    assert of_type(play.events, "status")[0]["quality"] == "bad"


def test_a_state_is_believed_after_its_hold_and_dated_to_its_first_moment() -> None:
    play = Play(press(min_hold_s=1.0)).awake()
    play.feed(seen(2, run=True), seen(2.5))
    assert states(play) == []
    play.feed(seen(3))
    assert states(play) == [("running", stamp(2))]


def test_a_tick_ends_a_hold_without_any_sample() -> None:
    play = Play(press(min_hold_s=1.0)).awake()
    play.feed(seen(2, run=True), tick(3))
    assert states(play) == [("running", stamp(2))]


def test_a_state_shorter_than_the_hold_leaves_no_trace() -> None:
    play = Play(press(min_hold_s=1.0)).awake()
    play.feed(seen(2, run=True), seen(2.5, run=False), seen(4))
    assert states(play) == []


def test_an_outage_shorter_than_the_hold_leaves_no_trace() -> None:
    play = Play(press(min_hold_s=1.0)).awake()
    play.feed(seen(2), lost(2.3), seen(2.8, **IDLE), seen(4))
    assert states(play) == []


def test_the_first_state_of_all_is_offline() -> None:
    play = Play()
    play.feed(started(5))
    assert states(play) == [("offline", stamp(5))]
    assert of_type(play.events, "status")[0]["cause"] == "start"


def test_the_time_the_gateway_was_down_is_offline() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True))
    play.feed(started(20, last_alive=6), seen(21, **(IDLE | {"run": True})))
    assert states(play) == [
        ("running", stamp(2)),
        ("offline", stamp(6)),
        ("running", stamp(21)),
    ]
    assert of_type(play.events, "status")[1]["prev_duration_ms"] == 4000


def test_an_offline_equipment_stays_in_one_interval_over_a_restart() -> None:
    play = Play()
    play.feed(started(0), started(10, last_alive=5))
    assert states(play) == [("offline", stamp(0))]


def test_intervals_abut_and_durations_are_monotonic() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), seen(5, run=False), seen(9, alarm_word=1))
    data = of_type(play.events, "status")
    assert [row["prev_duration_ms"] for row in data] == [1000, 3000, 4000]
    assert [row["prev_state"] for row in data] == ["idle", "running", "idle"]


@pytest.mark.fault(
    26,
    injection="a start under another boot id, in the pure core",
    expectation="durations come from the wall clock, as monotonic times do not compare",
)
def test_another_boot_makes_durations_wall_time() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), started(3.0, last_alive=10, boot="boot-2"))
    assert of_type(play.events, "status")[-1]["prev_duration_ms"] == 8000


@pytest.mark.fault(
    25,
    injection="a leap second as POSIX counts it, in the pure core: a second of the wall clock comes"
    " twice while a machine runs and counts",
    expectation="durations by the monotonic clock, every part counted once",
)
def test_a_second_that_comes_twice_is_two_seconds() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), seen(2.8, good_parts=101))
    for late in (seen(3.2, good_parts=102), seen(4, run=False)):
        play.feed(late._replace(at=late.at - timedelta(seconds=1)))
    assert of_type(play.events, "status")[-1]["prev_duration_ms"] == 2000
    counts = of_type(play.events, "count")
    assert [(row["delta"], row["anomaly"]) for row in counts] == [(1, "none"), (1, "none")]


def test_a_frozen_controller_is_offline_since_its_last_change() -> None:
    rules = press(alive=Alive("good_parts", 10))
    play = Play(rules).awake()
    play.feed(seen(5, good_parts=101), seen(14.9))
    assert states(play) == []
    play.feed(tick(15))
    assert states(play) == [("offline", stamp(5))]
    play.feed(seen(16, good_parts=102))
    assert states(play)[-1] == ("idle", stamp(16))


def test_a_reason_refines_and_a_changed_reason_is_a_new_interval() -> None:
    play = Play(
        press(status=(rule("running", "run"), rule("idle", "ready and good_parts > 100")))
    ).awake()
    play.feed(seen(2, good_parts=101))
    assert states(play) == [("idle", stamp(2))]


WHY = {
    "1": Reason("R1", "material", {"zh": "等料"}),
    "2": Reason("R2", "tooling"),
}


def explained(**changes: object) -> EquipmentRules:
    """Idle, and the temperature says why; good_parts plays the mode switch."""
    idle = replace(
        rule("idle", "not run"), reason=Reason("R0"), reason_tag="temperature", reasons=WHY
    )
    mode = ModeRule("good_parts", {1: "auto", 2: "manual"})
    return press(status=(rule("running", "run"), idle), mode=mode, counters=(), **changes)


def whys(play: Play) -> list[tuple[str, str | None, str]]:
    return [
        (data["state"], None if data["reason"] is None else data["reason"]["code"], data["mode"])
        for data in of_type(play.events, "status")
    ]


def test_a_tag_says_the_reason_more_exactly() -> None:
    play = Play(explained()).awake()
    play.feed(seen(2, temperature=1), seen(3, temperature=2.0), seen(4, temperature=9))
    play.feed(seen(5, {"temperature": "bad_status"}), seen(6, temperature=2), seen(7, run=True))
    assert [code for _, code, _ in whys(play)] == ["R1", "R2", "R0", "R2", None]
    assert [state for state, _, _ in whys(play)] == ["idle"] * 4 + ["running"]


def test_a_tag_says_the_mode() -> None:
    play = Play(explained()).awake()
    play.feed(seen(2, good_parts=1), seen(3, good_parts=2), seen(4, {"good_parts": "bad_status"}))
    assert [(state, mode) for state, _, mode in whys(play)] == [
        ("idle", "auto"),
        ("idle", "manual"),
        ("idle", "unknown"),  # the state itself is still known
    ]


def test_a_reason_that_comes_later_delays_no_state() -> None:
    play = Play(explained(min_hold_s=1.0)).awake()
    play.feed(seen(2, run=True), tick(3))
    play.feed(seen(10, run=False), seen(10.6, temperature=1), tick(11))
    assert states(play)[-1] == ("idle", stamp(10))
    assert whys(play)[-1][1] == "R1"


def test_a_reason_that_keeps_changing_delays_no_state() -> None:
    play = Play(explained(min_hold_s=1.0)).awake()
    play.feed(seen(2, run=True), tick(3), seen(10, run=False))
    play.feed(*(seen(10 + n / 2, temperature=1 + n % 2) for n in range(1, 9)))
    assert states(play)[-1] == ("idle", stamp(10))


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), (0.5, "0.5"), (True, "true"), (False, "false"), ("E17", "E17")],
)
def test_a_value_is_written_as_in_a_file(value: Value, text: str) -> None:
    assert written(value) == text


def test_two_restarts_are_two_outages_that_abut() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), started(20, last_alive=6), seen(21, **IDLE))
    play.feed(started(40, last_alive=30, boot="boot-2"), seen(41, **IDLE))
    assert states(play) == [
        ("running", stamp(2)),
        ("offline", stamp(6)),
        ("idle", stamp(21)),
        ("offline", stamp(30)),
        ("idle", stamp(41)),
    ]


def test_a_restart_before_anything_was_read_is_one_outage() -> None:
    play = Play().awake()
    play.feed(started(20, last_alive=6), started(30, last_alive=25), seen(31, **IDLE))
    assert states(play) == [("offline", stamp(6)), ("idle", stamp(31))]


def test_a_gateway_that_was_last_alive_before_the_state_began_ends_it_where_it_began() -> None:
    play = Play().awake()
    play.feed(seen(5, run=True), started(20, last_alive=4))
    assert states(play)[-1] == ("offline", stamp(5))
    assert of_type(play.events, "status")[-1]["prev_duration_ms"] == 0


def test_offline_is_held_too_and_begins_at_the_last_good_sample() -> None:
    play = Play(press(min_hold_s=3.0)).awake()
    play.feed(seen(10), seen(11, {"run": "timeout"}), seen(13, {"run": "timeout"}))
    assert states(play) == [("offline", stamp(10))]
    assert next_due_s(play.state, play.rules) is None


NAMES = st.sampled_from(TAGS)
SHOWN = st.one_of(st.booleans(), st.integers(0, 3))


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """What may happen to a machine, with a clock that goes forward, and restarts."""
    second, boot, told = 0.0, 0, []
    for _ in range(draw(st.integers(1, 30))):
        second += draw(st.sampled_from([0.0, 0.3, 1.0, 2.5, 40.0]))
        kind = draw(st.sampled_from(["seen", "seen", "seen", "bad", "lost", "tick", "up", "order"]))
        told.append(_fact(draw, kind, second, boot))
        boot += kind == "up"
    return told


def _fact(draw: st.DrawFn, kind: str, second: float, boot: int) -> Fact:
    values: Mapping[str, Value] = draw(st.dictionaries(NAMES, SHOWN, max_size=3))
    if kind == "bad":
        return seen(second, {draw(NAMES): "timeout"})
    if kind == "lost":
        return lost(second)
    if kind == "tick":
        return tick(second)
    if kind == "up":
        before = draw(st.none() | st.floats(0, 50))
        alive = None if before is None else second - before
        return started(second, alive, f"boot-{boot // 2}")
    if kind == "order":
        return Commanded(at(second), second, OrderCommand("c", Order("WO-1")))
    return seen(second, **values)


def live_through(facts: list[Fact], rules: EquipmentRules) -> tuple[EquipmentState, list[Event]]:
    """Feed the facts with all ticks that are due, reading the state back at each start."""
    play = Play(rules)
    for fact in facts:
        for _ in range(100):
            due = next_due_s(play.state, rules)
            if due is None or due >= fact.mono_s:
                break
            play.feed(tick(due))
        else:
            pytest.fail(f"a tick at {due} changes nothing it was due for")
        if isinstance(fact, Started):
            play.state = durable.load(durable.dump(play.state))
        play.feed(fact)
    return play.state, play.events


@given(lives(), st.sampled_from([0.0, 1.0, 2.0]))
def test_intervals_abut_and_add_up(facts: list[Fact], hold_s: float) -> None:
    rules = explained(min_hold_s=hold_s, repeat_s=15.0, alive=Alive("alarm_word", 30))
    state, events = live_through(facts, rules)
    told = [event for event in events if isinstance(event, Status)]
    begun = [event for event in told if not event.repeat]
    for one, other in pairwise(begun):
        assert other.since == other.at >= one.since
        assert other.prev_state is one.state
        lasted_ms = (other.since - one.since).total_seconds() * 1000
        assert other.prev_duration_ms == pytest.approx(lasted_ms, abs=1.01)
        assert other.cause != "sample" or (other.state, other.reason, other.mode) != (
            one.state,
            one.reason,
            one.mode,
        )
    for event in told:
        if event.repeat:
            before = [one for one in told[: told.index(event)] if not one.repeat][-1]
            assert (event.since, event.state) == (before.since, before.state)
    held = state.durable.status
    assert (None if held is None else held.since.at) == (begun[-1].since if begun else None)


@given(lives())
def test_a_long_hold_never_tells_of_a_state_that_did_not_last(facts: list[Fact]) -> None:
    hold_s = 2.0
    rules = press(min_hold_s=hold_s, counters=(), faults=())
    _, events = live_through(facts, rules)
    begun = [event for event in events if isinstance(event, Status)]
    for one, other in pairwise(begun[1:]):
        # Offline begins at the last good sample, so it may have held before it could begin.
        if one.cause == other.cause == "sample" and State.OFFLINE not in {one.state, other.state}:
            assert (other.since - one.since).total_seconds() >= hold_s - 1e-6


def test_state_codes_are_the_contract_s() -> None:
    assert [(state.value, state.code) for state in State] == [
        ("offline", 0),
        ("running", 1),
        ("idle", 2),
        ("stopped", 3),
        ("fault", 4),
        ("setup", 5),
        ("maintenance", 6),
    ]


def set_back(second: float, ahead: float, **changed: Value) -> Observation:
    """What is seen at ``second`` under a clock that was set ``ahead``."""
    return seen(second, **changed)._replace(at=at(second + ahead))


def test_states_under_a_clock_that_was_set_back_abut_and_last_as_long_as_they_did() -> None:
    play = Play().awake()
    told = of_type(
        play.feed(
            set_back(10, 3600, run=True),
            set_back(40, 0, run=False),
            set_back(100, 0, run=True),
            set_back(4000, 0, run=False),
        ),
        "status",
    )
    assert [(one["state"], one["since"]) for one in told] == [
        ("running", "2026-03-20T02:00:10.000Z"),
        ("idle", "2026-03-20T02:00:10.000Z"),
        ("running", "2026-03-20T02:00:10.000Z"),
        ("idle", "2026-03-20T02:06:40.000Z"),
    ]
    assert [one["prev_duration_ms"] for one in told] == [9_000, 30_000, 60_000, 3_900_000]
