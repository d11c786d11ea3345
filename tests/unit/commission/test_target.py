"""What a person points a tool at."""

from pathlib import Path

import pytest

from gateway.commission.target import (
    NoTarget,
    configured,
    only_tags,
    typed,
    typed_read,
)
from gateway.commission.texts import sentence
from tests.support.config_site import GATEWAY, write_site

PRESS = """\
equipment: press-07
links:
  plc: {protocol: modbus-tcp, host: 192.168.1.17, timeout_ms: 700}
tags:
  run: {address: M0, link: plc}
  parts: {address: D200, type: uint32, link: line}
status: [{state: running, when: run}]
"""
OTHER = """\
equipment: press-08
tags: {run: {address: coil:1, link: line}}
status: [{state: running, when: run}]
"""
FILES = {
    "gateway.yaml": GATEWAY,
    "links/line.yaml": "protocol: modbus-tcp\nhost: 192.168.1.20\n",
    "equipment/a.yaml": PRESS,
    "equipment/b.yaml": OTHER,
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path, FILES)


def keys(name: str, site: Path) -> dict[str, list[str]]:
    return {one.name: [tag.key for tag in one.tags] for one in configured(site, name)}


def test_a_link_brings_all_its_tags(site: Path) -> None:
    assert keys("line", site) == {"line": ["press-07/parts", "press-08/run"]}


def test_an_equipment_brings_its_own_tags_of_each_link(site: Path) -> None:
    assert keys("press-07", site) == {"line": ["press-07/parts"], "press-07.plc": ["press-07/run"]}


def test_an_endpoint_the_configuration_knows_has_its_settings(site: Path) -> None:
    (one,) = configured(site, "modbus-tcp://192.168.1.17:502/1")
    assert (one.name, one.settings.timeout_ms) == ("press-07.plc", 700)
    (other,) = configured(site, "modbus-tcp://192.168.1.99:502/1")
    assert (other.settings.timeout_ms, other.tags) == (1000, ())


@pytest.mark.parametrize(
    ("name", "code"), [("press-99", "no_such_link"), ("nonsense://x", "no_protocol")]
)
def test_what_is_not_there(name: str, code: str, site: Path) -> None:
    with pytest.raises(NoTarget) as caught:
        configured(site, name)
    assert caught.value.said.code == code
    assert sentence(caught.value.said)["zh"]


def test_a_refused_configuration_says_its_first_problem(tmp_path: Path) -> None:
    write_site(tmp_path, {**FILES, "equipment/a.yaml": "equipment: 1\n"})
    with pytest.raises(NoTarget) as caught:
        configured(tmp_path, "line")
    text = sentence(caught.value.said)
    assert "equipment/a.yaml:1" in text["zh"]
    assert "millgate check" in text["en"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("192.168.1.17", "no_link_text"),
        ("modbus-tcp://h:x/1", "no_link_text"),
        ("modbus-tcp://h:502/1?colour=red", "bad_setting"),
        ("opc.tcp://user@h:4840", "no_link_text"),
        ("opc.tcp://h:0", "opcua_no_endpoint"),
    ],
)
def test_what_is_no_link(text: str, code: str) -> None:
    with pytest.raises(NoTarget) as caught:
        typed(text)
    assert caught.value.said.code == code


def test_values_in_a_row() -> None:
    one = typed_read(typed("modbus-tcp://h:502/3"), "hr:100", count=3, kind="uint32", order="CDAB")
    assert [(tag.key, tag.settings.type, tag.settings.order) for tag in one.tags] == [
        (f"hr:{at}", "uint32", "CDAB") for at in (100, 102, 104)
    ]
    assert one.settings.unit_id == 3


def test_names_of_a_family_count_on_in_its_places() -> None:
    link = typed("modbus-tcp://h:502/1?family=inovance-h5u")
    assert [tag.key for tag in typed_read(link, "D10", count=2).tags] == ["hr:10", "hr:11"]
    assert [tag.key for tag in typed_read(link, "D10").tags] == ["D10"]


def test_a_node_is_read_as_it_is_written() -> None:
    (tag,) = typed_read(typed("opc.tcp://h:4840"), "ns=2;s=Run").tags
    assert tag.settings.node == "ns=2;s=Run"


@pytest.mark.parametrize(
    ("what", "kind", "code"),
    [("hr", None, "modbus_no_address"), ("hr:1", "uint7", "bad_setting"), ("100", None, None)],
)
def test_what_is_no_address(what: str, kind: str | None, code: str | None) -> None:
    with pytest.raises(NoTarget) as caught:
        typed_read(typed("modbus-tcp://h:502/1"), what, kind=kind)
    assert caught.value.said.code == (code or "modbus_bare_number")
    assert sentence(caught.value.said)["zh"]


def test_only_some_tags(site: Path) -> None:
    targets = configured(site, "press-07")
    (one,) = only_tags(targets, ["run"])
    assert [tag.key for tag in one.tags] == ["press-07/run"]
    assert only_tags(targets, []) == targets
    with pytest.raises(NoTarget) as caught:
        only_tags(targets, ["runn"])
    assert caught.value.said.code == "no_such_tag"
