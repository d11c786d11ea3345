from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.durable import dump, load
from gateway.domain.events import FaultText, Health
from gateway.domain.snapshot import snapshots
from gateway.domain.state import (
    ActiveFault,
    CounterState,
    Durable,
    EquipmentState,
    LinkHealth,
    Moment,
    OpenStatus,
    OrderInForce,
)
from gateway.domain.vocabulary import Json, Order, Reason, State
from gateway.web.board import (
    COLLECTOR_SILENT,
    EquipmentCard,
    Tile,
    Tiles,
    changes,
    keep_equal,
    tile,
    unobserved,
)
from tests.support.board import NOW, OVEN, PRESS, ago, counters, fault, links, press, status

JAM = FaultText("E204", {"zh": "模具未闭合", "en": "Mould open"}, severity=901)
LOW = FaultText("W077", {"en": "Oil low"}, severity=667, stops_machine=False)
DUST = FaultText("W078", severity=666, stops_machine=False)


def test_an_equipment_never_read_is_offline_and_claims_no_time() -> None:
    shown = tile(OVEN, {})
    assert shown.state is State.OFFLINE
    assert (shown.since, shown.reason, shown.counters, shown.faults) == (None, None, (), ())


def test_a_tile_shows_state_counters_links_and_order() -> None:
    shown = tile(PRESS, press(State.RUNNING)["press-07"])
    assert (shown.state, shown.since) == (State.RUNNING, "2026-03-20T00:59:59.123Z")
    assert [(row.counter, row.kind, row.total) for row in shown.counters] == [("good", "good", 12)]
    assert [(link.link, link.state) for link in shown.links] == [("plc", "online")]
    assert shown.order is not None
    assert (shown.order.order_no, shown.order.planned_qty) == ("WO-1042", 500)


def test_a_link_is_on_its_way_up_until_something_is_told_of_it() -> None:
    card = replace(PRESS, links=frozenset({"plc", "meter"}))
    of_plc = Health(at=NOW, link="plc", state="offline")
    of_no_more = Health(at=NOW, link="gone", state="online")
    shown = tile(card, {"health": links(of_plc, of_no_more)})
    assert [(link.link, link.state) for link in shown.links] == [
        ("meter", "starting"),
        ("plc", "offline"),
    ]


def test_the_good_parts_stand_first_whatever_their_name() -> None:
    shown = tile(PRESS, {"counters": counters(NOW, energy=1, reject=2, good=3)})
    assert [row.counter for row in shown.counters] == ["good", "reject", "energy"]


def test_faults_come_unacknowledged_first_then_by_priority_then_oldest() -> None:
    active = [
        fault(JAM, ago(50), acked=True),
        fault(DUST, ago(90)),
        fault(LOW, ago(10)),
        fault(replace(LOW, code="W070"), ago(20), quality="uncertain"),
    ]
    shown = tile(PRESS, {"faults": {"active": active}}).faults
    assert [(row.code, row.priority) for row in shown] == [
        ("W070", 2),
        ("W077", 2),
        ("W078", 3),
        ("E204", 1),
    ]
    assert shown[0].quality == "uncertain"
    assert shown[-1].text == JAM.text


def test_a_tile_is_made_of_what_the_domain_really_stores() -> None:
    long_ago = Moment(ago(60), None)
    durable = Durable(
        "press-07",
        status=OpenStatus(State.FAULT, long_ago, Reason("E204", "equipment"), "auto"),
        counters={"good": CounterState("id", 7, long_ago, 1207, "good", "1")},
        faults={"alarm/3": ActiveFault("f-1", JAM, long_ago)},
        links={"plc": LinkHealth("offline", ago(5), error={"class": "Unreachable", "text": "x"})},
        order=OrderInForce(Order("WO-1", product="A"), "c-1", ago(9)),
    )
    shown = tile(PRESS, snapshots(load(dump(EquipmentState(durable)))))
    assert shown.state is State.FAULT
    assert shown.since == "2026-03-20T01:00:29.123Z"
    assert shown.counters[0].total == 1207
    assert shown.faults[0].fault_id == "f-1"
    assert shown.links[0].error == {"class": "Unreachable", "text": "x"}
    assert shown.order is not None
    assert shown.order.product == "A"


def test_a_silent_collector_makes_a_tile_offline_since_its_last_sign_of_life() -> None:
    known = tile(PRESS, press(State.RUNNING)["press-07"])
    shown = unobserved(known, ago(30))
    assert (shown.state, shown.since) == (State.OFFLINE, "2026-03-20T01:00:59.123Z")
    assert shown.reason == COLLECTOR_SILENT.data()
    assert shown.counters == known.counters


def test_what_was_offline_before_the_collector_fell_silent_keeps_its_own_reason() -> None:
    reason = Reason("no_link", "comms")
    known = tile(PRESS, {"status": status(State.OFFLINE, ago(90), reason)})
    assert unobserved(known, ago(30)) == known


def test_equal_boards_differ_in_nothing_and_keep_their_objects() -> None:
    old = {"press-07": tile(PRESS, press(State.RUNNING)["press-07"])}
    new = {"press-07": tile(PRESS, press(State.RUNNING)["press-07"])}
    assert changes(old, new) is None
    assert keep_equal(old, new) is old


def test_only_the_changed_fields_of_the_changed_tiles_are_told() -> None:
    old = {"press-07": tile(PRESS, press(State.RUNNING)["press-07"]), "oven-01": tile(OVEN, {})}
    snaps = press(State.RUNNING, total=13)["press-07"]
    new = keep_equal(old, {"press-07": tile(PRESS, snaps), "oven-01": tile(OVEN, {})})
    assert new["oven-01"] is old["oven-01"]
    difference = changes(old, new)
    assert difference is not None
    assert list(difference["set"]) == ["press-07"]
    assert list(difference["set"]["press-07"]) == ["counters"]


def apply(old: Tiles, difference: Json | None) -> dict[str, Tile]:
    board = dict(old)
    for equipment in (difference or {"del": []})["del"]:
        del board[equipment]
    for equipment, fields in (difference or {"set": {}})["set"].items():
        known = board.get(equipment)
        board[equipment] = Tile(**fields) if known is None else replace(known, **fields)
    return board


def a_tile(equipment: str, state: State, good: int, health: str) -> Tile:
    card = EquipmentCard(equipment, links=frozenset({"plc"}))
    link: Any = health
    snaps = {
        "status": status(state, ago(good)),
        "counters": counters(NOW, good=good),
        "health": links(Health(at=NOW, link="plc", state=link)),
    }
    return tile(card, snaps)


boards = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.tuples(
        st.sampled_from(list(State)), st.integers(0, 3), st.sampled_from(["online", "offline"])
    ),
).map(lambda drawn: {key: a_tile(key, *what) for key, what in drawn.items()})


@given(boards, boards)
def test_changes_applied_to_the_old_board_give_the_new_one(old: Tiles, new: Tiles) -> None:
    kept = keep_equal(old, new)
    assert kept == new
    assert apply(old, changes(old, kept)) == new
