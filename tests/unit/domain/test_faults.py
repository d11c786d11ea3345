from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.equipment import next_due_s
from gateway.domain.events import FaultText
from gateway.domain.fault_sources import numbers
from gateway.domain.faults import due_s
from gateway.domain.rules import FaultRule
from tests.unit.domain.scene import IDLE, Play, lost, of_type, press, seen, started, tick

BITS = FaultRule("alarm_word", "bits", {})
CODE = FaultRule("alarm_word", "code", {})
BITS_2 = FaultRule("temperature", "bits", {0: FaultText("T0"), 1: FaultText("T1")})


def steps(play: Play) -> list[tuple[str, str]]:
    return [(data["code"], data["transition"]) for data in of_type(play.events, "fault")]


@pytest.mark.parametrize(
    ("value", "rule", "shown"),
    [
        (0b1001, BITS, {0, 3}),
        (0, BITS, set()),
        (True, BITS, {0}),
        (-1, BITS, set(range(16))),
        (17, CODE, {17}),
        (0, CODE, set()),
        (17.0, CODE, {17}),
        (17.5, CODE, None),
        ("17", CODE, None),
    ],
)
def test_numbers(value: Value, rule: FaultRule, shown: set[int] | None) -> None:
    assert numbers(value, rule) == shown


def test_one_occurrence_from_raised_to_cleared() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=1), seen(3), seen(5, alarm_word=0))
    raised, cleared = of_type(play.events, "fault")
    assert raised["fault_id"] == cleared["fault_id"]
    assert (raised["transition"], raised["active"], raised["severity"]) == ("raised", True, 950)
    assert (cleared["transition"], cleared["active"], cleared["duration_ms"]) == (
        "cleared",
        False,
        3000,
    )
    assert cleared["raised_at"] == "2026-03-20T01:00:02.000Z"


def test_two_bits_are_two_occurrences_and_a_new_raise_is_a_new_one() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=0b1001), seen(3, alarm_word=8), seen(4, alarm_word=9))
    assert steps(play) == [
        ("E01", "raised"),
        ("E04", "raised"),
        ("E01", "cleared"),
        ("E01", "raised"),
    ]
    ids = [data["fault_id"] for data in of_type(play.events, "fault") if data["code"] == "E01"]
    assert ids[0] == ids[1] != ids[2]


def test_a_code_that_changes_clears_one_and_raises_the_other() -> None:
    play = Play(press(faults=(CODE,))).awake()
    play.feed(seen(2, alarm_word=12), seen(3, alarm_word=7))
    assert sorted(steps(play)) == [("12", "cleared"), ("12", "raised"), ("7", "raised")]


def test_an_unknown_bit_is_raised_as_unknown_in_both_languages() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=0b100))
    data = of_type(play.events, "fault")[0]
    assert data["code"] == "alarm_word.2"
    assert set(data["text"]) == {"zh", "en"}
    assert data["stops_machine"] is False


def test_a_lost_link_freezes_and_the_next_sample_reconciles() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=0b1001), lost(4))
    assert [(d["code"], d["quality"]) for d in of_type(play.events, "fault")[2:]] == [
        ("E01", "uncertain"),
        ("E04", "uncertain"),
    ]
    play.events.clear()
    play.feed(seen(9, **(IDLE | {"alarm_word": 8})))
    assert steps(play) == [("E01", "cleared"), ("E04", "updated")]


def test_a_fault_outlives_a_restart_as_one_occurrence() -> None:
    play = Play().awake()
    play.feed(seen(2, alarm_word=1), started(9, last_alive=5))
    play.feed(seen(10, **(IDLE | {"alarm_word": 1})), seen(12, alarm_word=0))
    assert steps(play) == [
        ("E01", "raised"),
        ("E01", "updated"),
        ("E01", "updated"),
        ("E01", "cleared"),
    ]
    assert len({data["fault_id"] for data in of_type(play.events, "fault")}) == 1


def test_delays_swallow_pulses_and_date_to_the_edge() -> None:
    delayed = replace(press().faults[0], on_delay_s=2.0, off_delay_s=1.0)
    play = Play(press(faults=(delayed,))).awake()
    play.feed(seen(2, alarm_word=1), seen(3, alarm_word=0), seen(10))
    assert steps(play) == []
    play.feed(seen(20, alarm_word=1))
    assert next_due_s(play.state, play.rules) == 22
    play.feed(tick(22))
    assert of_type(play.events, "fault")[0]["raised_at"] == "2026-03-20T01:00:20.000Z"
    play.feed(seen(30, alarm_word=0))
    assert next_due_s(play.state, play.rules) == 31
    play.feed(seen(30.5, alarm_word=1), seen(40, alarm_word=0), tick(41))
    assert steps(play) == [("E01", "raised"), ("E01", "cleared")]
    assert next_due_s(play.state, play.rules) is None


def test_what_waits_for_a_source_taken_away_is_not_due() -> None:
    delayed = replace(press().faults[0], on_delay_s=2.0)
    play = Play(press(faults=(delayed,))).awake()
    play.feed(seen(2, alarm_word=1))
    assert due_s(play.state.durable, play.state.live, play.rules) == 4
    assert due_s(play.state.durable, play.state.live, replace(play.rules, faults=())) is None


def test_an_edge_out_of_sight_is_not_due_and_begins_anew() -> None:
    delayed = replace(press().faults[0], on_delay_s=2.0)
    play = Play(press(faults=(delayed,))).awake()
    play.feed(seen(2, alarm_word=1), lost(3))
    assert next_due_s(play.state, play.rules) is None
    play.feed(seen(60, **(IDLE | {"alarm_word": 1})), tick(62))
    assert of_type(play.events, "fault")[0]["raised_at"] == "2026-03-20T01:01:00.000Z"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-32768, {15}),
        (-1, set(range(32))),
        (-(2**31), {31}),
        (-(2**40), set(range(40, 48))),
        (-(2**63), {63}),
    ],
)
def test_the_sign_of_a_word_is_one_bit_of_it(value: int, shown: set[int]) -> None:
    wide = replace(BITS, texts={20: FaultText("E20")})
    assert numbers(value, wide if value == -1 else BITS) == frozenset(shown)


@pytest.mark.parametrize(("value", "shown"), [(0b1001, {1}), (0, {0, 1, 3}), (-1, set())])
def test_inverted_bits_are_those_of_the_dictionary(value: int, shown: set[int]) -> None:
    texts = {bit: FaultText(f"E{bit}") for bit in (0, 1, 3)}
    assert numbers(value, replace(BITS, inverted=True, texts=texts)) == frozenset(shown)


@given(
    st.integers(-(2**80), 2**80) | st.floats() | st.booleans() | st.text(max_size=3),
    st.sampled_from([BITS, CODE, replace(BITS, inverted=True)]),
)
def test_any_value_shows_numbers_or_nothing_at_all(value: Value, rule: FaultRule) -> None:
    shown = numbers(value, rule)
    if rule.kind == "bits" and shown is not None:
        assert shown <= set(range(64))


def test_of_several_in_one_sample_one_is_the_first() -> None:
    play = Play(press(faults=(replace(CODE, texts={7: FaultText("7")}), BITS_2))).awake()
    play.feed(seen(2, alarm_word=7, temperature=3))
    assert [(d["code"], d["first_up"]) for d in of_type(play.events, "fault")] == [
        ("7", True),
        ("T0", False),
        ("T1", False),
    ]
