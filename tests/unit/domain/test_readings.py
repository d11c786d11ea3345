from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.rules import TagRule
from tests.unit.domain.scene import IDLE, TAGS, Play, at, lost, of_type, press, seen, started


def readings(play: Play) -> list[dict[str, object]]:
    return [
        {key: data[key] for key in ("group", "values", "bad", "full")}
        for data in of_type(play.events, "reading")
    ]


def test_the_first_reading_is_a_full_set() -> None:
    play = Play()
    play.feed(started(0), seen(1, **IDLE))
    assert readings(play) == [{"group": "plc", "values": IDLE, "bad": {}, "full": True}]


def test_only_what_changed_is_published() -> None:
    play = Play().awake()
    play.feed(seen(2, temperature=41.0), seen(3))
    assert readings(play) == [
        {"group": "plc", "values": {"temperature": 41.0}, "bad": {}, "full": False}
    ]


def test_a_deadband_is_measured_from_what_was_published_last() -> None:
    rules = press()
    tags = {**rules.tags, "temperature": TagRule("temperature", "plc", "plc", deadband=1.0)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(*(seen(2 + n, temperature=40.5 + n * 0.4) for n in range(1, 6)))
    assert [row["values"] for row in readings(play)] == [{"temperature": 41.7}]


def test_what_a_deadband_held_back_is_not_published_by_another_tag() -> None:
    rules = press()
    tags = {**rules.tags, "temperature": TagRule("temperature", "plc", "plc", deadband=2.0)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(seen(2, temperature=41.5), seen(3, run=True), seen(4, temperature=43.0))
    assert [row["values"] for row in readings(play)] == [{"run": True}, {"temperature": 43.0}]


def test_a_deadband_means_nothing_to_a_bool() -> None:
    rules = press()
    tags = {**rules.tags, "run": TagRule("run", "plc", "plc", deadband=5.0)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(seen(2, run=True), seen(3, run=True), seen(4, run=False))
    assert [row["values"] for row in readings(play)] == [{"run": True}, {"run": False}]


def test_a_tag_can_be_kept_from_publishing() -> None:
    rules = press()
    tags = {**rules.tags, "run": TagRule("run", "plc", "plc", publish=False)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(seen(2, run=True))
    assert readings(play) == []


def test_a_bad_tag_is_named_and_comes_back_with_its_value() -> None:
    play = Play().awake()
    play.feed(seen(2, {"temperature": "invalid_value"}), seen(3), seen(4, temperature=40.5))
    assert readings(play) == [
        {"group": "plc", "values": {}, "bad": {"temperature": "invalid_value"}, "full": False},
        {"group": "plc", "values": {"temperature": 40.5}, "bad": {}, "full": False},
    ]


def test_a_tag_that_stays_bad_is_named_once() -> None:
    play = Play().awake()
    refused = {"temperature": "device_refused"}
    play.feed(seen(2, refused), seen(3, refused), seen(4, {"temperature": "invalid_value"}))
    assert [row["bad"] for row in readings(play)] == [refused, {"temperature": "invalid_value"}]


def test_a_snapshot_comes_when_it_is_due_and_holds_everything() -> None:
    play = Play(press(snapshot_s=10.0)).awake()
    play.feed(seen(5, {"temperature": "invalid_value"}), seen(10.9))
    play.events.clear()
    play.feed(seen(11))
    good = {tag: value for tag, value in IDLE.items() if tag != "temperature"}
    assert readings(play) == [
        {"group": "plc", "values": good, "bad": {"temperature": "invalid_value"}, "full": True}
    ]


def test_a_snapshot_is_taken_once_where_nothing_moves() -> None:
    play = Play(press(snapshot_s=10.0)).awake()
    play.feed(*(seen(second) for second in (10, 11, 12, 20, 21, 22)))
    assert [event.at for event in play.events if event.type == "reading"] == [at(11), at(21)]


def test_a_device_stamp_travels_with_its_value() -> None:
    play = Play().awake()
    play.feed(seen(2, temperature=41.0)._replace(source_times={"temperature": at(1.5)}))
    assert of_type(play.events, "reading")[0]["sourcetime"] == {
        "temperature": "2026-03-20T01:00:01.500Z"
    }


def test_what_the_device_calls_uncertain_is_said() -> None:
    play = Play().awake()
    play.feed(seen(2, temperature=41.0, run=True)._replace(uncertain=frozenset({"temperature"})))
    assert of_type(play.events, "reading")[0]["uncertain"] == ("temperature",)


def test_a_batch_that_covers_nothing_of_a_group_does_not_take_its_snapshot() -> None:
    play = Play()
    play.feed(started(0), seen(1)._replace(covers=frozenset({"not_ours"})))
    assert readings(play) == []
    assert set(TAGS) == set(play.rules.tags)


@pytest.mark.parametrize("deadband", [0.0, 1.0])
def test_a_tag_that_is_not_configured_any_more_is_not_published(deadband: float) -> None:
    rules = press()
    tags = {**rules.tags, "temperature": TagRule("temperature", "plc", "plc", deadband=deadband)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(seen(2, gone=1, run=True), seen(3, gone=2))
    assert [one["values"] for one in readings(play)] == [{"run": True}]


def test_a_number_beyond_any_float_moved() -> None:
    rules = press()
    tags = {**rules.tags, "temperature": TagRule("temperature", "plc", "plc", deadband=1.0)}
    play = Play(replace(rules, tags=tags)).awake()
    play.feed(seen(2, temperature=10**400))
    assert [one["values"] for one in readings(play)] == [{"temperature": 10**400}]


NUMBERS = st.dictionaries(st.sampled_from(TAGS), st.integers(0, 9), max_size=2)
BATCHES = st.tuples(NUMBERS, st.sets(st.sampled_from(TAGS), max_size=2), st.booleans())


@given(st.lists(BATCHES, max_size=12), st.sampled_from(["", *TAGS]), st.sampled_from(["", *TAGS]))
def test_whoever_adds_up_the_readings_knows_what_the_gateway_knows(
    batches: list[tuple[dict[str, Value], set[str], bool]], coarse: str, silent: str
) -> None:
    rules = press(status=(), counters=(), faults=(), snapshot_s=4.0)
    tags = {
        name: replace(rule, deadband=2.0 if name == coarse else 0.0, publish=name != silent)
        for name, rule in rules.tags.items()
    }
    play = Play(replace(rules, tags=tags)).awake()
    known: dict[str, Value] = {tag: value for tag, value in IDLE.items() if tag != silent}
    for second, (changed, bad, goes) in enumerate(batches, start=2):
        causes = dict.fromkeys(bad, "invalid_value")
        good = {tag: value for tag, value in changed.items() if tag not in bad}
        if goes:  # and is back: everything is new then
            play.feed(lost(second - 0.5))
            good = {tag: value for tag, value in {**IDLE, **good}.items() if tag not in bad}
        for data in of_type(play.feed(seen(second, causes, **good)), "reading"):
            known |= data["values"]
            known = {tag: value for tag, value in known.items() if tag not in data["bad"]}
        values = play.state.live.values
        exact = [tag for tag in TAGS if tag not in {silent, coarse}]
        assert {tag: known.get(tag) for tag in exact} == {tag: values.get(tag) for tag in exact}
        assert silent not in known
        if coarse and coarse != silent and coarse in values:
            assert abs(float(known[coarse]) - float(values[coarse])) <= 2.0


def test_one_mapping_serves_where_everything_is_published() -> None:
    play = Play().awake()
    play.feed(seen(2, temperature=41.0))
    assert play.state.live.published is play.state.live.values
    play.feed(seen(3, {"temperature": "invalid_value"}), seen(4, temperature=40.5))
    assert play.state.live.published == play.state.live.values
