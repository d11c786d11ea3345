from collections.abc import Mapping

import pytest

from gateway.domain.rules import BalanceRule, CounterRule, EquipmentRules, TagRule
from gateway.settings.counters import FLOAT32
from gateway.settings.equipment_model import EquipmentFile
from gateway.settings.problems import Report
from gateway.settings.rules import RuleReader
from gateway.settings.validation import validate
from gateway.settings.yaml_source import parse

HEAD = """\
equipment: a
tags: {run: {}, parts: {}, bad: {}, cycle: {}}
status: [{state: running, when: run}]
"""
COUNTER = "tag: parts, kind: good, max_rate_per_s: 3"
TWO = """\
counters:
  strokes: {tag: parts, kind: total, max_rate_per_s: 3}
  bad: {tag: bad, kind: reject, max_rate_per_s: 3}
"""


def read(
    text: str, meanings: Mapping[str, str] | None = None, cycle_unit: str = "ms"
) -> tuple[EquipmentRules, list[tuple[int, str, str]]]:
    report = Report()
    node = parse((HEAD + text).encode(), "a.yaml", report)
    assert node is not None
    file = validate(EquipmentFile, node, report)
    assert file is not None, report.problems
    tags = {"cycle": TagRule("cycle", "plc", "plc", unit=cycle_unit)}
    reader = RuleReader(file, node, report)
    rules = reader.rules(tags, meanings or {}, lambda _name, _kind, _at: {})
    return rules, [(p.line, p.key, p.code) for p in report.problems]


def counter(more: str, cycle_unit: str = "ms") -> tuple[CounterRule, list[tuple[int, str, str]]]:
    text = f"counters: {{good: {{{COUNTER}, {more}}}}}\n"
    rules, problems = read(text, cycle_unit=cycle_unit)
    return rules.counters[0], problems


def test_a_counter_may_count_under_a_condition() -> None:
    rule, problems = counter("count_when: run and not stopping_fault")
    assert rule.count_when is not None
    assert rule.count_when.text == "run and not stopping_fault"
    assert problems == [(4, "counters.good.count_when", "no_fault_source")]
    assert counter("count_when: true")[0].count_when is not None
    assert counter("factor: 2")[0].count_when is None


def test_a_condition_is_checked_like_that_of_a_status() -> None:
    assert counter("count_when: rum")[1] == [(4, "counters.good.count_when", "unknown_tag_guess")]
    rule, problems = counter("count_when: run and")
    assert rule.count_when is None
    assert problems == [(4, "counters.good.count_when", "bad_condition")]


@pytest.mark.parametrize(("unit", "ms"), [("s", 1000), ("ms", 1)])
def test_the_cycle_time_has_the_unit_of_its_tag(unit: str, ms: float) -> None:
    rule, problems = counter("cycle_time_tag: cycle", cycle_unit=unit)
    assert (rule.cycle_time_tag, rule.cycle_time_unit_ms, problems) == ("cycle", ms, [])


def test_a_cycle_time_without_a_known_unit_or_tag_is_a_problem() -> None:
    where = "counters.good.cycle_time_tag"
    assert counter("cycle_time_tag: cycle", cycle_unit="1")[1] == [(4, where, "cycle_time_unit")]
    assert counter("cycle_time_tag: cycles")[1] == [(4, where, "unknown_tag_guess")]


def test_a_float32_counter_is_a_warning() -> None:
    _, problems = read(
        f"counters: {{good: {{{COUNTER}}}}}\n", {"parts": f'modbus-tcp {{"at": 1, {FLOAT32}}}'}
    )
    assert problems == [(4, "counters.good", "float_counter")]


def test_what_changes_the_meaning_of_a_reading_changes_its_identity() -> None:
    plain = counter("unit: kg")[0].identity
    assert counter("confirm_reads: 5")[0].identity == plain
    for changed in ("factor: 2", "modulus: 100", "resolution: 0.1"):
        assert counter(changed)[0].identity != plain


@pytest.mark.parametrize(
    ("balance", "rule"),
    [
        ("total: strokes, reject: bad", BalanceRule("good", "bad", "strokes", "good")),
        ("good: strokes, reject: bad", BalanceRule("strokes", "bad", "total", "total")),
        (
            "good: strokes, total: bad, tolerance: 3",
            BalanceRule("strokes", "reject", "bad", "reject", 3),
        ),
    ],
)
def test_two_counters_give_the_third(balance: str, rule: BalanceRule) -> None:
    rules, problems = read(f"{TWO}balance: {{{balance}}}\n")
    assert (rules.balance, problems) == (rule, [])


def test_three_counters_are_compared() -> None:
    three = TWO + "  ok: {tag: run, kind: good, max_rate_per_s: 3}\n"
    rules, problems = read(three + "balance: {good: ok, reject: bad, total: strokes}\n")
    assert rules.balance == BalanceRule("ok", "bad", "strokes")
    assert problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TWO + "balance: {total: stroke, reject: bad}\n", "unknown_counter_guess"),
        (TWO + "balance: {total: xyz, reject: bad}\n", "unknown_counter"),
        (TWO.replace("strokes", "good") + "balance: {total: good, reject: bad}", "derived_exists"),
        (
            TWO.replace("reject, ", "reject, unit: kg, ")
            + "balance: {total: strokes, reject: bad}\n",
            "balance_units",
        ),
    ],
)
def test_what_does_not_fit_is_a_problem(text: str, problem: str) -> None:
    assert [code for _, _, code in read(text)[1]] == [problem]


@pytest.mark.parametrize("balance", ["total: strokes", "total: bad, reject: bad"])
def test_a_balance_needs_two_different_counters(balance: str) -> None:
    report = Report()
    node = parse(f"{HEAD}{TWO}balance: {{{balance}}}\n".encode(), "a.yaml", report)
    assert node is not None
    validate(EquipmentFile, node, report)
    assert [problem.code for problem in report.problems] == ["balance_needs_two"]
