from pathlib import Path
from typing import Any

import pytest

from tests.support.profile_site import BODY, EQUIPMENT, problems_of, site_of

DEFAULTS = """\
link:
  {protocol: modbus-tcp, family: inovance-h5u, max_gap_registers: 0, poll_interval_ms: 500}
"""
SHARED = EQUIPMENT.replace("links: {plc: {protocol: modbus-tcp, host: 127.0.0.1}}", "link: line1")
SERIAL = "link: {protocol: modbus-rtu, family: xinje-xd, baudrate: 19200, parity: even}\n"


def settings_of(directory: Path, profile: str, equipment: str = EQUIPMENT) -> Any:
    (link,) = site_of(directory, profile, equipment).links.values()
    return link.settings


def test_a_link_is_laid_upon_the_profile_s(tmp_path: Path) -> None:
    plain = EQUIPMENT.replace("protocol: modbus-tcp, ", "")
    settings = settings_of(tmp_path, BODY + DEFAULTS, plain)
    assert (settings.protocol, settings.host) == ("modbus-tcp", "127.0.0.1")
    assert (settings.family, settings.max_gap_registers) == ("inovance-h5u", 0)
    assert settings.poll_interval_ms == 500


def test_what_the_link_says_itself_counts_and_null_takes_away(tmp_path: Path) -> None:
    own = EQUIPMENT.replace("host:", "poll_interval_ms: 250, max_gap_registers: null, host:")
    settings = settings_of(tmp_path, BODY + DEFAULTS, own)
    assert (settings.poll_interval_ms, settings.max_gap_registers) == (250, None)


def test_another_protocol_takes_the_settings_it_has(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, BODY + SERIAL)
    assert (settings.protocol, settings.family) == ("modbus-tcp", "xinje-xd")


def test_a_setting_the_profile_s_own_protocol_does_not_have_is_its_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, BODY + "link: {protocol: modbus-tcp, famly: omron}\n")
    assert (problem.code, problem.file) == ("unknown_key_guess", "profiles/press.yaml")
    assert problem.key == "links.plc.famly"


def test_of_several_links_the_named_one_is_completed(tmp_path: Path) -> None:
    meter = "meter: {protocol: modbus-tcp, host: h2}"
    two = EQUIPMENT.replace("127.0.0.1}", f"127.0.0.1}}, {meter}") + "link: plc\n"
    two += "tags: {power: {address: 'hr:1', link: meter}}\n"
    site = site_of(tmp_path, BODY + DEFAULTS, two)
    families = {name: link.settings.family for name, link in site.links.items()}
    assert families == {"press-1.plc": "inovance-h5u", "press-1.meter": "generic"}


def test_a_link_of_no_protocol_is_told_so_and_nothing_else(tmp_path: Path) -> None:
    found = problems_of(tmp_path, BODY + DEFAULTS, EQUIPMENT.replace("modbus-tcp", "smoke"))
    assert [problem.code for problem in found] == ["unknown_protocol"]


@pytest.mark.parametrize("family", ["generic", "delta-dvp"])
def test_a_shared_link_that_is_not_as_the_profile_says_is_a_warning(
    tmp_path: Path, family: str
) -> None:
    line = f"protocol: modbus-tcp\nhost: h\nfamily: {family}\nmax_gap_registers: 0\n"
    (problem,) = problems_of(tmp_path, BODY + DEFAULTS, SHARED, line1=line)
    assert (problem.code, problem.severity, problem.file) == (
        "link_differs",
        "warning",
        "equipment/press-1.yaml",
    )
    assert f"family of the shared link 'line1' is {family}" in problem.text["en"]
    assert "inovance-h5u" in problem.text["zh"]


def test_a_shared_link_may_have_a_pace_of_its_own(tmp_path: Path) -> None:
    line = "protocol: modbus-tcp\nhost: h\nfamily: inovance-h5u\nmax_gap_registers: 0\n"
    assert problems_of(tmp_path, BODY + DEFAULTS, SHARED, line1=line) == []


def test_what_differs_from_site_to_site_must_be_said(tmp_path: Path) -> None:
    profile = BODY + "link: {family: mitsubishi-q}\nlink_needs: [devices]\n"
    (problem,) = problems_of(tmp_path, profile)
    assert (problem.code, problem.line, problem.key) == ("link_needs", 3, "links.plc.devices")
    assert "'devices'" in problem.text["en"]
    said = EQUIPMENT.replace("host:", "devices: [{first: M0, points: 9, at: 'coil:0'}], host:")
    assert problems_of(tmp_path, profile, said) == []
