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
