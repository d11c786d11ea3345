from contextlib import suppress
from pathlib import Path

import pytest

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from gateway.settings.site import Site
from tests.support.config_site import FAULTS, GATEWAY, write_site
from tests.support.fake_protocol import spec_of

PROFILE = """\
profile: press
name: {zh: 冲床, en: Press}
verified: manual
tags:
  run: {at: 1, unit: x}
  stop: {at: 2}
status:
  - {state: running, when: run}
  - {state: idle, when: stop}
counters:
  good: {tag: run, kind: good, max_rate_per_s: 5}
faults:
  - {tag: stop, bits: faults/press.csv}
min_hold_ms: 2000
"""
EQUIPMENT = """\
equipment: press-1
profile: press
links: {plc: {protocol: polled, host: h}}
"""


def site_of(directory: Path, equipment: str = EQUIPMENT, profile: str = PROFILE) -> Site:
    shipped = write_site(
        directory / "shipped", {"profiles/press.yaml": profile, "faults/press.csv": FAULTS}
    )
    own = write_site(
        directory / "site", {"gateway.yaml": GATEWAY, "equipment/press-1.yaml": equipment}
    )
    return load(own, spec_of=spec_of, shipped_data=shipped)


def problems_of(directory: Path, equipment: str, profile: str = PROFILE) -> list[Problem]:
    with pytest.raises(ConfigProblems) as caught:
        site_of(directory, equipment, profile)
    return caught.value.problems


def test_a_profile_brings_tags_status_counters_and_faults(tmp_path: Path) -> None:
    press = site_of(tmp_path).equipment["press-1"]
    assert press.name == {"zh": "press-1", "en": "press-1"}
    assert (press.area, press.line) == ("_", "_")
    rules = press.rules
    assert set(rules.tags) == {"run", "stop"}
    assert [rule.when.text for rule in rules.status] == ["run", "stop"]
    assert rules.counters[0].tag == "run"
    assert rules.faults[0].texts[0].code == "P01"
    assert rules.min_hold_s == 2.0


def test_the_equipment_overrides_key_by_key(tmp_path: Path) -> None:
    own = "tags: {run: {at: 9}}\nstatus: [{state: setup, when: stop}]\ncounters: {good: null}\n"
    site = site_of(tmp_path, EQUIPMENT + own)
    rules = site.equipment["press-1"].rules
    run = next(tag for tag in site.links["press-1.plc"].tags if tag.key == "press-1/run")
    assert run.settings.at == 9
    assert rules.tags["run"].unit == "x"
    assert [rule.when.text for rule in rules.status] == ["stop"]
    assert rules.counters == ()


def test_the_site_s_own_profile_comes_first(tmp_path: Path) -> None:
    mine = PROFILE.replace("min_hold_ms: 2000", "min_hold_ms: 3000")
    write_site(tmp_path / "site", {"profiles/press.yaml": mine})
    assert site_of(tmp_path).equipment["press-1"].rules.min_hold_s == 3.0


def test_problems_are_reported_in_the_file_they_stand_in(tmp_path: Path) -> None:
    own = "tags: {run: {unit: 5}}\n"
    bad = PROFILE.replace("stop: {at: 2}", "stop: {att: 2}")
    found = {(p.file, p.line, p.key) for p in problems_of(tmp_path, EQUIPMENT + own, bad)}
    profile = str(tmp_path / "shipped/profiles/press.yaml")
    assert found == {
        (profile, 6, "tags.stop.at"),
        (profile, 6, "tags.stop.att"),
        ("equipment/press-1.yaml", 4, "tags.run.unit"),
    }


def test_a_missing_profile_says_where_it_was_looked_for_and_what_there_is(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, EQUIPMENT.replace("profile: press", "profile: pres"))
    assert (problem.code, problem.line, problem.key) == ("missing_profile", 2, "profile")
    assert "profiles/pres.yaml" in problem.text["en"]
    assert str(tmp_path / "shipped") in problem.text["en"]
    assert problem.hint == {"zh": "可用：press", "en": "known: press"}


@pytest.mark.parametrize("name", ["../press", "a/../../x", "'..'", "a\\b", "Press"])
def test_a_profile_s_name_is_no_path(tmp_path: Path, name: str) -> None:
    found = problems_of(tmp_path, EQUIPMENT.replace("profile: press", f"profile: {name}"))
    assert {p.code for p in found} == {"missing_profile", "bad_name"}


def test_an_unverified_profile_is_a_warning(tmp_path: Path) -> None:
    site = site_of(tmp_path, profile=PROFILE.replace("manual", "none"))
    assert [p.code for p in site.warnings] == ["unverified_profile"]


def test_a_profile_under_another_name_is_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, EQUIPMENT, PROFILE.replace("profile: press", "profile: lathe"))
    assert [p.code for p in found] == ["profile_name"]


def test_a_profile_that_is_no_yaml_is_reported_once(tmp_path: Path) -> None:
    found = problems_of(tmp_path, EQUIPMENT, "profile: [press\n")
    assert [p.code for p in found] == ["unclosed_bracket"]
    assert found[0].file == str(tmp_path / "shipped/profiles/press.yaml")


def test_what_stands_in_the_file_itself_is_checked_without_its_profile(tmp_path: Path) -> None:
    written = EQUIPMENT.replace("profile: press", "profile: pres") + "min_hold_ms: soon\n"
    found = problems_of(tmp_path, written)
    assert {p.code for p in found} == {"missing_profile", "not_integer"}


