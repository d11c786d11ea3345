from dataclasses import replace
from itertools import count, pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import chatter
from gateway.domain.equipment import next_due_s
from gateway.domain.events import Event, FaultText
from gateway.domain.rules import FaultRule
from gateway.domain.state import ActiveFault, Moment, Raised
from tests.unit.domain.scene import Play, at, lost, moment, of_type, press, seen, started, tick

RULE = FaultRule("alarm_word", "bits", {})
FAULT = ActiveFault("press-07.alarm_word.0.a", FaultText("E01"), moment(10), chattering=True)


def raises(*seconds: float, key: str = "alarm_word/0") -> tuple[Raised, ...]:
    return tuple(Raised(key, moment(second)) for second in seconds)


def test_three_raises_within_a_minute_chatter() -> None:
    key = "alarm_word/0"
    assert chatter.chatters(raises(0, 30, 59.9), key, moment(59.9), RULE)
    assert not chatter.chatters(raises(0, 30, 60), key, moment(60), RULE)
    other = raises(0, 1, key="alarm_word/1")
    assert not chatter.chatters((*other, *raises(2)), key, moment(2), RULE)


def test_chatter_can_be_off_or_begin_with_the_second_raise() -> None:
    key = "alarm_word/0"
    off, early = replace(RULE, chatter_raises=0), replace(RULE, chatter_raises=2)
    assert not chatter.chatters(raises(0, 1, 2, 3), key, moment(3), off)
    assert chatter.chatters(raises(0, 1), key, moment(1), early)


def test_more_than_ten_raises_in_ten_minutes_are_a_flood() -> None:
    assert not chatter.floods(raises(*range(10)), moment(9))
    assert chatter.floods(raises(*range(11)), moment(10))
    assert not chatter.floods(raises(*range(11)), moment(600))


def test_the_memory_of_raises_is_bounded_in_time_and_number() -> None:
    assert chatter.remember(raises(0, 1), "a/0", moment(600.5)) == (
        *raises(1),
        Raised("a/0", moment(600.5)),
    )
    many: tuple[Raised, ...] = ()
    for number in range(1000):
        many = chatter.remember(many, f"a/{number}", moment(5))
    assert len(many) == chatter.MAX_REMEMBERED
    assert many[-1].key == "a/999"


def test_a_quiet_fault_is_over_after_its_time_and_not_while_its_source_is_lost() -> None:
    quiet = replace(FAULT, quiet_since=moment(20))
    assert chatter.over_since(quiet, RULE, moment(79.9)) is None
    assert chatter.over_since(quiet, RULE, moment(80)) == moment(20)
    assert chatter.over_since(FAULT, RULE, moment(1000)) is None
    assert chatter.over_at_s(quiet, RULE) == 80
    assert chatter.over_at_s(FAULT, RULE) is None
    assert chatter.over_at_s(replace(quiet, frozen=True), RULE) is None
    assert chatter.over_at_s(replace(quiet, quiet_since=Moment(at(20), None)), RULE) is None


def test_it_is_told_of_once_a_second() -> None:
    assert not chatter.may_tell(FAULT, moment(10.9))
    assert chatter.may_tell(FAULT, moment(11))
    assert not chatter.may_tell(replace(FAULT, told=moment(11)), moment(11.9))


def flicker(play: Play, *seconds: float) -> list[Event]:
    """The bit shows at every second moment, from the first on."""
    shown = zip(seconds, (int(i % 2 == 0) for i in count()), strict=False)
    return play.feed(*(seen(second, alarm_word=value) for second, value in shown))


def chattering() -> Play:
    """It began at 6 and has been quiet since 7."""
    play = Play().awake()
    flicker(play, 2, 3, 4, 5, 6, 7)
    play.events.clear()
    return play


def test_a_tick_ends_a_chatter_and_nothing_is_due_afterwards() -> None:
    play = chattering()
    assert next_due_s(play.state, play.rules) == 67
    assert of_type(play.feed(tick(66.9)), "fault") == []
    (cleared,) = of_type(play.feed(tick(67)), "fault")
    assert (cleared["transition"], cleared["cleared_at"]) == ("cleared", "2026-03-20T01:00:07.000Z")
    assert next_due_s(play.state, play.rules) is None


def test_a_chatter_out_of_sight_waits_for_its_source_without_being_due() -> None:
    play = chattering()
    play.feed(lost(10))
    assert next_due_s(play.state, play.rules) is None
    events = of_type(play.feed(seen(100, alarm_word=0)), "fault")
    assert [data["transition"] for data in events] == ["cleared"]


def test_a_chatter_thawed_before_its_end_says_that_it_is_seen_again() -> None:
    play = chattering()
    play.feed(lost(10))
    events = of_type(play.feed(seen(20, alarm_word=0)), "fault")
    assert [(data["transition"], data["quality"]) for data in events] == [("updated", "good")]


def test_a_delayed_raise_within_a_chatter_is_due_at_its_delay_only() -> None:
    slow = replace(press().faults[0], on_delay_s=5.0, chatter_s=8.0, chatter_raises=1)
    play = Play(press(faults=(slow,))).awake()
    play.feed(seen(2, alarm_word=1), tick(7), seen(8, alarm_word=0), seen(14, alarm_word=1))
    assert next_due_s(play.state, play.rules) == 19
    play.feed(tick(16.5))
    assert len(play.state.durable.faults) == 1
    play.feed(tick(19))
    assert of_type(play.events, "fault")[-1]["raises"] == 2
    assert len({data["fault_id"] for data in of_type(play.events, "fault")}) == 1


def test_a_chatter_is_no_flood() -> None:
    play = Play().awake()
    flicker(play, *(2 + i / 2 for i in range(100)))
    assert not any(data["flood"] for data in of_type(play.events, "fault"))


def test_a_machine_runs_while_its_fault_is_quiet() -> None:
    play = chattering()
    play.feed(seen(8, run=True))
    assert of_type(play.events, "status")[-1]["state"] == "running"


@given(st.lists(st.sampled_from([0.2, 0.7, 3.0, 20.0, 70.0]), max_size=60), st.integers(0, 59))
def test_every_raise_is_counted_once_in_occurrences_that_do_not_overlap(
    pauses: list[float], restart: int
) -> None:
    play, second, value, shown = Play().awake(), 1.0, 0, 0
    for number, pause in enumerate(pauses):
        second += pause
        if number == restart:
            play.feed(started(second, second - 0.1, boot="boot-1"), seen(second, alarm_word=value))
        value = 1 - value
        shown += value
        second += 0.1
        due_s = next_due_s(play.state, play.rules)
        if due_s is not None and due_s <= second:
            play.feed(tick(due_s))
        play.feed(seen(second, alarm_word=value))
    play.feed(seen(second + 100, alarm_word=0), tick(second + 200))
    events = of_type(play.events, "fault")
    raised = {data["fault_id"]: data["raised_at"] for data in events}
    cleared = {d["fault_id"]: d for d in events if d["transition"] == "cleared"}
    assert [d["transition"] for d in events].count("raised") == len(raised) == len(cleared)
    assert sum(data["raises"] for data in cleared.values()) == shown
    spans = sorted((data["raised_at"], data["cleared_at"]) for data in cleared.values())
    ends = [end for _, end in spans]
    assert ends == sorted(ends)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
