"""What holds for every profile that ships, put to use as a person would."""

from pathlib import Path

import pytest

from gateway.settings import shipped
from tests.profiles.models import DEVICES, MODBUS, OPCUA, link_of
from tests.support.profile_play import Model, variants_of

FOLDER = shipped.directory() / "profiles"
PROFILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
MODELS = (*MODBUS, *OPCUA)
SERVER = "links: {plc: {endpoint: 'opc.tcp://127.0.0.1:4840'}}\n"
ON_SITE = {"unverified_profile", "partly_unverified_profile", "profile_layout"}
BESIDES = {"chint-dtsu666": {"float_counter"}}
"""A warning that is true of such a device."""


def link(model: Model) -> str:
    return link_of(model) if model in MODBUS else SERVER


def test_every_profile_and_variant_is_played() -> None:
    played = {(model.profile, model.variant) for model in MODELS}
    shipped_ones = {(name, variant) for name in PROFILES for variant in variants_of(name)}
    assert {name for name, _ in played} == set(PROFILES)
    assert shipped_ones <= played


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_check_warns_of_what_is_to_be_compared_on_site_and_of_nothing_else(
    model: Model, tmp_path: Path
) -> None:
    found = {problem.code for problem in model.site(tmp_path, link(model)).warnings}
    file = model.file()
    unsure = file.verified == "none" or file.layout == "program" or bool(file.unverified)
    assert len(found & ON_SITE) == int(unsure)
    assert found - ON_SITE == BESIDES.get(model.profile, set())


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_who_has_compared_is_not_warned_any_more(model: Model, tmp_path: Path) -> None:
    compared = Model(model.profile, model.variant, model.says + "compared: true\n")
    found = {problem.code for problem in compared.site(tmp_path, link(model)).warnings}
    assert not found & ON_SITE


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_profile_says_what_it_is_and_where_that_is_from(model: Model) -> None:
    file = model.file()
    assert set(file.name) == {"zh", "en"}
    assert file.link.get("protocol")
    assert len(file.compare) == 3
    assert bool(file.source) == (file.verified != "none")
    assert file.quirks
    assert all(set(quirk) == {"zh", "en"} for quirk in file.quirks)
    assert all(set(parameter.name) == {"zh", "en"} for parameter in file.parameters.values())


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_all_texts_are_in_both_languages(model: Model, tmp_path: Path) -> None:
    rules = model.site(tmp_path, link(model)).equipment["machine-1"].rules
    named = [tag.text for tag in rules.tags.values()]
    named += [text.text for fault in rules.faults for text in fault.texts.values()]
    named += [rule.reason.text for rule in rules.status if rule.reason is not None]
    assert all(set(text) == {"zh", "en"} for text in named)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_scenes_show_a_machine_that_runs_and_one_that_does_not(model: Model) -> None:
    scenes = model.file().simulate
    states = {scene.state for scene in scenes}
    assert "running" in states
    assert states - {"running"}
    assert "fault" in states or not model.file().faults
    counters = set(model.file().counters)
    assert not counters or any(scene.counts for scene in scenes)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_link_needs_to_say_only_where_the_device_is(model: Model, tmp_path: Path) -> None:
    written = model.file().link
    where = {
        "modbus-rtu": "port: /dev/serial/by-path/usb-1",
        "modbus-ascii": "port: /dev/serial/by-path/usb-1",
        "modbus-tcp": "host: 192.168.1.31",
        "opcua": "endpoint: 'opc.tcp://192.168.1.31:4840'",
    }[written["protocol"]]
    needs = f", devices: {DEVICES}" if "devices" in model.file().link_needs else ""
    (link,) = model.site(tmp_path, f"links: {{plc: {{{where}{needs}}}}}\n").links.values()
    assert link.protocol == written["protocol"]
    assert {key: getattr(link.settings, key) for key in written} == written