VARIANTS = """\
variants:
  small: {tags: {run: {at: 7}}, min_hold_ms: 500}
  large:
    verified: none
    tags: {stop: null, halt: {at: 8}}
    status: [{state: idle, when: halt}]
    faults: []
"""


def ats(site: Site) -> dict[str, int]:
    return {tag.key.partition("/")[2]: tag.settings.at for tag in site.links["press-1.plc"].tags}


def test_a_variant_is_laid_upon_the_profile_and_the_equipment_upon_both(tmp_path: Path) -> None:
    own = "variant: small\ntags: {stop: {at: 9}}\n"
    site = site_of(tmp_path, EQUIPMENT + own, PROFILE + VARIANTS)
    assert ats(site) == {"run": 7, "stop": 9}
    assert site.equipment["press-1"].rules.min_hold_s == 0.5


def test_a_variant_may_take_away_and_is_verified_for_itself(tmp_path: Path) -> None:
    site = site_of(tmp_path, EQUIPMENT + "variant: large\n", PROFILE + VARIANTS)
    assert ats(site) == {"run": 1, "halt": 8}
    assert [p.code for p in site.warnings] == ["unverified_profile"]


def test_without_a_variant_the_profile_stands_for_itself(tmp_path: Path) -> None:
    assert ats(site_of(tmp_path, EQUIPMENT, PROFILE + VARIANTS)) == {"run": 1, "stop": 2}


def test_a_variant_nobody_knows_is_one_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, EQUIPMENT + "variant: medium\n", PROFILE + VARIANTS)
    assert (problem.code, problem.line, problem.key) == ("unknown_variant", 4, "variant")
    assert problem.hint == {"zh": "可选：large, small", "en": "known: large, small"}


def test_a_profile_that_is_nothing_without_a_variant_asks_for_one(tmp_path: Path) -> None:
    bare = f"profile: press\n{VARIANTS}"
    (problem,) = problems_of(tmp_path, EQUIPMENT, bare)
    assert (problem.code, problem.key) == ("no_variant", "variant")
    assert problem.hint is not None
    assert problem.hint["en"] == "one of large, small"


UNSURE = [
    ("verified: none\n", "unverified_profile"),
    ("verified: none\nlayout: program\n", "unverified_profile"),
    ("verified: code\nlayout: program\n", "profile_layout"),
    ("verified: manual\nunverified: [stop]\n", "partly_unverified_profile"),
]


@pytest.mark.parametrize(("says", "code"), UNSURE)
def test_who_has_not_compared_is_told_what_to_compare(tmp_path: Path, says: str, code: str) -> None:
    profile = PROFILE.replace("verified: manual\n", says) + "compare: [stop, run]\n"
    (problem,) = site_of(tmp_path, profile=profile).warnings
    assert (problem.code, problem.severity, problem.line) == (code, "warning", 2)
    assert problem.hint is not None
    assert "现场核对地址" in problem.hint["zh"]
    assert "millgate read DIR press-1" in problem.hint["en"]
    for text in problem.hint.values():
        assert "stop, run" in text
        assert "millgate read" in text
        assert "millgate probe" in text


@pytest.mark.parametrize(("says", "_code"), UNSURE)
def test_who_has_compared_is_left_alone(tmp_path: Path, says: str, _code: str) -> None:
    profile = PROFILE.replace("verified: manual\n", says)
    site = site_of(tmp_path, EQUIPMENT + "compared: true\n", profile)
    assert site.warnings == ()


@pytest.mark.parametrize("key", ["compare", "unverified"])
def test_a_profile_that_speaks_of_a_tag_it_does_not_have_is_refused(
    tmp_path: Path, key: str
) -> None:
    found = problems_of(tmp_path, EQUIPMENT, f"{PROFILE}{key}: [rnu]\n")
    refused = [(problem.code, problem.key) for problem in found if problem.severity == "error"]
    assert refused == [("no_such_tag", f"{key}[0]")]


ODD = ["5", "[]", "{}", "null", "[{}]", "{run: 5}", "{run: {times: 5}}", "x", "true", "[null]"]
KEYS = ["variants", "link", "tags", "parameters", "compare", "link_needs", "profile", "simulate"]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("key", KEYS)
def test_whatever_a_profile_holds_the_answer_is_a_site_or_problems(
    tmp_path: Path, key: str, value: str
) -> None:
    lines = [line for line in PROFILE.splitlines(keepends=True) if not line.startswith(" ")]
    odd = "".join(line for line in lines if not line.startswith(f"{key}:")) + f"{key}: {value}\n"
    with suppress(ConfigProblems):
        assert site_of(tmp_path, EQUIPMENT, odd).equipment


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("key", ["variant", "parameters", "compared", "links", "link", "tags"])
def test_whatever_an_equipment_says_the_answer_is_a_site_or_problems(
    tmp_path: Path, key: str, value: str
) -> None:
    asks = PROFILE + "link: {poll_interval_ms: 5}\nparameters: {run: {name: {en: x}}}\n"
    own = "".join(
        line for line in EQUIPMENT.splitlines(keepends=True) if not line.startswith(f"{key}:")
    )
    with suppress(ConfigProblems):
        assert site_of(tmp_path, f"{own}{key}: {value}\n", asks + VARIANTS).equipment
