"""Runs every case of `tests/cases`; `tests.support.golden` says what a case is."""

from pathlib import Path
from typing import get_args

import pytest

from gateway.domain.map_tables import MAPS
from gateway.domain.maps import STATE
from gateway.domain.vocabulary import Anomaly, Transition
from tests.support.golden import cases, differences, lines, play_of


@pytest.mark.parametrize("case", cases(), ids=lambda path: path.name)
def test_the_facts_cause_the_expected_events(case: Path, tmp_path: Path) -> None:
    play = play_of(case, tmp_path)
    play.run(lines(case / "facts.jsonl"))
    assert differences(play, lines(case / "expected.jsonl")) == []


def test_every_directory_is_a_case() -> None:
    assert cases()
    for case in cases():
        assert {"equipment.yaml", "expected.jsonl"} <= {path.name for path in case.iterdir()}


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    (case,) = [case for case in cases() if case.name == "status_first_true_rule"]
    play = play_of(case, tmp_path)
    play.run(lines(case / "facts.jsonl"))
    good = lines(case / "expected.jsonl")
    for wrong in (
        good[:-1],
        [*good, good[-1]],
        [*good[:-1], good[-1] | {"at_s": 17.5}],
        [*good[:-1], good[-1] | {"data": {"state": "setup"}}],
        [*good, {"only": ["reading"]}],
        [*good, {"snapshot": "status", "data": {"state": "setup"}}],
        [*good, {"refused": "c-1", "error": "no"}],
    ):
        assert differences(play, wrong) != []


ROWS = {
    "no previous": "counter_baseline",
    "d = 0": "counter_plain",
    "0 < d <= cap": "counter_plain",
    "d > cap, seen": "counter_jump",
    "d > cap, after a gap": "counter_gap",
    "d > cap, once": "counter_torn_read",
    "d < 0, rollover": "counter_rollover_16_bits",
    "d < 0, near zero": "counter_reset",
    "d < 0, an older stamp": "counter_out_of_order",
    "d < 0, otherwise": "counter_preset",
    "rollover and reset": "counter_reset_or_rollover",
    "a lap may be missing": "counter_ambiguous_rollover",
    "another configuration": "counter_configured_anew",
}
"""What can be between two readings -> the case of it."""


def test_what_can_be_between_two_readings_has_a_case() -> None:
    assert {case.name for case in cases()} >= set(ROWS.values())


def _told(prefix: str, key: str) -> set[object]:
    """What the expected events of some cases say under one key."""
    named = [case for case in cases() if case.name.startswith(prefix)]
    events = [line for case in named for line in lines(case / "expected.jsonl")]
    return {event["data"][key] for event in events if key in event.get("data", {})}


def test_every_anomaly_and_every_transition_of_a_fault_is_in_a_case() -> None:
    assert _told("counter_", "anomaly") == set(get_args(Anomaly))
    assert _told("fault_", "transition") == set(get_args(Transition))


@pytest.mark.parametrize("name", MAPS)
def test_every_value_of_a_state_map_is_in_a_case(name: str) -> None:
    """By its number where the standard has numbers; names mean the same."""
    shown: set[object] = set()
    for case in cases():
        if f"map: {name}," in (case / "equipment.yaml").read_text("utf-8"):
            facts = [line.get("seen", {}) for line in lines(case / "facts.jsonl")]
            shown |= {value for seen in facts for value in seen.values()}
    meant = {value for row in MAPS[name].rows for value in row.when.get(STATE, ())}
    numbers = {value for value in meant if isinstance(value, int)}
    assert (numbers or meant) - shown == set()
