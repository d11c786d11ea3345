from pathlib import Path

import pytest

from gateway.domain.map_tables import MAPS
from gateway.domain.rules import EquipmentRules
from gateway.domain.vocabulary import Reason, State
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from tests.support.config_site import GATEWAY, write_site
from tests.support.fake_protocol import spec_of

MACHINE = """\
equipment: press-07
links: {plc: {protocol: polled, host: plc-7}}
tags:
  unit-state: {at: 1}
  in: {at: 2}
"""


def loaded(directory: Path, text: str, **files: str) -> EquipmentRules:
    site = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": MACHINE + text}
    profiles = {f"profiles/{name}.yaml": content for name, content in files.items()}
    write_site(directory, site | profiles)
    return load(directory, spec_of=spec_of).equipment["press-07"].rules


def problems(directory: Path, text: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(ConfigProblems) as caught:
        loaded(directory, text)
    return [(p.line, p.key, p.code, p.text["en"]) for p in caught.value.problems]


@pytest.mark.parametrize("name", MAPS)
def test_every_map_can_be_named(name: str, tmp_path: Path) -> None:
    mode = ", mode: in" if "mode" in MAPS[name].roles else ""
    rules = loaded(tmp_path, f"status_map: {{map: {name}, state: unit-state{mode}}}\n")
    assert rules.status[-1].state is State.OFFLINE
    assert {name for rule in rules.status for name in rule.when.names} >= {"unit-state"}
    assert (rules.mode is None) == (not MAPS[name].modes)


def test_own_rules_come_before_the_map_s(tmp_path: Path) -> None:
    rules = loaded(
        tmp_path,
        "status_map: {map: semi_e10, state: unit-state}\n"
        "status: [{state: setup, when: stopping_fault}]\n",
    )
    assert rules.status[0].state is State.SETUP
    assert len(rules.status) > 7


def test_a_map_may_stand_in_a_profile(tmp_path: Path) -> None:
    profile = "profile: packer\nverified: manual\nstatus_map: {map: packml_tmc, state: in}\n"
    rules = loaded(tmp_path, "profile: packer\nstatus_map: {state: unit-state}\n", packer=profile)
    assert "unit-state" in {name for rule in rules.status for name in rule.when.names}


def test_a_map_instead_of_rules_is_no_warning(tmp_path: Path) -> None:
    loaded(tmp_path, "status_map: {map: semi_e10, state: unit-state}\n")
    assert load(tmp_path, spec_of=spec_of).warnings == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{map: packml, state: in}",
            (6, "status_map.map", "unknown_map_guess", "there is no state map 'packml'"),
        ),
        (
            "{map: zzz, state: in}",
            (6, "status_map.map", "unknown_map", "there is no state map 'zzz'"),
        ),
        ("{map: umati}", (6, "status_map.state", "missing", "'state' is missing")),
        ("{map: euromap77, state: in}", (6, "status_map.mode", "missing", "'mode' is missing")),
        (
            "{map: semi_e10, state: in, mode: in}",
            (6, "status_map.mode", "unused_role", "state map 'semi_e10' has no use for 'mode'"),
        ),
        (
            "{map: umati, state: unit_state}",
            (6, "status_map.state", "unknown_tag_guess", "there is no tag 'unit_state'"),
        ),
        (
            "{map: umati, stat: in}",
            (6, "status_map.stat", "unknown_key_guess", "unknown key 'stat'"),
        ),
    ],
)
def test_what_is_wrong_with_a_map_is_said(
    text: str, expected: tuple[int, str, str, str], tmp_path: Path
) -> None:
    assert expected in problems(tmp_path, f"status_map: {text}\n")


def test_reasons_by_a_tag(tmp_path: Path) -> None:
    rules = loaded(
        tmp_path,
        "repeat_s: 60\n"
        "status:\n"
        "- state: idle\n"
        "  when: true\n"
        "  reason_tag: unit-state\n"
        "  reasons: {1: {code: R1, category: material}, E17: {code: R2}}\n",
    )
    (rule,) = rules.status
    assert rule.reason_tag == "unit-state"
    assert rule.reasons == {"1": Reason("R1", "material"), "E17": Reason("R2")}
    assert rules.repeat_s == 60
    assert "unit-state" in rules.decisive


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{state: idle, when: true, reason_tag: in}", "reasons_need_tag"),
        ("{state: idle, when: true, reasons: {1: {code: R}}}", "reasons_need_tag"),
        (
            "{state: idle, when: true, reason_tag: unit-stat, reasons: {1: {code: R}}}",
            "unknown_tag_guess",
        ),
    ],
)
def test_a_reason_tag_and_its_reasons_go_together(rule: str, code: str, tmp_path: Path) -> None:
    assert code in [found[2] for found in problems(tmp_path, f"status: [{rule}]\n")]
