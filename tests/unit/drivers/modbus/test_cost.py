from typing import Any

import pytest

from drivers.contract import TagRequest
from drivers.modbus import SPECS
from drivers.modbus.cost import limits_of, pace_of
from drivers.modbus.plan import Block
from drivers.modbus.settings import RtuTcpSettings, TcpSettings
from drivers.modbus.settings_serial import AsciiSettings, RtuSettings
from drivers.modbus.tag import TagSettings

TEN = Block("hr", 0, 10, ())


def rtu(**more: Any) -> RtuSettings:
    return RtuSettings(**({"port": "/dev/ttyS0"} | more))


def test_on_a_line_characters_are_counted() -> None:
    """Ten registers at 9600 8N1: 8 + 25 characters, two silences of 3.5, the turnaround."""
    character_s = 10 / 9600
    expected = (8 + 25 + 7) * character_s + 0.005
    assert pace_of(rtu()).duration_s(TEN) == pytest.approx(expected)


def test_a_parity_bit_makes_a_character_longer_and_a_faster_line_shorter() -> None:
    slow, even = pace_of(rtu()), pace_of(rtu(parity="even"))
    assert even.register_s == pytest.approx(slow.register_s * 1.1)
    fast = pace_of(rtu(baudrate=115200))
    assert fast.register_s == pytest.approx(slow.register_s / 12)
    assert fast.request_s < slow.request_s / 2


def test_ascii_takes_twice_the_characters() -> None:
    pace = pace_of(AsciiSettings(port="/dev/ttyS0", data_bits=8))
    assert pace.register_s == pytest.approx(2 * pace_of(rtu()).register_s)


def test_a_pause_is_part_of_a_request() -> None:
    assert pace_of(rtu(pause_ms=50)).request_s == pytest.approx(pace_of(rtu()).request_s + 0.05)
    link = TcpSettings(host="h", pause_ms=50)
    assert pace_of(link).request_s == pytest.approx(0.052)


def test_over_a_network_the_round_trip_is_what_was_measured_or_is_assumed_and_says_so() -> None:
    link = TcpSettings(host="h")
    assert pace_of(link).basis == "RTT 2 ms?"
    measured = pace_of(link, 0.05)
    assert measured.basis == "RTT 50 ms"
    assert measured.duration_s(TEN) == pytest.approx(0.05, rel=0.01)
    behind = pace_of(RtuTcpSettings(host="h"), 0.05)
    assert behind.basis == "RTT 50 ms, 9600 Bd?"
    assert behind.request_s == pytest.approx(pace_of(rtu()).request_s + 0.05)


def test_a_gap_is_worth_more_where_requests_are_dear() -> None:
    line, net = limits_of(rtu()), limits_of(TcpSettings(host="h"))
    assert 10 < line.request_worth < 20 < net.request_worth
    assert limits_of(rtu(pause_ms=100)).request_worth > 3 * line.request_worth
    assert limits_of(rtu(max_gap_registers=3)).gap("hr") == 3


def test_a_links_plan_names_requests_tags_and_times() -> None:
    spec = SPECS["modbus-rtu"]
    assert spec.plan is not None
    tags = [
        TagRequest("m/run", "bus", 0.2, TagSettings(address="M0")),
        TagRequest("m/good", "bus", 0.2, TagSettings(address="D0", type="uint32")),
        TagRequest("m/heat", "slow", 10.0, TagSettings(address="D9")),
    ]
    plan = spec.plan(rtu(unit_id=7, timeout_ms=300), tags, None)
    assert (plan.bus, plan.basis, plan.timeout_s) == ("/dev/ttyS0", "9600 Bd", 0.3)
    bus, slow = plan.groups
    assert [request.tags for request in bus.requests] == [("m/run",), ("m/good",)]
    assert [request.text[:3] for request in bus.requests] == ["FC1", "FC3"]
    assert (slow.name, slow.poll_interval_s) == ("slow", 10.0)
    assert bus.scan_s == pytest.approx(sum(r.duration_s for r in bus.requests))


def test_every_transport_has_a_plan() -> None:
    assert all(spec.plan is not None for spec in SPECS.values())
