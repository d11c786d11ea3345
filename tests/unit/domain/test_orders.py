from datetime import timedelta

from gateway.domain.commanding import refusal
from gateway.domain.commands import OrderCommand
from gateway.domain.facts import Commanded
from gateway.domain.orders import CLOCKS_APART, crosses, in_force_at
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Order
from tests.unit.domain.scene import Play, at, of_type, seen

A, B = Order("WO-A", product="A-77"), Order("WO-B")


def ask(second: float, order: Order | None, name: str = "c", **more: float) -> Commanded:
    effective = at(more["effective"]) if "effective" in more else None
    return Commanded(at(second), second, OrderCommand(name, order, effective, "mes"))


def test_an_order_may_be_given_before_anything_is_known() -> None:
    play = Play()
    (event,) = play.feed(ask(1, A))
    assert event.data()["cause"] == "order"
    assert event.data()["state"] == "offline"
    assert in_force_at(play.state.durable, at(2)) == A


def test_the_same_order_again_is_no_event_but_its_sender_is_noted() -> None:
    play = Play().awake()
    play.feed(ask(2, A, "c-1", effective=1))
    assert play.feed(ask(5, Order("WO-A", product="A-77", planned_qty=9), "c-2")) == []
    shown = snapshots(play.state)["order"]
    assert (shown["command_id"], shown["planned_qty"]) == ("c-2", 9)
    assert shown["since"] == "2026-03-20T01:00:02.000Z"
    assert shown["effective_at"] == "2026-03-20T01:00:01.000Z"


def test_no_order_taken_away_is_no_event() -> None:
    play = Play().awake()
    before = play.state.durable
    assert play.feed(ask(2, None)) == []
    assert play.state.durable is before


def test_an_order_for_later_is_refused_and_changes_nothing() -> None:
    play = Play().awake()
    before = play.state
    late = ask(2, A, effective=60)
    assert refusal(play.state, late, play.rules) is not None
    assert play.feed(late) == []
    assert play.state == before
    ahead = (at(2) + CLOCKS_APART - at(0)) / timedelta(seconds=1)
    assert refusal(play.state, ask(2, A, effective=ahead), play.rules) is None


def test_an_order_that_comes_late_says_since_when_it_should_have_been() -> None:
    play = Play().awake()
    play.feed(ask(60, A, effective=30))
    (cut,) = of_type(play.events, "status")
    assert cut["order_effective_at"] == "2026-03-20T01:00:30.000Z"
    assert cut["since"] == "2026-03-20T01:01:00.000Z"


def test_each_part_has_the_order_of_its_reading() -> None:
    play = Play().awake()
    play.feed(ask(5, A), seen(5, good_parts=101), seen(6, good_parts=102), ask(7, B))
    play.feed(seen(8, good_parts=103), seen(9, good_parts=104))
    told = [
        (row["order"] and row["order"]["order_no"], row["order_ambiguous"])
        for row in of_type(play.events, "count")
    ]
    assert told == [(None, False), ("WO-A", False), ("WO-B", True), ("WO-B", False)]


def test_without_a_change_nothing_crosses_it() -> None:
    durable = EquipmentState.new("x").durable
    assert not crosses(durable, at(0), at(9))
    play = Play().awake()
    play.feed(ask(5, A))
    durable = play.state.durable
    assert crosses(durable, at(4), at(6))
    assert not crosses(durable, None, at(6))
    assert not crosses(durable, at(5), at(6))
