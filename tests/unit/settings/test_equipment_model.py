import pytest

from gateway.settings.equipment_model import CounterFile, EquipmentFile, FaultFile, TagFile
from gateway.settings.problems import Report
from gateway.settings.validation import validate
from gateway.settings.words import Strict
from gateway.settings.yaml_source import parse


def codes(model: type[Strict], text: str) -> list[str]:
    report = Report()
    node = parse(text.encode(), "a.yaml", report)
    assert node is not None
    validate(model, node, report)
    return [f"{p.key} {p.code}" for p in report.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("equipment: Press", "equipment bad_name"),
        ("equipment: -a", "equipment bad_name"),
        (f"equipment: {'a' * 41}", "equipment bad_name"),
        ("equipment: 7", "equipment not_string"),
        ("equipment: a\nname: Press", "name not_mapping"),
        ("equipment: a\nname: {de: Presse}", "name.de not_one_of"),
        ("equipment: a\nname: {zh: ''}", "name.zh too_short"),
        ("equipment: a\nstage: test", "stage not_one_of"),
        ("equipment: a\nstatus: {state: idle}", "status not_list"),
        ("equipment: a\nstatus: [{state: idle}]", "status[0].when missing"),
        ("equipment: a\nstatus: [{state: on, when: x}]", "status[0].state not_one_of"),
        ("equipment: a\nstatus: [{state: idle, when: 5}]", "status[0].when not_string"),
        ("equipment: a\ntags: [run]", "tags not_mapping"),
        ("equipment: a\ntags: {run: M100}", "tags.run not_mapping"),
        ("equipment: a\nmin_hold_ms: -1", "min_hold_ms too_small"),
        ("equipment: a\nsnapshot_s: 0", "snapshot_s too_small"),
        ("equipment: a\nalive: {tag: b, changes_within_s: 0}", "alive.changes_within_s not_above"),
    ],
)
def test_equipment_problem(text: str, problem: str) -> None:
    assert codes(EquipmentFile, text) == [problem]


def test_a_condition_may_be_written_as_a_truth() -> None:
    file = EquipmentFile.model_validate(
        {"equipment": "a", "status": [{"state": "idle", "when": True}]}
    )
    assert file.status[0].when == "true"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{tag: a, kind: good, modulus: 65536}", [" modulus_needs_rate"]),
        ("{tag: a, kind: parts}", ["kind not_one_of"]),
        ("{tag: a, kind: good, modulus: 1}", ["modulus too_small"]),
        ("{tag: a, kind: good, factor: 0}", ["factor not_above"]),
        ("{tag: a, kind: good, max_rate_per_s: .inf}", ["max_rate_per_s not_finite"]),
        ("{tag: a, kind: good, modulus: 65536, max_rate_per_s: 5}", []),
    ],
)
def test_counter(text: str, problems: list[str]) -> None:
    assert codes(CounterFile, text) == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{tag: a}", [" bits_or_codes"]),
        ("{tag: a, bits: x.csv, codes: y.csv}", [" bits_or_codes"]),
        ("{tag: a, bits: ../x.csv}", ["bits unsafe_path"]),
        ("{tag: a, bits: /etc/x.csv}", ["bits unsafe_path"]),
        ("{tag: a, bits: 'c:/x.csv'}", ["bits unsafe_path"]),
        ("{tag: a, bits: 'a\\\\..\\\\x.csv'}", ["bits unsafe_path"]),
        ("{tag: a, codes: faults/x.csv}", []),
        ("{tag: a, codes: x.csv, conditions: true}", [" bits_or_codes"]),
        ("{tag: a, conditions: true, inverted: true}", [" inverted_needs_bits"]),
        ("{tag: a, bits: x.csv, stops_from: 500}", [" stops_from_needs_conditions"]),
        ("{tag: a, codes: x.csv, inverted: true}", [" inverted_needs_bits"]),
        ("{tag: a, bits: x.xlsx, inverted: true, chatter_raises: 0, chatter_s: 120}", []),
        (
            "{tag: a, bits: x.csv, chatter_raises: -1, chatter_s: 0}",
            ["chatter_raises too_small", "chatter_s not_above"],
        ),
    ],
)
def test_fault_source(text: str, problems: list[str]) -> None:
    assert codes(FaultFile, text) == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{low: -5, high: 80}", []),
        ("{high: 80}", []),
        ("{low: 80, high: 80}", [" limits_crossed"]),
        ("{low: .inf}", ["low not_finite"]),
    ],
)
def test_limits_of_a_tag(text: str, problems: list[str]) -> None:
    assert codes(TagFile, text) == problems
