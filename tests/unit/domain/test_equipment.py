from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import durable
from gateway.domain.commands import OrderCommand
from gateway.domain.equipment import next_due_s, step
from gateway.domain.facts import Commanded, Fact, Observation, SeriesBegan
from gateway.domain.rules import Alive
from gateway.domain.snapshot import KINDS, snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Order, Reason
from tests.unit.domain.scene import (
    IDLE,
    TAGS,
    Play,
    assert_waits,
    at,
    lost,
    of_type,
    press,
    seen,
    started,
    tick,
)

ORDER = Order("WO-1042", "10", "A-77", planned_qty=500)


def order(second: float, of: Order | None = ORDER) -> Commanded:
    return Commanded(at(second), second, OrderCommand("c-1", of, by="mes"))


def test_an_order_cuts_the_interval_and_is_stamped_on_every_fact() -> None:
    play = Play().awake()
    play.feed(order(3), seen(4, run=True, good_parts=102, alarm_word=8, temperature=1.0))
    cut, running = of_type(play.events, "status")
    assert (cut["state"], cut["cause"], cut["prev_state"]) == ("idle", "order", "idle")
    assert cut["prev_duration_ms"] == 2000
    assert running["prev_duration_ms"] == 1000
    for event in play.events:
        if event.type in ("status", "count", "fault", "reading"):
            assert event.data()["order"]["order_no"] == "WO-1042"


def test_an_order_ends() -> None:
    play = Play().awake()
    play.feed(order(3), order(5, None))
    assert of_type(play.events, "status")[1]["order"] is None
    assert snapshots(play.state)["order"]["order"] is None


def test_a_new_series_says_where_everything_stands() -> None:
    play = Play().awake()
    play.feed(seen(3, run=True, good_parts=103, alarm_word=8))
    before = play.state
    opened = play.feed(SeriesBegan(at(9), 9))
    assert play.state.durable is before.durable
    assert [(d["anomaly"], d["delta"], d["total"]) for d in of_type(opened, "count")] == [
        ("baseline", 0, 3)
    ]
    assert [(d["state"], d["since"]) for d in of_type(opened, "status")] == [
        ("running", "2026-03-20T01:00:03.000Z")
    ]
    assert [(d["code"], d["transition"]) for d in of_type(opened, "fault")] == [("E04", "raised")]


def test_a_series_of_an_equipment_never_read_is_empty() -> None:
    assert Play().feed(SeriesBegan(at(9), 9)) == []


def test_an_order_may_come_before_anything_is_known() -> None:
    play = Play()
    play.feed(order(3))
    assert of_type(play.events, "status")[0]["state"] == "offline"


def test_link_health_is_told_once_per_change() -> None:
    play = Play()
    play.feed(started(0), seen(1, **IDLE), seen(2), lost(3), lost(4), seen(5, **IDLE))
    assert [(d["state"], d["last_ok"]) for d in of_type(play.events, "health")] == [
        ("online", "2026-03-20T01:00:01.000Z"),
        ("offline", "2026-03-20T01:00:02.000Z"),
        ("online", "2026-03-20T01:00:05.000Z"),
    ]


def test_a_link_that_never_answered_has_no_last_reply() -> None:
    play = Play()
    play.feed(started(0), lost(1))
    assert of_type(play.events, "health")[0]["last_ok"] is None


def test_values_the_device_dropped_are_a_gap() -> None:
    play = Play().awake()
    play.feed(seen(2)._replace(overflowed={"temperature": 3}))
    data = of_type(play.events, "gap")[0]
    assert (data["stream"], data["count"], data["reason"]) == (
        "reading:temperature",
        3,
        "not_observed",
    )


def test_a_batch_that_changes_nothing_leaves_the_durable_state_the_same_object() -> None:
    play = Play().awake()
    before = play.state.durable
    assert play.feed(seen(2)) == []
    assert play.state.durable is before
    assert play.feed(seen(3, temperature=50.0))
    assert play.state.durable is before


