from typing import Any

import pytest
from pydantic import ValidationError

from drivers.opcua import SPEC
from drivers.opcua.limits import Limits
from drivers.opcua.settings import LinkSettings, TagSettings, endpoint_of


def link(**settings: Any) -> LinkSettings:
    return LinkSettings(**{"endpoint": "opc.tcp://plc:4840"} | settings)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("opc.tcp://192.168.1.20", "opc.tcp://192.168.1.20:4840"),
        ("opc.tcp://PLC-7:4841/", "opc.tcp://plc-7:4841"),
        ("opc.tcp://plc:4840/Server/UA", "opc.tcp://plc:4840/Server/UA"),
        ("opc.tcp://[fe80::1]:4840", "opc.tcp://[fe80::1]:4840"),
    ],
)
def test_an_endpoint_is_kept_in_one_form(written: str, kept: str) -> None:
    assert link(endpoint=written).endpoint == kept
    assert endpoint_of(link(endpoint=written)) == kept


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"endpoint": "192.168.1.20:4840"}, "looks like opc.tcp://"),
        ({"endpoint": "http://plc:4840"}, "looks like opc.tcp://"),
        ({"endpoint": "opc.tcp://"}, "looks like opc.tcp://"),
        ({"endpoint": "opc.tcp://plc:0"}, "port from 1 to 65535"),
        ({"endpoint": "opc.tcp://plc:99999"}, "ort"),
        ({"endpoint": "opc.tcp://joe:secret@plc"}, "no user name and no password"),
        ({"keepalive_s": 0.5}, "at least two publishing intervals"),
        ({"security": "sign"}, "none"),
        ({"publishing_intervall_ms": 500}, "Extra inputs"),
        ({"max_skew_s": float("inf")}, "finite"),
        ({"brand": "s7-1300"}, "s7-1500"),
        ({"mode": "push"}, "'auto', 'subscribe' or 'poll'"),
        ({"groups": {"slow": {"interval_ms": 5}}}, "Extra inputs"),
        ({"limits": {"items": 5}}, "Extra inputs"),
        ({"device_clock": "yes"}, "'gateway' or 'trust'"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        link(**settings)


def test_sampling_is_half_the_publishing_interval_unless_given() -> None:
    assert link(publishing_interval_ms=500).sampling_ms() == 250
    assert link(sampling_interval_ms=0).sampling_ms() == 0


def test_a_group_has_intervals_of_its_own() -> None:
    groups = {"slow": {"poll_interval_ms": 10_000}, "fast": {"sampling_interval_ms": 10}}
    settings = link(groups=groups, poll_interval_ms=2000)
    assert [settings.poll_s(name) for name in ("slow", "fast", "plc")] == [10, 2, 2]
    assert [settings.sampling_ms(name) for name in ("slow", "fast", "plc")] == [250, 10, 250]
    by_default = [settings.samples_by_default(name) for name in ("slow", "fast", "plc")]
    assert by_default == [True, False, True]
    assert not link(sampling_interval_ms=100).samples_by_default("plc")


def test_the_limits_of_a_link_are_those_of_its_brand_and_its_own() -> None:
    assert link().known_limits == Limits()
    own = link(brand="s7-1200", limits={"items_per_session": 300, "items_per_call": 5000})
    assert (own.known_limits.items_per_session, own.known_limits.items_per_call) == (300, 100)


def test_a_node_is_kept_in_its_standard_form() -> None:
    assert TagSettings(node=" ns=0;i=2258 ").node == "i=2258"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"node": "Line1.Count"}, "is no node id"),
        ({"node": "ns=2;i=x"}, "is no number"),
        ({}, "one of node, path and conditions"),
        ({"node": "i=1", "path": "A"}, "one of node, path and conditions"),
        ({"path": "A//B"}, "is no browse path"),
        ({"conditions": "everything"}, "is no node id"),
        ({"conditions": "server", "offset": 1}, "has no scale"),
        ({"node": "ns=2;s=A", "scale": 0}, "scale 0"),
        ({"node": "ns=2;s=A", "offset": float("nan")}, "finite"),
        ({"node": "ns=2;s=A", "deadband": 1}, "Extra inputs"),
    ],
)
def test_a_tag_that_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TagSettings(**settings)


def test_the_registry_entry_is_complete() -> None:
    assert SPEC.protocol == "opcua"
    assert SPEC.pushed
    assert SPEC.link_settings.model_json_schema()["additionalProperties"] is False
    assert SPEC.tag_settings.model_json_schema()["additionalProperties"] is False
