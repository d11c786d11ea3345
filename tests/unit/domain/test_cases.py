"""Runs every case of `tests/cases`; `tests.support.golden` says what a case is."""

from pathlib import Path

import pytest

from tests.support.golden import Play, cases, differences, lines, rules_of


@pytest.mark.parametrize("case", cases(), ids=lambda path: path.name)
def test_the_facts_cause_the_expected_events(case: Path, tmp_path: Path) -> None:
    play = Play(rules_of(case, tmp_path))
    play.run(lines(case / "facts.jsonl"))
    assert differences(play, lines(case / "expected.jsonl")) == []


def test_every_directory_is_a_case() -> None:
    assert cases()
    for case in cases():
        assert {"equipment.yaml", "expected.jsonl"} <= {path.name for path in case.iterdir()}


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    (case,) = [case for case in cases() if case.name == "status_first_true_rule"]
    play = Play(rules_of(case, tmp_path))
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
