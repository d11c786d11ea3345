from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.settings import TcpSettings
from drivers.modbus.tag import TagSettings


def test_a_link_needs_only_a_host() -> None:
    link = TcpSettings(host="192.168.1.17")
    assert (link.port, link.unit_id, link.poll_interval_ms, link.timeout_ms) == (502, 1, 1000, 1000)
    assert (link.max_registers_per_read, link.max_bits_per_read) == (125, 2000)


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
