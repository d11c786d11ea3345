from pathlib import Path

import pytest

from gateway.domain.rules import UsageRule
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from tests.support.config_site import GOOD, PRESS, write_site
from tests.support.fake_protocol import spec_of


def usage(directory: Path, written: str) -> tuple[UsageRule, ...]:
    equipment = f"{PRESS}usage: {written}\n"
    write_site(directory, {**GOOD, "equipment/press-07.yaml": equipment})
    return load(directory, spec_of=spec_of).equipment["press-07"].rules.usage


def test_what_wears_out(tmp_path: Path) -> None:
    assert usage(
        tmp_path,
        "{die: {kind: cycles, counter: good, limit: 1000000, warn_at: 950000},"
        " spindle: {kind: run_hours, limit: 2000, name: {zh: 主轴}}}",
    ) == (
        UsageRule("die", "cycles", 1_000_000, 950_000, "good"),
        UsageRule("spindle", "run_hours", 2000, 1800, None, {"zh": "主轴"}),
    )


def test_none_and_the_ideal_cycle(tmp_path: Path) -> None:
    equipment = f"{PRESS}ideal_cycle_ms: 1200\n"
    write_site(tmp_path, {**GOOD, "equipment/press-07.yaml": equipment})
    rules = load(tmp_path, spec_of=spec_of).equipment["press-07"].rules
    assert (rules.usage, rules.ideal_cycle_ms) == ((), 1200)


def test_cycles_may_come_from_a_derived_counter(tmp_path: Path) -> None:
    equipment = PRESS.replace(
        "faults:", "  bad: {tag: temperature, kind: reject, max_rate_per_s: 1}\nfaults:"
    )
    equipment += "balance: {good: good, reject: bad}\n"
    equipment += "usage: {die: {kind: cycles, counter: total, limit: 5}}\n"
    write_site(tmp_path, {**GOOD, "equipment/press-07.yaml": equipment})
    (rule,) = load(tmp_path, spec_of=spec_of).equipment["press-07"].rules.usage
    assert rule.counter == "total"


@pytest.mark.parametrize(
    ("written", "code", "key"),
    [
        ("{die: {kind: cycles, limit: 5}}", "cycles_and_counter", "usage.die"),
        ("{fan: {kind: on_hours, counter: good, limit: 5}}", "cycles_and_counter", "usage.fan"),
        ("{fan: {kind: on_hours, warn_at: 6, limit: 5}}", "warning_after_limit", "usage.fan"),
        ("{fan: {kind: on_hours, limit: 0}}", "not_above", "usage.fan.limit"),
        (
            "{die: {kind: cycles, counter: goods, limit: 5}}",
            "unknown_counter_guess",
            "usage.die.counter",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, written: str, code: str, key: str
) -> None:
    with pytest.raises(ConfigProblems) as refused:
        usage(tmp_path, written)
    (problem,) = refused.value.problems
    assert (problem.code, problem.key, problem.file) == (code, key, "equipment/press-07.yaml")
    assert problem.line == PRESS.count("\n") + 1
