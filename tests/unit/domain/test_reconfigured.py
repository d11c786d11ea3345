"""Other rules for an equipment that goes on."""

from dataclasses import replace
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import durable
from gateway.domain.events import Event
from gateway.domain.expression import compile_expression
from gateway.domain.facts import Reconfigured, Removed
from gateway.domain.rules import Alive, CounterRule, EquipmentRules, TagRule, UsageRule
from gateway.domain.shifts import Pattern, ShiftCalendar
from gateway.domain.vocabulary import State
from tests.unit.domain.scene import IDLE, TAGS, Play, at, of_type, press, rule, seen, started, tick

PLC = frozenset({"plc"})


def take_up(
    play: Play, second: float, rules: EquipmentRules, reopened: frozenset[str] = frozenset()
) -> list[Event]:
    before, play.rules = play.rules, rules
    return play.feed(Reconfigured(at(second), second, before, reopened))


def state_of(play: Play) -> State | None:
    held = play.state.durable.status
    return None if held is None else held.state


def is_local(play: Play) -> bool:
    return play.state.durable.local


def in_use(play: Play) -> dict[str, bool]:
    return {name: one.active for name, one in play.state.durable.usage.items()}


def counter(**changes: Any) -> tuple[CounterRule, ...]:
    (one,) = press().counters
    return (replace(one, **changes),)


def calendar(zone: str, *codes: str) -> ShiftCalendar:
    """A day divided evenly, from midnight on."""
    hours = [24 * n // len(codes) for n in range(len(codes))] + [0]
    shifts = tuple(
        Pattern(code, time(hours[n]), time(hours[n + 1])) for n, code in enumerate(codes)
    )
    return ShiftCalendar(ZoneInfo(zone), dict.fromkeys(range(7), shifts))


def test_the_same_rules_change_nothing() -> None:
    play = Play().awake()
    before = play.state.durable
    assert take_up(play, 10, press()) == []
    assert play.state.durable == before


def test_another_rule_is_judged_at_once_by_what_is_known() -> None:
    play = Play().awake()
    events = take_up(play, 10, press(status=(rule("setup", "ready"),)))
    (told,) = of_type(events, "status")
    assert (told["state"], told["prev_state"], told["prev_duration_ms"]) == ("setup", "idle", 9000)


def test_a_rule_that_asks_for_a_new_tag_waits_for_it() -> None:
    tags = {tag: TagRule(tag, "plc", "plc") for tag in (*TAGS, "hot")}
    play = Play().awake()
    rules = press(tags=tags, status=(rule("fault", "hot"), rule("idle", "ready")))
    assert take_up(play, 10, rules, PLC) == []
    assert play.state.live.bad["hot"] == "never_read"
    first = seen(10.2, **IDLE, hot=False)
    assert of_type(play.feed(first._replace(covers=frozenset(tags))), "status") == []


def test_a_link_that_does_not_come_back_ends_the_state_when_it_was_last_heard() -> None:
    play = Play(press(min_hold_s=1)).awake()
    play.feed(seen(4))
    assert of_type(take_up(play, 10, play.rules, PLC), "status") == []
    assert play.state.durable.links["plc"].state == "starting"
    play.feed(tick(10.5))
    (told,) = [e for e in of_type(play.events, "status") if e["state"] == "offline"]
    assert told["since"] == "2026-03-20T01:00:04.000Z"


def test_a_fault_outlives_a_new_session() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=1))
    (fault,) = play.state.durable.faults.values()
    events = take_up(play, 3, play.rules, PLC)
    events += play.feed(seen(3.1, **(IDLE | {"alarm_word": 1})))
    assert {event["transition"] for event in of_type(events, "fault")} <= {"updated"}
    assert [one.fault_id for one in play.state.durable.faults.values()] == [fault.fault_id]


def test_a_fault_without_a_source_is_over() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=1))
    (event,) = of_type(take_up(play, 3, press(faults=())), "fault")
    assert event["transition"] == "cleared"


def test_a_factor_gives_a_baseline_of_what_is_known() -> None:
    play = Play().awake()
    play.feed(seen(2, good_parts=104))
    (event,) = of_type(take_up(play, 3, press(counters=counter(identity="new", factor=3))), "count")
    assert (event["anomaly"], event["total"], event["raw"]) == ("baseline", 4, 104)
    (event,) = of_type(play.feed(seen(4, good_parts=105)), "count")
    assert (event["anomaly"], event["delta"], event["total"]) == ("none", 3, 7)


def test_a_counter_on_a_new_session_goes_on_from_its_last_reading() -> None:
    play = Play().awake()
    play.feed(seen(2, good_parts=104))
    assert take_up(play, 3, play.rules, PLC) == []
    (event,) = of_type(play.feed(seen(4, **(IDLE | {"good_parts": 107}))), "count")
    assert (event["anomaly"], event["delta"], event["total"]) == ("none", 3, 7)


def test_a_new_counter_of_a_known_tag_begins_at_once() -> None:
    play = Play().awake()
    both = (*press().counters, *counter(name="also", kind="total"))
    (event,) = of_type(take_up(play, 3, press(counters=both)), "count")
    assert (event["counter"], event["anomaly"]) == ("also", "baseline")


def test_a_controller_has_its_whole_time_under_a_new_rule() -> None:
    play = Play().awake()
    take_up(play, 100, press(alive=Alive("temperature", 10)))
    play.feed(tick(109))
    assert state_of(play) == "idle"
    play.feed(tick(111))
    assert state_of(play) == "offline"
    take_up(play, 112, press())
    assert state_of(play) == "idle"