def test_due_moments() -> None:
    play = Play(press(min_hold_s=1.0, alive=Alive("good_parts", 60))).awake()
    play.feed(seen(5, good_parts=101))
    assert next_due_s(play.state, play.rules) == 65
    play.feed(seen(6, run=True))
    assert next_due_s(play.state, play.rules) == 7
    play.feed(tick(65))  # frozen since 5, which is longer than the hold
    assert next_due_s(play.state, play.rules) is None


def test_a_tick_before_anything_was_read_does_nothing() -> None:
    play = Play()
    play.feed(started(0))
    assert play.feed(tick(1)) == []


def test_snapshots_show_the_present() -> None:
    play = Play().awake()
    assert set(snapshots(EquipmentState.new("x"))) == set(KINDS) - {"status", "usage"}
    play.feed(order(2), seen(3, run=True, good_parts=103, alarm_word=8), lost(9))
    shown = snapshots(play.state)
    assert shown["status"]["state"] == "offline"
    assert shown["counters"]["counters"] == [
        {
            "counter": "good",
            "kind": "good",
            "total": 3,
            "raw": 103,
            "unit": "1",
            "at": "2026-03-20T01:00:03.000Z",
            "origin": "device",
            "withheld": 0,
            "out_of_order": 0,
            "dark_since": "2026-03-20T01:00:03.000Z",
        }
    ]
    assert [(f["code"], f["quality"]) for f in shown["faults"]["active"]] == [("E04", "uncertain")]
    assert shown["health"]["links"][0]["state"] == "offline"
    assert shown["order"]["order"]["order_no"] == "WO-1042"
    assert shown["order"]["planned_qty"] == 500


def test_the_durable_state_survives_its_encoding() -> None:
    play = Play().awake()
    play.feed(order(2), seen(3, run=True, good_parts=60_000, alarm_word=9), lost(9))
    assert durable.load(durable.dump(play.state)).durable == play.state.durable


def test_a_reason_survives_its_encoding() -> None:
    rules = press()
    status = tuple(replace(r, reason=Reason("R1", "starved", {"zh": "缺料"})) for r in rules.status)
    play = Play(replace(rules, status=status)).awake()
    assert durable.load(durable.dump(play.state)).durable == play.state.durable


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
)
NAMES = st.sampled_from([*TAGS, "unknown_tag"])


@st.composite
def facts(draw: st.DrawFn) -> Any:
    second = draw(st.floats(-1e6, 1e6, allow_nan=False))
    kind = draw(st.sampled_from(["seen", "lost", "tick", "started", "order"]))
    if kind == "seen":
        given_values = draw(st.dictionaries(NAMES, VALUES, max_size=5))
        changed = {tag: value for tag, value in given_values.items() if value is not None}
        bad = draw(st.dictionaries(NAMES, st.just("bad_status"), max_size=2))
        covers = frozenset(draw(st.sets(NAMES)))
        return Observation("plc", at(second), second, covers, changed, bad)
    return {
        "lost": lost(second),
        "tick": tick(second),
        "started": started(
            second, draw(st.none() | st.just(second - 5)), draw(st.text(max_size=1))
        ),
        "order": order(second, draw(st.sampled_from([ORDER, None]))),
    }[kind]


@given(st.lists(facts(), max_size=25), st.sampled_from([Alive("good_parts", 60), None]))
def test_step_is_total_and_deterministic_and_its_intervals_abut(
    given_facts: list[Fact], alive: Alive | None
) -> None:
    rules = press(min_hold_s=2.0, alive=alive)
    state = again = EquipmentState.new("press-07")
    since = None
    for fact in given_facts:
        before = state
        state, events = step(before, fact, rules)
        assert_waits(before, state, rules)
        again, same_events = step(again, fact, rules)
        assert events == same_events
        for event in events:
            event.data()
            if event.type == "status":
                assert since is None or event.at >= since
                since = event.at
    assert state == again
    assert durable.load(durable.dump(state)).durable == state.durable
