from typing import Any

from gateway.domain.commanding import refusal
from gateway.domain.commands import ScrapCommand
from gateway.domain.counts import MAX_TOTAL
from gateway.domain.facts import Commanded
from gateway.domain.rules import BalanceRule
from gateway.domain.scrap import MAX_COUNTERS
from tests.unit.domain.scene import Play, at, of_type, press


def ask(second: float, quantity: int = 2, **more: Any) -> Commanded:
    return Commanded(at(second), second, ScrapCommand("s", quantity, "Li", **more))


def refused(play: Play, asked: Commanded) -> str:
    """Return why, and see that it changes nothing."""
    before = play.state
    assert play.feed(asked) == []
    assert play.state is before
    return refusal(play.state, asked, play.rules) or ""


def test_a_person_counts_beside_the_machine() -> None:
    play = Play().awake()
    play.feed(ask(2), ask(3, 5, reason="scratched"), ask(4, kind="rework"))
    told = of_type(play.events, "count")
    assert [(row["counter"], row["delta"], row["total"]) for row in told] == [
        ("manual_reject", 2, 2),
        ("manual_reject", 5, 7),
        ("manual_rework", 2, 2),
    ]
    assert {row["origin"] for row in told} == {"manual"}
    assert [row["reason"] for row in told] == [None, "scratched", None]
    assert told[0]["window"]["from"] is None


def test_no_counter_of_the_machine_can_be_written_to() -> None:
    play = Play().awake()
    assert "of the machine" in refused(play, ask(2, counter="good"))
    without = Play(press(counters=()), play.state)
    assert "was a counter" in refused(without, ask(2, counter="good"))
    derives = Play(press(balance=BalanceRule("good", "bad", "total", "total")))
    assert "of the machine" in refused(derives, ask(2, counter="total"))


def test_a_manual_counter_keeps_its_kind_and_its_bounds() -> None:
    play = Play().awake()
    play.feed(ask(2, counter="sorted_out"))
    assert "counts reject" in refused(play, ask(3, counter="sorted_out", kind="rework"))
    assert "cannot take" in refused(play, ask(3, MAX_TOTAL, counter="sorted_out"))


def test_there_are_not_endlessly_many() -> None:
    play = Play().awake()
    play.feed(*(ask(2, counter=f"c{n}") for n in range(MAX_COUNTERS)))
    assert len(of_type(play.events, "count")) == MAX_COUNTERS
    assert "manual counters" in refused(play, ask(3, counter="one-more"))
    assert refusal(play.state, ask(3, counter="c0"), play.rules) is None