def test_another_calendar_cuts_here_and_nothing_before() -> None:
    play = Play(press(calendar=calendar("Asia/Shanghai", "A", "B"))).awake()  # 09:00: A
    (event,) = of_type(take_up(play, 30, press(calendar=calendar("UTC", "N"))), "status")
    assert (event["since"], event["cause"]) == ("2026-03-20T01:00:30.000Z", "shift")
    assert event["shift"]["code"] == "N"
    free = replace(calendar("UTC", "N"), exceptions={date(2026, 3, 29): ()})  # a holiday to come
    assert of_type(take_up(play, 40, press(calendar=free)), "status") == []
    (event,) = of_type(take_up(play, 50, press()), "status")
    assert event["shift"] is None


def test_what_wears_out_is_shown_from_then_on() -> None:
    play = Play().awake()
    assert in_use(play) == {}
    take_up(play, 3, press(usage=(UsageRule("die", "cycles", 1000, 900, counter="good"),)))
    assert in_use(play) == {"die": True}
    take_up(play, 4, press())
    assert in_use(play) == {"die": False}


def test_a_link_that_is_gone_is_forgotten() -> None:
    play = Play().awake()
    meter = {tag: replace(one, link="other") for tag, one in press().tags.items()}
    take_up(play, 3, press(tags=meter), frozenset({"other"}))
    assert play.state.durable.links == {}
    assert set(play.state.live.bad.values()) == {"never_read"}


def test_a_removed_equipment_is_offline_and_its_faults_are_over() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=1, run=True))
    events = play.feed(Removed(at(5), 5))
    (fault,), (told,) = of_type(events, "fault"), of_type(events, "status")
    assert fault["transition"] == "cleared"
    assert (told["state"], told["prev_state"]) == ("offline", "fault")
    assert (told["cause"], told["reason"]["code"]) == ("command", "not_configured")
    assert play.state.durable.links == {}


def test_going_live_begins_without_a_past() -> None:
    trial = press(stage="commissioning")
    play = Play(trial).awake()
    play.feed(seen(2, good_parts=140, run=True, alarm_word=8))
    assert is_local(play)
    events = take_up(play, 60, press())
    (told,), (count,), (fault,) = (of_type(events, kind) for kind in ("status", "count", "fault"))
    assert told["since"] == "2026-03-20T01:01:00.000Z"
    assert "prev_state" not in told or told["prev_state"] is None
    assert (count["anomaly"], count["delta"]) == ("baseline", 0)
    assert fault["transition"] == "raised"
    assert not is_local(play)
    assert durable.load(durable.dump(play.state)).durable == play.state.durable


def test_parts_of_a_trial_are_not_refused_later() -> None:
    counting = counter(count_when=compile_expression("run"))
    play = Play(press(stage="commissioning", counters=counting)).awake()
    play.feed(seen(2, good_parts=103))  # made while it did not run: refused by the next event
    assert play.state.durable.counters["good"].withheld == 3
    take_up(play, 60, press(counters=counting))
    (event,) = of_type(play.feed(seen(61, good_parts=104, run=True)), "count")
    assert (event["delta"], event["refused"]) == (1, 0)


RULES = st.sampled_from(
    [
        press(),
        press(min_hold_s=3),
        press(counters=counter(identity="new", factor=2)),
        press(status=(rule("running", "run"),), faults=()),
        press(counters=()),
        press(calendar=calendar("UTC", "A", "B")),
        press(alive=Alive("temperature", 2)),
        press(tags={tag: TagRule(tag, "plc", "plc") for tag in TAGS if tag != "temperature"}),
    ]
)
READING = st.fixed_dictionaries(
    {
        "run": st.booleans(),
        "ready": st.booleans(),
        "good_parts": st.integers(100, 130),
        "alarm_word": st.sampled_from([0, 1, 9]),
    }
)


@given(st.lists(st.tuples(RULES, st.booleans(), READING), max_size=12))
def test_whatever_rules_follow_each_other_totals_never_fall_and_intervals_abut(
    turns: list[tuple[EquipmentRules, bool, dict[str, Any]]],
) -> None:
    play = Play().awake()
    play.events.clear()
    open_since, total = at(1), 0
    for number, (rules, anew, reading) in enumerate(turns):
        second = 10.0 * (number + 1)
        take_up(play, second, rules, PLC if anew else frozenset())
        play.feed(seen(second + 1, **(IDLE | reading)), tick(second + 5))
    for event in play.events:
        data = event.data()
        if event.type == "status" and not data["repeat"]:
            assert data["prev_duration_ms"] == (event.at - open_since).total_seconds() * 1000
            open_since = event.at
        elif event.type == "count":
            assert data["delta"] >= 0
            assert data["total"] == total + data["delta"]
            total = data["total"]


def test_what_goes_live_or_is_taken_away_may_never_have_had_a_state() -> None:
    play = Play(press(stage="commissioning"))
    play.state = play.state._replace(durable=replace(play.state.durable, local=True))
    assert take_up(play, 1, press()) == []
    assert not is_local(play)
    assert play.feed(Removed(at(2), 2)) == []


def test_a_start_under_rules_that_are_live_begins_without_a_past() -> None:
    play = Play(press(stage="commissioning")).awake()
    play.rules = press()
    told = of_type(play.feed(started(60, last_alive=3)), "status")
    assert [(one["state"], one["prev_state"]) for one in told] == [("offline", None)]
    assert not is_local(play)
