from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.domain import durable
from gateway.domain.commanding import refusal
from gateway.domain.commands import FaultAction, FaultCommand
from gateway.domain.equipment import next_due_s, step
from gateway.domain.events import Event
from gateway.domain.facts import Commanded, Fact, Started
from gateway.domain.fault_desk import MAX_COMMENTS, MAX_SHELVES
from gateway.domain.rules import FaultRule
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.wire.schema_events import EVENT_DATA
from gateway.wire.schema_states import STATE_DATA
from tests.unit.domain.scene import IDLE, Play, at, lost, of_type, press, seen, started, tick

EVENT = Draft202012Validator(EVENT_DATA["fault"])
SNAPSHOT = Draft202012Validator(STATE_DATA["faults"])


def asked(second: float, fault_id: str, action: FaultAction, **more: Any) -> Commanded:
    command = FaultCommand(f"c-{second}", fault_id, action, **({"by": "li"} | more))
    return Commanded(at(second), second, command)


def stopped() -> tuple[Play, str]:
    """An emergency stop since 2, and its id."""
    play = Play().awake()
    (event,) = of_type(play.feed(seen(2, alarm_word=1)), "fault")
    return play, event["fault_id"]


def shelve(second: float, fault_id: str, until: float) -> Commanded:
    return asked(second, fault_id, "shelve", comment="sensor ordered", until=at(until))


def test_a_refused_command_changes_nothing() -> None:
    play, fault_id = stopped()
    play.feed(asked(3, fault_id, "ack"))
    before = play.state
    again = asked(4, fault_id, "ack")
    assert refusal(play.state, again, play.rules) is not None
    assert play.feed(again) == []
    assert play.state == before


def test_a_fault_acknowledged_before_names_were_kept_is_refused_all_the_same() -> None:
    play, fault_id = stopped()
    faults = {k: replace(f, acked=True) for k, f in play.state.durable.faults.items()}
    play.state = play.state._replace(durable=replace(play.state.durable, faults=faults))
    error = refusal(play.state, asked(3, fault_id, "ack"), play.rules)
    assert error == f"fault {fault_id} was acknowledged by somebody"


def test_an_acknowledged_fault_leaves_nothing_to_acknowledge_when_it_clears() -> None:
    play, fault_id = stopped()
    play.feed(asked(3, fault_id, "ack"), seen(5, alarm_word=0))
    assert play.state.durable.fault_memory.unacked == ()
    (cleared,) = [d for d in of_type(play.events, "fault") if d["transition"] == "cleared"]
    assert (cleared["acked_by"], cleared["acked_at"]) == ("li", "2026-03-20T01:00:03.000Z")


def test_a_cleared_fault_of_a_source_taken_away_can_be_acknowledged() -> None:
    play, fault_id = stopped()
    play.feed(seen(5, alarm_word=0))
    play.rules = replace(play.rules, faults=())
    (event,) = of_type(play.feed(asked(9, fault_id, "ack")), "fault")
    assert (event["code"], event["transition"], event["active"]) == ("E01", "acked", False)


def test_the_newest_comments_are_kept() -> None:
    play, fault_id = stopped()
    for second in range(3, 3 + MAX_COMMENTS + 2):
        play.feed(asked(second, fault_id, "comment", comment=f"at {second}"))
    (shown,) = snapshots(play.state)["faults"]["active"]
    assert [one["comment"] for one in shown["comments"]] == [
        f"at {second}" for second in range(5, 3 + MAX_COMMENTS + 2)
    ]


def test_a_shelved_fault_still_stops_the_machine() -> None:
    play, fault_id = stopped()
    play.feed(shelve(3, fault_id, 100), seen(4, run=True))
    assert snapshots(play.state)["status"]["state"] == "fault"
    assert of_type(play.events, "status")[-1]["state"] == "fault"


def test_a_shelf_ends_by_a_tick_also_before_anything_was_read() -> None:
    play, fault_id = stopped()
    play.feed(shelve(3, fault_id, 100), started(10, last_alive=9))
    assert next_due_s(play.state, play.rules) == 100
    assert play.feed(tick(99)) == []
    (event,) = of_type(play.feed(tick(100)), "fault")
    assert (event["transition"], event["by"], event["quality"]) == ("unshelved", None, "uncertain")
    assert next_due_s(play.state, play.rules) is None


def test_a_shelf_without_a_fault_on_it_ends_unheard() -> None:
    play, fault_id = stopped()
    play.feed(shelve(3, fault_id, 100), seen(5, alarm_word=0))
    assert snapshots(play.state)["faults"]["shelved"] == [
        {
            "tag": "alarm_word",
            "number": 0,
            "until": "2026-03-20T01:01:40.000Z",
            "by": "li",
            "comment": "sensor ordered",
        }
    ]
    assert play.feed(tick(100)) == []
    assert snapshots(play.state)["faults"]["shelved"] == []


