"""Alarms that a device keeps itself, as a source of faults."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Condition, Value, conditions_of, conditions_text
from gateway.domain.fault_sources import number_of, numbers, seen
from gateway.domain.rules import FaultRule
from tests.unit.domain.scene import Play, lost, of_type, press
from tests.unit.domain.scene import seen as observed

ALARMS = FaultRule("alarm_word", "conditions", {}, stops_from=900)
DOOR = Condition("ns=2;s=Door", "Door", "门已打开", "zh", 950)
OIL = Condition("ns=2;s=Oil", "OilLevel", "Oil level low", "en", 400)

texts = st.text(max_size=20)
conditions = st.builds(
    Condition, texts, texts, texts, st.sampled_from(("zh", "en")), st.integers(1, 1000)
)


def play() -> Play:
    return Play(press(faults=(ALARMS,))).awake()


def told(of: Play) -> list[tuple[str, str]]:
    return [(data["code"], data["transition"]) for data in of_type(of.events, "fault")]


def test_each_condition_is_an_occurrence_that_needs_no_dictionary() -> None:
    shown = play()
    shown.feed(
        observed(2, alarm_word=conditions_text([DOOR])),
        observed(3, alarm_word=conditions_text([OIL, DOOR])),
        observed(5, alarm_word=conditions_text([OIL])),
        observed(6, alarm_word=conditions_text([])),
    )
    assert told(shown) == [
        ("Door", "raised"),
        ("OilLevel", "raised"),
        ("Door", "cleared"),
        ("OilLevel", "cleared"),
    ]
    door, oil, over, _ = of_type(shown.events, "fault")
    assert (door["text"], door["severity"], door["stops_machine"]) == (
        {"zh": "门已打开"},
        950,
        True,
    )
    assert (oil["text"], oil["stops_machine"]) == ({"en": "Oil level low"}, False)
    assert over["fault_id"] == door["fault_id"]
    assert over["duration_ms"] == 3000
    assert shown.state.durable.fault_memory.unknown == {}


def test_where_nothing_is_said_no_condition_stops_the_machine() -> None:
    rule = replace(ALARMS, stops_from=None)
    shown = seen(rule, conditions_text([DOOR]))
    assert shown is not None
    assert [text.stops_machine for text in shown[0].texts.values()] == [False]


def test_what_a_condition_says_anew_is_told_and_not_raised_again() -> None:
    shown = play()
    shown.feed(
        observed(2, alarm_word=conditions_text([OIL])),
        observed(4, alarm_word=conditions_text([replace(OIL, severity=800, text="Oil empty")])),
        observed(4.5, alarm_word=conditions_text([replace(OIL, severity=810, text="No oil")])),
        observed(6, alarm_word=conditions_text([])),
    )
    assert told(shown) == [("OilLevel", "raised"), ("OilLevel", "updated"), ("OilLevel", "cleared")]
    raised, updated, cleared = of_type(shown.events, "fault")
    assert raised["fault_id"] == updated["fault_id"] == cleared["fault_id"]
    assert (updated["severity"], updated["text"]) == (800, {"en": "Oil empty"})
    assert (cleared["severity"], cleared["text"]) == (810, {"en": "No oil"})


def test_a_lost_link_freezes_conditions_and_the_next_list_decides() -> None:
    shown = play()
    shown.feed(
        observed(2, alarm_word=conditions_text([OIL, DOOR])),
        lost(3),
        observed(9, alarm_word=conditions_text([OIL])),
    )
    after = [(d["code"], d["transition"], d["quality"]) for d in of_type(shown.events, "fault")][2:]
    assert sorted(after) == [
        ("Door", "cleared", "good"),
        ("Door", "updated", "uncertain"),
        ("OilLevel", "updated", "good"),
        ("OilLevel", "updated", "uncertain"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        True,
        7,
        1.5,
        "",
        "[",
        "null",
        "7",
        '{"a":1}',
        "[1]",
        '[["id","code"]]',
        '[["id","code","text","fr",5]]',
        '[["id","code","text","en","5"]]',
        '[["id","code","text","en",true]]',
        '[["id",7,"text","en",5]]',
        "[" * 5000,
    ],
)
def test_a_value_that_is_no_list_says_nothing(value: Value) -> None:
    assert seen(ALARMS, value) is None


def test_nothing_read_says_nothing() -> None:
    assert seen(ALARMS, None) is None


@given(st.lists(conditions, max_size=5))
def test_a_list_is_read_as_it_was_written_whatever_its_order(active: list[Condition]) -> None:
    text = conditions_text(active)
    read = conditions_of(text)
    assert read is not None
    assert sorted(map(repr, read)) == sorted(map(repr, active))
    assert conditions_text(reversed(active)) == text
    assert all(0 < number_of(one) < 2**48 for one in active)


@pytest.mark.parametrize("value", [1e300, -1e300, 2.0**64, 10**400])
@pytest.mark.parametrize("kind", ["bits", "code"])
def test_what_64_bits_do_not_hold_is_no_number(value: float, kind: Literal["bits", "code"]) -> None:
    assert numbers(value, FaultRule("word", kind, {})) is None
