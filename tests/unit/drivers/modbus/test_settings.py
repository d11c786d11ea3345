from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from drivers.modbus import SPECS
from drivers.modbus.settings import TcpSettings, bus_key_of, endpoint_of
from drivers.modbus.tag import TagSettings


def test_a_link_needs_only_a_host() -> None:
    link = TcpSettings(host="192.168.1.17")
    assert (link.port, link.unit_id, link.poll_interval_ms, link.timeout_ms) == (502, 1, 1000, 1000)
    assert (link.max_registers_per_read, link.max_bits_per_read) == (125, 2000)


@pytest.mark.parametrize("page", ["modbus.md", "modbus.zh-CN.md"])
def test_every_transport_the_manual_shows_is_right(page: str) -> None:
    text = (Path(__file__).parents[4] / "docs" / page).read_text(encoding="utf-8")
    written = YAML(typ="safe").load(text.split("```yaml\n")[1].split("```")[0])
    shown = {link["protocol"] for link in written["links"].values()}
    assert shown == SPECS.keys() - {"modbus-ascii-tcp"}
    for link in written["links"].values():
        SPECS[link["protocol"]].link_settings(**link)


@pytest.mark.parametrize(
    ("protocol", "settings", "key"),
    [
        ("modbus-rtu", {"port": "ttyUSB0"}, "port"),
        ("modbus-rtu", {"port": "/dev/a", "data_bits": 7}, "data_bits"),
        ("modbus-rtu", {"port": "/dev/a", "parity": "E"}, "parity"),
        ("modbus-rtu", {"port": "/dev/a", "unit_id": 0}, "unit_id"),
        ("modbus-rtu", {"port": "/dev/a", "host": "h"}, "host"),
        ("modbus-udp", {"host": "h", "accept_transaction_zero": True}, "accept_transaction_zero"),
        ("modbus-tls", {"host": "h"}, "ca_file"),
        ("modbus-listen", {}, "port"),
    ],
)
def test_a_wrong_setting_of_a_transport_is_named(
    protocol: str, settings: dict[str, Any], key: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SPECS[protocol].link_settings(**settings)
    assert caught.value.errors()[0]["loc"][0] == key


@pytest.mark.parametrize(
    ("protocol", "settings", "bus"),
    [
        ("modbus-rtu", {"port": "/dev/a"}, "/dev/a"),
        ("modbus-tls", {"host": "h", "ca_file": "ca.pem"}, "h:802"),
        ("modbus-listen", {"port": 5020}, "listen:0.0.0.0:5020"),
        (
            "modbus-listen",
            {"port": 5020, "registration": {"text": "SN1"}},
            "listen:0.0.0.0:5020/SN1",
        ),
        (
            "modbus-listen",
            {"port": 5020, "registration": {"hex": "aa00"}},
            "listen:0.0.0.0:5020/hex AA 00",
        ),
    ],
)
def test_what_shares_a_bus(protocol: str, settings: dict[str, Any], bus: str) -> None:
    link = SPECS[protocol].link_settings(**settings)
    assert bus_key_of(link) == bus
    assert endpoint_of(link) == f"{bus}#1"


def test_how_a_dtu_speaks_is_what_its_links_must_agree_in() -> None:
    spec = SPECS["modbus-listen"]
    plain = spec.link_settings(port=5020)
    assert plain.line == {"framing": "rtu", "heartbeat": None, "registration.match": None}
    said = {"registration": {"text": "SN1", "match": "prefix"}, "heartbeat": {"hex": "fe01"}}
    told = spec.link_settings(port=5020, framing="tcp", **said)
    assert told.line == {
        "framing": "tcp",
        "heartbeat": "hex FE 01",
        "registration.match": "prefix",
    }


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "host"),
        ({"host": ""}, "host"),
        ({"host": "h", "prot": 502}, "prot"),
        ({"host": "h", "protocol": "modbus-rtu"}, "protocol"),
        ({"host": "h", "unit_id": 256}, "unit_id"),
        ({"host": "h", "poll_interval_ms": 9}, "poll_interval_ms"),
        ({"host": "h", "max_registers_per_read": 126}, "max_registers_per_read"),
        ({"host": "h", "groups": {"slow": {"poll_interval_ms": 5}}}, "poll_interval_ms"),
        ({"host": "h", "groups": {"slow": {"poll_interval_ms": 50, "every": 5}}}, "every"),
    ],
)
def test_a_wrong_link_setting_is_named(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TcpSettings(**settings)
    assert caught.value.errors()[0]["loc"][-1] == key


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"address": True}, "valid integer"),
        ({"address": "hr:0", "scale": 0}, "leave it out or write 1"),
        ({"address": "hr:0", "scale": float("nan")}, "finite"),
        ({"address": "hr:0", "bit": 3, "type": "uint16"}, "leave out type"),
        ({"address": "hr:0", "bit": 3, "scale": 2}, "cannot be scaled"),
        ({"address": "hr:0", "bit": 3, "invalid": [1]}, "a bool is no number"),
        ({"address": "hr:0", "bit": 16}, "less than or equal to 15"),
        ({"address": "hr:0", "type": "uint16", "order": "CDAB"}, "write BA to"),
        ({"address": "hr:0", "bit": 1, "order": "DCBA"}, "write BA to"),
        ({"address": "hr:0", "type": "uint8"}, "uint16"),
        ({"address": "hr:0", "order": "BACD"}, "CDAB"),
    ],
)
def test_tag_settings_that_do_not_fit_together_are_refused(
    settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        TagSettings(**settings)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        TcpSettings(host="h").port = 503  # type: ignore[misc]
