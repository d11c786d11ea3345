from typing import Any

import pytest
from pydantic import ValidationError

from drivers.opcua import SPEC
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
        ({"device_clock": "yes"}, "'gateway' or 'trust'"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        link(**settings)


def test_sampling_is_half_the_publishing_interval_unless_given() -> None:
    assert link(publishing_interval_ms=500).sampling_ms() == 250
    assert link(sampling_interval_ms=0).sampling_ms() == 0


def test_groups_are_allowed_so_that_links_read_alike() -> None:
    assert link(groups={"slow": {"poll_interval_ms": 10_000}})


def test_a_node_is_kept_in_its_standard_form() -> None:
    assert TagSettings(node=" ns=0;i=2258 ").node == "i=2258"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"node": "Line1.Count"}, "is no node id"),
        ({"node": "ns=2;i=x"}, "is no number"),
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
