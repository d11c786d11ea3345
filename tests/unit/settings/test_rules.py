from collections.abc import Mapping

from gateway.domain.events import FaultText
from gateway.domain.rules import Alive, CounterRule, EquipmentRules, FaultRule, TagRule
from gateway.domain.vocabulary import Reason, State
from gateway.settings.equipment_model import EquipmentFile
from gateway.settings.faults import Kind
from gateway.settings.problems import Path, Report
from gateway.settings.rules import RuleReader
from gateway.settings.validation import validate
from gateway.settings.yaml_source import parse

TAGS = "equipment: a\ntags: {run: {}, count: {}, word: {}}\n"
TEXTS = {3: FaultText("P3")}


def rules_of(
    text: str, tags: Mapping[str, TagRule] | None = None
) -> tuple[EquipmentRules, list[tuple[int, str, str]]]:
    report = Report()
    node = parse((TAGS + text).encode(), "a.yaml", report)
    assert node is not None
    file = validate(EquipmentFile, node, report)
    assert file is not None, report.problems

    def dictionary(name: str, kind: Kind, at: Path) -> Mapping[int, FaultText]:
        asked.append((name, kind, at))
        return TEXTS

    asked: list[tuple[str, Kind, Path]] = []
    rules = RuleReader(file, node, report).rules(tags or {}, {"count": "meaning"}, dictionary)
    assert all(kind in {"bits", "codes"} for _, kind, _ in asked)
    return rules, [(p.line, p.key, p.code) for p in report.problems]


def test_status_rules_keep_their_order_reason_and_mode() -> None:
    rules, problems = rules_of(
        "status:\n"
        "- {state: setup, when: word == 2, mode: setup}\n"
        "- {state: idle, when: not run, reason: {code: M1, category: material, planned: true,"
        " text: {zh: 等料}}}\n"
    )
    assert problems == []
    assert [(r.state, r.when.text, r.mode) for r in rules.status] == [
        (State.SETUP, "word == 2", "setup"),
        (State.IDLE, "not run", None),
    ]
    assert rules.status[1].reason == Reason("M1", "material", {"zh": "等料"}, planned=True)


def test_a_bad_condition_is_reported_and_left_out() -> None:
    rules, problems = rules_of(
        "status:\n- {state: idle, when: run +}\n- {state: idle, when: run.x}\n"
        "- {state: running, when: run}\n"
    )
    assert [rule.state for rule in rules.status] == [State.RUNNING]
    assert problems == [
        (4, "status[0].when", "bad_condition"),
        (5, "status[1].when", "condition_part"),
    ]


def test_every_name_must_be_a_tag() -> None:
    _, problems = rules_of(
        "status:\n- {state: idle, when: rum or lamp}\n"
        "alive: {tag: pulse, changes_within_s: 5}\n"
        "counters: {good: {tag: counts, kind: good, max_rate_per_s: 1}}\n"
        "faults: [{tag: wort, bits: x.csv}]\n"
    )
    assert problems == [
        (4, "status[0].when", "unknown_tag"),
        (4, "status[0].when", "unknown_tag_guess"),
        (5, "alive.tag", "unknown_tag"),
        (6, "counters.good.tag", "unknown_tag_guess"),
        (7, "faults[0].tag", "unknown_tag_guess"),
    ]


def test_a_stopping_fault_needs_faults() -> None:
    rule = "status: [{state: fault, when: stopping_fault}]\n"
    assert rules_of(rule)[1] == [(3, "status[0].when", "no_fault_source")]
    assert rules_of(rule + "faults: [{tag: word, bits: x.csv}]\n")[1] == []


def test_no_status_rules_and_no_rate_are_warnings() -> None:
    _, problems = rules_of("counters: {good: {tag: count, kind: good}}\n")
    assert problems == [(1, "status", "no_status"), (3, "counters.good", "no_rate")]


def test_counters_faults_and_the_rest_become_the_domain_s_rules() -> None:
    rules, _ = rules_of(
        "counters: {good: {tag: count, kind: good, unit: kg, resolution: 0.1, factor: 2,"
        " modulus: 100, max_rate_per_s: 3, on_decrease: rebaseline, confirm_reads: 3}}\n"
        "faults:\n- {tag: word, bits: x.csv, on_delay_ms: 500, off_delay_ms: 250}\n"
        "- {tag: word, codes: y.csv}\n"
        "alive: {tag: run, changes_within_s: 30}\nmin_hold_ms: 250\nsnapshot_s: 60\n"
        "stage: commissioning\n"
    )
    identity = rules.counters[0].identity
    assert rules.counters == (
        CounterRule("good", "count", "good", "kg", 0.1, 2, 100, 3, "rebaseline", 3, identity),
    )
    assert [(f.tag, f.kind, f.on_delay_s, f.off_delay_s) for f in rules.faults] == [
        ("word", "bits", 0.5, 0.25),
        ("word", "code", 0, 0),
    ]
    assert rules.faults[0].texts == TEXTS
    assert rules.alive == Alive("run", 30)
    assert (rules.min_hold_s, rules.snapshot_s, rules.stage) == (0.25, 60, "commissioning")


def test_a_list_of_alarms_needs_no_dictionary_and_is_no_reading() -> None:
    text = "faults:\n- {tag: word, conditions: true, stops_from: 700, on_delay_ms: 500}\n"
    tags = {name: TagRule(name, "plc", "plc") for name in ("run", "word")}
    rules, problems = rules_of(text + "status: [{state: running, when: run}]\n", tags)
    assert problems == []
    assert rules.faults == (FaultRule("word", "conditions", {}, on_delay_s=0.5, stops_from=700),)
    assert {name: tag.publish for name, tag in rules.tags.items()} == {"run": True, "word": False}
