from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import durable
from gateway.domain.commanding import refusal
from gateway.domain.commands import UsageCommand
from gateway.domain.equipment import next_due_s, step
from gateway.domain.facts import Commanded, Fact, SeriesBegan
from gateway.domain.rules import EquipmentRules, UsageRule
from gateway.domain.snapshot import snapshots
from gateway.domain.vocabulary import Json
from tests.unit.domain.scene import IDLE, Play, at, lost, of_type, press, seen, started, tick

HOURS = UsageRule("spindle", "run_hours", 2.0, 1.0)
ON = UsageRule("fan", "on_hours", 100.0, 90.0)
CYCLES = UsageRule("die", "cycles", 50.0, 40.0, "good")


def worn(*usage: UsageRule, **changes: Any) -> EquipmentRules:
    return press(usage=usage, repeat_s=0.0, **changes)


def used(play: Play, name: str = "spindle") -> Json:
    shown = snapshots(play.state)["usage"]["usage"]
    (row,) = (row for row in shown if row["usage"] == name)
    return dict(row)


def set_usage(second: float, name: str = "spindle", hours: float = 0.0) -> Commanded:
    return Commanded(at(second), second, UsageCommand(f"u-{second}", name, "li", hours))


def test_only_running_counts_as_run_hours_and_all_but_offline_as_on() -> None:
    play = Play(worn(HOURS, ON)).awake()
    play.feed(seen(1801, run=True), seen(5401, run=False), lost(7201))
    assert used(play)["used"] == 1.0
    assert used(play, "fan")["used"] == 1.5


def test_it_is_told_once_a_minute_while_time_counts() -> None:
    play = Play(worn(HOURS)).awake()
    assert next_due_s(play.state, play.rules) is None
    play.feed(seen(10, run=True))
    due_s = next_due_s(play.state, play.rules)
    assert due_s is not None
    assert due_s <= 70
    before = play.state.durable
    play.feed(seen(due_s - 0.5, temperature=1.0))
    assert play.state.durable is before
    play.feed(tick(due_s))
    assert used(play)["used"] == round((due_s - 10) / 3600, 3)
    assert next_due_s(play.state, play.rules) == due_s + 60


def test_counts_do_not_tell_it_more_than_once_a_minute_but_a_threshold_does() -> None:
    play = Play(worn(CYCLES)).awake()
    play.feed(seen(2, good_parts=101), seen(3, good_parts=102))
    assert used(play, "die") | {"used": 0, "due": "ok"} == used(play, "die")
    play.feed(seen(20, good_parts=141))
    assert (used(play, "die")["used"], used(play, "die")["due"]) == (41, "soon")
    play.feed(seen(40, good_parts=151), seen(41, good_parts=152))
    assert (used(play, "die")["used"], used(play, "die")["due"]) == (51, "due")
    play.feed(seen(70, good_parts=153))
    assert used(play, "die")["used"] == 53


def test_setting_it_within_a_state_forgets_the_time_before() -> None:
    play = Play(worn(HOURS)).awake()
    play.feed(seen(10, run=True))
    (note,) = of_type(play.feed(set_usage(3610)), "note")
    assert note["about"] == "usage:spindle"
    assert note["by"] == "li"
    assert note["reason"]["text"]["en"] == "was 1.0 h, set to 0.0 h"
    assert used(play)["used"] == 0
    play.feed(seen(5410, run=False))
    assert used(play)["used"] == 0.5
    assert used(play)["by"] == "li"


def test_it_can_be_set_to_what_the_machine_has_behind_it() -> None:
    play = Play(worn(HOURS, CYCLES)).awake()
    play.feed(set_usage(10, hours=1.5), set_usage(11, "die", 45))
    assert (used(play)["used"], used(play)["due"]) == (1.5, "soon")
    assert (used(play, "die")["used"], used(play, "die")["due"]) == (45, "soon")


def test_an_unknown_usage_is_refused_with_the_known_ones() -> None:
    play = Play(worn(HOURS, ON)).awake()
    asked = set_usage(10, "spindel")
    assert refusal(play.state, asked, play.rules) == (
        "there is no usage 'spindel'; known: spindle, fan"
    )
    assert play.feed(asked) == []
    bare = Play(press()).awake()
    assert "known: none" in str(refusal(bare.state, asked, bare.rules))


def test_hours_survive_a_restart_and_the_offline_time_counts_as_nothing() -> None:
    play = Play(worn(HOURS)).awake()
    play.feed(seen(10, run=True), tick(1810))
    play.state = durable.load(durable.dump(play.state))
    awake = seen(7210, **(IDLE | {"run": True}))
    play.feed(started(7200, 3610, "boot-2"), awake, seen(9010, run=False))
    assert used(play)["used"] == 1.5


def test_a_new_series_changes_nothing() -> None:
    play = Play(worn(HOURS, CYCLES)).awake()
    play.feed(seen(10, run=True, good_parts=105), seen(3610, run=False))
    before = used(play), used(play, "die")
    play.feed(SeriesBegan(at(3611), 3611))
    assert (used(play)["used"], used(play, "die")["used"]) == (before[0]["used"], 5)


def test_what_is_no_longer_configured_is_kept_but_not_shown() -> None:
    play = Play(worn(HOURS, ON)).awake()
    play.feed(seen(10, run=True), seen(3610, run=False))
    play.rules = worn(ON)
    play.feed(seen(3700, ready=False))
    assert [row["usage"] for row in snapshots(play.state)["usage"]["usage"]] == ["fan"]
    play.rules = worn()
    play.feed(seen(3800, ready=True))
    assert "usage" not in snapshots(play.state)
    play.rules = worn(HOURS)
    play.feed(seen(3900, ready=False))
    assert used(play)["used"] == 1.0


def test_another_kind_under_the_same_name_begins_anew() -> None:
    play = Play(worn(HOURS)).awake()
    play.feed(seen(10, run=True), seen(3610, run=False))
    play.rules = worn(replace(HOURS, kind="on_hours"))
    play.feed(seen(3700, ready=False))
    assert used(play)["used"] == 0


@pytest.mark.parametrize(("hours", "due"), [(0.9, "ok"), (1.0, "soon"), (2.0, "due"), (9.0, "due")])
def test_when_it_is_due(hours: float, due: str) -> None:
    play = Play(worn(HOURS)).awake()
    play.feed(set_usage(10, hours=hours))
    assert used(play)["due"] == due


STEPS = st.lists(
    st.tuples(
        st.floats(0.001, 5000),
        st.sampled_from(("run", "idle", "lost", "tick", "restart")),
    ),
    max_size=30,
)


@given(steps=STEPS)
def test_hours_are_what_the_status_events_add_up_to(steps: list[tuple[float, str]]) -> None:
    play = Play(worn(HOURS)).awake()
    second = 1.0
    for passed_s, what in steps:
        last, second = second, second + passed_s
        facts: dict[str, Fact] = {
            "run": seen(second, **(IDLE | {"run": True})),
            "idle": seen(second, **IDLE),
            "lost": lost(second),
            "restart": started(second, last),
            "tick": tick(second),
        }
        play.feed(facts[what])
    play.feed(lost(second + 1))
    told = of_type(play.events, "status")
    summed = sum(e["prev_duration_ms"] for e in told if e.get("prev_state") == "running")
    assert play.state.durable.usage["spindle"].before == summed
    assert step(play.state, tick(second + 2), play.rules)[1] == []