def test_a_shelf_lasts_by_the_monotonic_clock_while_the_gateway_runs() -> None:
    play, fault_id = stopped()
    play.feed(shelve(3, fault_id, 100))
    stepped = replace(tick(50), at=at(50) + timedelta(days=1))
    assert of_type(play.feed(stepped), "fault") == []


def test_a_shelf_without_a_monotonic_end_ends_by_the_wall_clock() -> None:
    play, fault_id = stopped()
    play.feed(shelve(3, fault_id, 100))
    memory = play.state.durable.fault_memory
    shelves = {
        k: replace(s, until=replace(s.until, mono_s=None)) for k, s in memory.shelves.items()
    }
    memory = replace(memory, shelves=shelves)
    play.state = play.state._replace(durable=replace(play.state.durable, fault_memory=memory))
    assert next_due_s(play.state, play.rules) is None
    assert len(of_type(play.feed(tick(100)), "fault")) == 1


def test_a_shelf_can_be_made_longer_and_their_number_is_bounded() -> None:
    play = Play(press(faults=(FaultRule("alarm_word", "bits", {}),))).awake()
    play.feed(seen(2, alarm_word=(1 << MAX_SHELVES + 1) - 1))
    ids = [data["fault_id"] for data in of_type(play.events, "fault")]
    for fault_id in ids[:MAX_SHELVES]:
        play.feed(shelve(3, fault_id, 100))
    error = refusal(play.state, shelve(4, ids[MAX_SHELVES], 100), play.rules)
    assert error == f"{MAX_SHELVES} faults of this equipment are shelved already"
    assert refusal(play.state, shelve(4, ids[0], 200), play.rules) is None


def test_the_end_of_a_source_ends_its_faults() -> None:
    play, fault_id = stopped()
    play.rules = replace(play.rules, faults=())
    play.feed(started(9, last_alive=8))
    (cleared,) = [d for d in of_type(play.events, "fault") if d["transition"] == "cleared"]
    assert (cleared["fault_id"], cleared["quality"]) == (fault_id, "uncertain")
    assert play.state.durable.faults == {}


ACTIONS: st.SearchStrategy[FaultAction] = st.sampled_from(get_args(FaultAction))


@st.composite
def happenings(draw: st.DrawFn) -> list[Fact]:
    """A word that changes, a link that is lost, restarts; people act on what they see."""
    facts: list[Fact] = [started(0), seen(1, **IDLE)]
    second = 1.0
    for _ in range(draw(st.integers(0, 15))):
        second += draw(st.sampled_from([0.5, 1.0, 10.0, 61.0]))
        kind = draw(st.sampled_from(["seen", "seen", "lost", "tick", "started"]))
        kinds: dict[str, Fact] = {
            "seen": seen(second, alarm_word=draw(st.integers(0, 9))),
            "lost": lost(second),
            "tick": tick(second),
            "started": Started(at(second), second, draw(st.sampled_from("ab")), at(second - 1)),
        }
        facts.append(kinds[kind])
    return facts


def person(draw: st.DataObject, state: EquipmentState, second: float) -> Commanded:
    ids = [fault.fault_id for fault in state.durable.faults.values()]
    ids += [cleared.fault_id for cleared in state.durable.fault_memory.unacked]
    return asked(
        second,
        draw.draw(st.sampled_from([*ids, "press-07.alarm_word.0.0"])),
        draw.draw(ACTIONS),
        comment=draw.draw(st.none() | st.just("said")),
        until=draw.draw(st.none() | st.sampled_from([at(second + 30), at(second - 1)])),
    )


@given(happenings(), st.data())
def test_the_life_of_each_fault_is_one_line(facts: list[Fact], draw: st.DataObject) -> None:
    rules, state = press(), EquipmentState.new("press-07")
    events: list[Event] = []
    for fact in facts:
        state, fresh = step(state, fact, rules)
        events += fresh
        if draw.draw(st.booleans()):
            word = person(draw, state, fact.mono_s)
            refused = refusal(state, word, rules)
            state, fresh = step(state, word, rules)
            assert (refused is None) == (len(of_type(fresh, "fault")) == 1)
            events += fresh
    assert durable.load(durable.dump(state)).durable == state.durable
    SNAPSHOT.validate(snapshots(state)["faults"])
    lives: dict[str, list[dict[str, Any]]] = {}
    for data in of_type(events, "fault"):
        EVENT.validate(data)
        lives.setdefault(data["fault_id"], []).append(data)
    for life in lives.values():
        steps = [data["transition"] for data in life]
        assert steps[0] == "raised"
        assert steps.count("raised") == 1
        assert steps.count("cleared") <= 1
        assert steps.count("acked") <= 1
        if "cleared" in steps:
            assert set(steps[steps.index("cleared") + 1 :]) <= {"acked"}
        assert [data["raises"] for data in life] == sorted(data["raises"] for data in life)
    active = {fault.fault_id for fault in state.durable.faults.values()}
    assert active == {id_ for id_, life in lives.items() if all(data["active"] for data in life)}
