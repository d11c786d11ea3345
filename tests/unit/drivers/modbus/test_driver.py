import asyncio
from typing import Any

import pytest

from drivers.contract import Misconfigured, TagRequest
from drivers.modbus import SPEC, SPECS
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.settings import TcpSettings
from drivers.modbus.tag import TagSettings
from tests.support.modbus_device import HR, device
from tests.support.until import until


def link(**settings: Any) -> TcpSettings:
    return TcpSettings(**{"host": "10.0.0.5"} | settings)


def tag(
    key: str, *, group: str = "plc", every_s: float | None = None, **settings: Any
) -> TagRequest:
    return TagRequest(key, group, every_s, TagSettings(**settings))


def test_links_with_the_same_unit_share_a_session() -> None:
    assert SPEC.endpoint_of(link(unit_id=3)) == "10.0.0.5:502#3"
    assert SPEC.endpoint_of(link(unit_id=3, timeout_ms=50)) == SPEC.endpoint_of(link(unit_id=3))
    assert SPEC.create(link(unit_id=3), [], {}).endpoint == "10.0.0.5:502#3"


def test_groups_keep_their_own_interval_and_hold_every_tag_once() -> None:
    driver = SPEC.create(
        link(poll_interval_ms=500),
        [
            tag("a", address="hr:0"),
            tag("b", address="hr:1", group="slow", every_s=10.0),
            tag("c", address="hr:2"),
        ],
        {},
    )
    assert [(g.name, g.poll_interval_s, g.keys) for g in driver.groups] == [
        ("plc", 0.5, frozenset({"a", "c"})),
        ("slow", 10.0, frozenset({"b"})),
    ]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"address": 100}, "hr:100"),
        ({"address": "X99"}, "octal"),
        ({"address": "M1", "type": "uint16"}, "00002 \\(coil:1\\) is a single bit"),
        ({"address": "M1", "bit": 1}, "single bit"),
        ({"address": "M1", "scale": 2}, "single bit"),
        ({"address": "D1", "type": "bool"}, "bit: 0 .. 15"),
        ({"address": "hr:65535", "type": "uint32"}, "has no room for a uint32"),
        ({"address": "hr:0", "type": "float64"}, "max_registers_per_read is 2"),
    ],
)
def test_a_tag_that_cannot_be_is_named_before_anything_connects(
    settings: dict[str, Any], says: str
) -> None:
    strict = link(family="inovance-h5u", max_registers_per_read=2)
    tags = [tag("press/good", address="hr:0"), tag("press/wrong", **settings)]
    with pytest.raises(Misconfigured, match=says) as caught:
        SPEC.create(strict, tags, {})
    assert "press/wrong" in caught.value.reason
    assert caught.value.refusal is not None
    assert f"press/wrong: {caught.value.refusal.problem}" == caught.value.reason


def test_a_type_is_found_by_itself_where_it_can_be() -> None:
    driver = SPEC.create(
        link(),
        [tag("a", address="M1"), tag("b", address="D1"), tag("c", address="D1", bit=3)],
        {},
    )
    assert isinstance(driver, ModbusDriver)
    assert {str(block) for block in driver.plans()["plc"].blocks} == {
        "FC1 00002 (coil:1) .. 00002 (coil:1): 1 bits, 1 tags",
        "FC3 40002 (hr:1) .. 40002 (hr:1): 1 registers, 2 tags",
    }


def test_links_that_contradict_each_other_on_one_line_are_refused() -> None:
    shared: dict[str, Any] = {}
    spec = SPECS["modbus-rtu"]
    for unit in (1, 2):
        link = spec.link_settings(port="/dev/ttyS0", unit_id=unit, timeout_ms=100 * unit)
        spec.create(link, [], shared)
    other = spec.link_settings(port="/dev/ttyS0", unit_id=3, parity="even")
    with pytest.raises(Misconfigured, match="parity is even, and none for another link"):
        spec.create(other, [], shared)
    spec.create(spec.link_settings(port="/dev/ttyS1", parity="even"), [], shared)


async def test_two_units_behind_one_socket_share_it() -> None:
    async with device() as plc:
        plc.put(HR, 0, 7)
        shared: dict[str, Any] = {}
        drivers = [
            SPEC.create(
                TcpSettings(host="127.0.0.1", port=plc.port, unit_id=unit),
                [tag(f"u{unit}", address="hr:0")],
                shared,
            )
            for unit in (1, 2)
        ]
        async with drivers[0].open() as one, drivers[1].open() as two:
            batches = await asyncio.gather(one.read(drivers[0].groups), two.read(drivers[1].groups))
            assert [dict(batch.changed) for batch in batches] == [{"u1": 7}, {"u2": 7}]
            assert {asked.unit for asked in plc.asked} == {1, 2}
            assert plc.accepted == 1
        await until(lambda: plc.connections == 0)
