from dataclasses import replace

import pytest

from gateway.domain.events import State
from gateway.domain.rules import Alive
from tests.unit.domain.scene import IDLE, Play, lost, of_type, press, rule, seen, started, tick


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


def test_another_boot_makes_durations_wall_time() -> None:
    play = Play().awake()
    play.feed(seen(2, run=True), started(3.0, last_alive=10, boot="boot-2"))
    assert of_type(play.events, "status")[-1]["prev_duration_ms"] == 8000


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
