from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.balance import weigh
from gateway.domain.facts import Observation
from gateway.domain.rules import BalanceRule, CounterRule, EquipmentRules, TagRule
from tests.unit.domain.scene import Play, at, of_type, started

TAGS = ("good", "reject", "total")


def rules(balance: BalanceRule | None, *counters: str) -> EquipmentRules:
    return EquipmentRules(
        "press-07",
        counters=tuple(CounterRule(name, name, "good") for name in counters),
        balance=balance,
        tags={tag: TagRule(tag, "plc", "plc") for tag in TAGS},
    )


def three(**changes: Any) -> EquipmentRules:
    return rules(replace(BalanceRule("good", "reject", "total"), **changes), *TAGS)


def seen(second: float, covers: tuple[str, ...] = TAGS, **changed: int) -> Observation:
    return Observation("plc", at(second), second, frozenset(covers), changed)


def awake(of: EquipmentRules) -> Play:
    play = Play(of)
    play.feed(started(0), seen(1, good=10, reject=5, total=100))
    play.events.clear()
    return play


def told(play: Play) -> list[tuple[str, float, str]]:
    return [(r["counter"], r["delta"], r["anomaly"]) for r in of_type(play.events, "count")]


def derived(play: Play, name: str) -> list[float]:
    return [delta for counter, delta, _ in told(play) if counter == name]


def test_a_contradiction_is_said_once_and_again_after_it_had_fitted() -> None:
    play = awake(three())
    play.feed(seen(2, good=12, total=102), *(seen(n, total=103) for n in range(3, 9)))
    assert [row for row in told(play) if row[2] != "none"] == [("total", 0, "inconsistent")]
    play.feed(seen(9, reject=6), seen(10, total=104), seen(11))
    assert len([row for row in told(play) if row[2] == "inconsistent"]) == 2


def test_a_part_between_two_counters_is_tolerated_for_a_reading_or_by_number() -> None:
    play = awake(three())
    play.feed(seen(2, total=101), seen(3, good=11), seen(4))
    assert "inconsistent" not in [row[2] for row in told(play)]
    play = awake(three(tolerance=2))
    play.feed(seen(2, total=102), seen(3), seen(4))
    assert "inconsistent" not in [row[2] for row in told(play)]
    play.feed(seen(5, total=103), seen(6))
    assert "inconsistent" in [row[2] for row in told(play)]


def test_another_balance_begins_anew() -> None:
    play = awake(three())
    play.feed(seen(2, total=105), seen(3))
    check = play.state.durable.balance
    assert check is not None
    assert check.told
    play.rules = replace(play.rules, balance=BalanceRule("reject", "good", "total"))
    play.feed(seen(4))
    check = play.state.durable.balance
    assert check is not None
    assert (check.apart, check.told) == (5, False)


def test_nothing_is_concluded_without_all_of_them() -> None:
    play = awake(three())
    play.feed(seen(2, total=107), seen(3, ("x",)), seen(4)._replace(bad={"good": "device_refused"}))
    play.feed(seen(5), seen(6))
    assert "inconsistent" not in [row[2] for row in told(play)]
    unknown = Play(three())
    unknown.feed(started(0), seen(1, total=5), seen(2, total=9))
    assert unknown.state.durable.balance is None


def test_a_difference_never_falls_and_a_judgement_may_come_one_reading_later() -> None:
    play = awake(rules(BalanceRule("good", "reject", "total", "good"), "reject", "total"))
    play.feed(seen(2, total=101), seen(3, reject=6), seen(4), seen(5, total=103), seen(6))
    assert derived(play, "good") == [2]
    play.feed(seen(7, reject=9), seen(8, total=104), seen(9, total=105), seen(10), seen(11))
    assert derived(play, "good") == [2]
    play.feed(seen(12, total=107), seen(13))
    assert derived(play, "good") == [2, 1]
    assert play.state.durable.counters["good"].kind == "good"


def test_rejects_may_be_derived_too_and_wait_through_a_run() -> None:
    play = awake(rules(BalanceRule("good", "reject", "total", "reject"), "good", "total"))
    play.feed(seen(2, total=102), seen(3, total=104, good=12), seen(4), seen(5))
    assert derived(play, "reject") == [2]
    (row,) = [r for r in of_type(play.events, "count") if r["counter"] == "reject"]
    assert row["window"] == {"from": "2026-03-20T01:00:02.000Z", "to": "2026-03-20T01:00:04.000Z"}


def test_another_derivation_keeps_the_total_and_is_a_baseline() -> None:
    play = awake(rules(BalanceRule("good", "reject", "total", "total"), "good", "reject"))
    play.feed(seen(2, good=15))
    play.rules = replace(play.rules, balance=BalanceRule("reject", "good", "total", "total"))
    play.feed(seen(3, good=16))
    assert derived(play, "total") == [5, 0]
    assert play.state.durable.counters["total"].total == 5


def test_another_counter_says_nothing_about_the_balance() -> None:
    of = three()
    more = CounterRule("strokes", "strokes", "cycle")
    play = awake(replace(of, counters=(*of.counters, more)))
    play.feed(seen(2, total=107), *(seen(n, ("strokes",), strokes=n) for n in range(3, 9)))
    assert "inconsistent" not in [row[2] for row in told(play)]


def test_without_a_balance_there_is_nothing_to_weigh() -> None:
    play = awake(three())
    durable, live = play.state.durable, play.state.live
    none = rules(None, *TAGS)
    assert weigh(durable, live, {}, seen(2), none).durable is durable


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_a_derived_sum_is_that_of_its_parts(made: list[tuple[int, int]]) -> None:
    play = awake(rules(BalanceRule("good", "reject", "total", "total"), "good", "reject"))
    good, reject = 10, 5
    for n, (more_good, more_reject) in enumerate(made):
        good, reject = good + more_good, reject + more_reject
        play.feed(seen(2 + n, good=good, reject=reject))
    assert play.state.durable.counters["total"].total == good + reject - 15


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 2))
def test_a_derived_difference_ends_right_when_the_judgement_lags(bad: list[bool], lag: int) -> None:
    """What is judged by the next reading never counts as good."""
    play = awake(rules(BalanceRule("good", "reject", "total", "good"), "reject", "total"))
    for n in range(len(bad) + 4):
        total, judged = min(n, len(bad)), max(0, min(n - lag, len(bad)))
        play.feed(seen(2 + n, total=100 + total, reject=5 + sum(bad[:judged])))
    shown, truth = play.state.durable.counters["good"].total, len(bad) - sum(bad)
    assert shown >= truth
    if lag < 2:
        assert shown == truth
