from typing import Any

import pytest

from gateway.tags.link_text import link_of
from gateway.tags.messages import SheetError


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (
            "modbus-tcp://192.168.1.17:502/3",
            {"protocol": "modbus-tcp", "host": "192.168.1.17", "port": 502, "unit_id": 3},
        ),
        (
            "modbus-tcp://plc-7?poll_interval_ms=200&family=inovance-h5u",
            {
                "protocol": "modbus-tcp",
                "host": "plc-7",
                "poll_interval_ms": 200,
                "family": "inovance-h5u",
            },
        ),
        (
            "modbus-rtu:///dev/serial/by-path/usb-1?unit_id=3&baudrate=9600",
            {
                "protocol": "modbus-rtu",
                "port": "/dev/serial/by-path/usb-1",
                "unit_id": 3,
                "baudrate": 9600,
            },
        ),
        (
            "opc.tcp://192.168.1.20:4840/line",
            {"protocol": "opcua", "endpoint": "opc.tcp://192.168.1.20:4840/line"},
        ),
        ("replay://?file=case.jsonl", {"protocol": "replay", "file": "case.jsonl"}),
    ],
)
def test_a_link_on_one_line(text: str, settings: dict[str, Any]) -> None:
    assert link_of(text) == settings


@pytest.mark.parametrize(
    "text",
    ["", "192.168.1.17:502", "modbus-tcp://h:port", "modbus-tcp://h/x", "modbus-tcp://joe@h", "x"],
)
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(SheetError):
        link_of(text)
