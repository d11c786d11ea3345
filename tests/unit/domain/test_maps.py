"""What a map is made into; what each map means stands in `tests/cases/map_*`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.map_tables import MAPS
from gateway.domain.maps import UNKNOWN_VALUE, StateMap, mode_of, rules_of
from gateway.domain.rules import STOPPING_FAULT, EquipmentRules, TagRule
from gateway.domain.vocabulary import State
from tests.unit.domain.scene import Play, of_type, press, seen, started


def tags_of(states: StateMap) -> dict[str, str]:
    """Tags with names that no condition could hold: a map needs no condition."""
    return {role: f"7-{role}" for role in states.roles}


def mapped(states: StateMap, tags: dict[str, str]) -> EquipmentRules:
    return press(
        status=rules_of(states, tags),
        mode=mode_of(states, tags),
        tags={tag: TagRule(tag, "plc", "plc") for tag in tags.values()},
        counters=(),
        faults=(),
    )


def test_the_ready_made_maps() -> None:
    assert set(MAPS) == {
        "packml_tr88",
        "packml_tmc",
        "opc40001",
        "mtconnect",
        "euromap77",
        "umati",
        "semi_e10",
    }


@pytest.mark.parametrize("name", MAPS)
def test_the_roles_of_a_map(name: str) -> None:
    states = MAPS[name]
    assert states.roles[: len(states.needed)] == tuple(sorted(states.needed))
    assert "state" in states.needed
    assert STOPPING_FAULT not in states.roles


@pytest.mark.parametrize("name", MAPS)
def test_no_value_means_two_modes(name: str) -> None:
    modes = MAPS[name].modes
    values = [value for of_mode in modes.values() for value in of_mode]
    assert len(values) == len(set(values))


@pytest.mark.parametrize("name", MAPS)
def test_only_the_rows_whose_tags_are_there_become_rules(name: str) -> None:
    states = MAPS[name]
    few = {role: f"tag-{role}" for role in states.needed}
    names = {name for rule in rules_of(states, few) for name in rule.when.names}
    assert names == set(few.values()) | {STOPPING_FAULT}
    every = {name for rule in rules_of(states, tags_of(states)) for name in rule.when.names}
    modes_only = {"7-mode"} if states.modes else set()
    assert every | modes_only == set(tags_of(states).values()) | {STOPPING_FAULT}


def test_a_map_without_modes_or_without_a_mode_tag_says_no_mode() -> None:
    assert mode_of(MAPS["semi_e10"], {"state": "a", "mode": "b"}) is None
    assert mode_of(MAPS["umati"], {"state": "a"}) is None


VALUES = st.one_of(st.booleans(), st.integers(-2, 20), st.floats(), st.text(max_size=8))


@given(st.sampled_from(sorted(MAPS)), st.data())
def test_whatever_a_controller_shows_is_one_of_the_seven_states(
    name: str, data: st.DataObject
) -> None:
    states = MAPS[name]
    tags = tags_of(states)
    shown: dict[str, Value] = {tag: data.draw(VALUES) for tag in tags.values()}
    play = Play(mapped(states, tags))
    play.feed(started(0), seen(1, **shown))
    told = of_type(play.events, "status")[-1]
    assert told["state"] in {state.value for state in State}
    if told["state"] == "stopped":
        assert told["reason"] is None or told["reason"]["code"] != "unspecified"


@given(st.sampled_from(sorted(MAPS)), st.integers(0, 20).map(str))
def test_a_text_is_not_a_number(name: str, text: str) -> None:
    states = MAPS[name]
    tags = {role: f"tag-{role}" for role in states.needed}
    play = Play(mapped(states, tags))
    play.feed(started(0), seen(1, **dict.fromkeys(tags.values(), 1)))
    play.feed(seen(2, **dict.fromkeys(tags.values(), text)))
    assert play.state.live.verdict is not None
    assert play.state.live.verdict.reason == UNKNOWN_VALUE
