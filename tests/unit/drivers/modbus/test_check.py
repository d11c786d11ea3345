from typing import Any

import pytest

from drivers.contract import Overlap, TagRequest
from drivers.modbus import SPEC
from drivers.modbus.check import overlaps, problems
from drivers.modbus.settings import TcpSettings
from drivers.modbus.tag import TagSettings

LINK = TcpSettings(host="10.0.0.5")


def tag(key: str, **settings: Any) -> TagRequest:
    return TagRequest(key, "plc", None, TagSettings(**settings))


def pairs(*tags: TagRequest) -> list[tuple[int, int, bool]]:
    return [(found.first, found.second, found.same) for found in overlaps(LINK, tags)]


def test_who_loads_a_configuration_finds_both() -> None:
    assert SPEC.problems is problems
    assert SPEC.overlaps is overlaps


def test_every_tag_that_cannot_be_is_named_and_only_those() -> None:
    tags = [
        tag("a", address="nonsense"),
        tag("b", address="hr:0"),
        tag("c", address="M1", bit=1),
    ]
    found = problems(LINK, tags)
    assert [key for key, _ in found] == ["a", "c"]
    assert [err.refusal and err.refusal.code for _, err in found] == [
        "modbus_no_address",
        "modbus_single_bit",
    ]


def test_half_overlapping_tags_are_found() -> None:
    tags = [
        tag("heat", address="D201"),
        tag("parts", address="D200", type="uint32"),
        tag("bit0", address="D300", bit=0),
        tag("bit1", address="D300", bit=1),
        tag("word", address="D300"),
        tag("coil", address="M200"),
        tag("wrong", address="nonsense"),
    ]
    spans = ("uint16 40202 (hr:201)", "uint32 40201 (hr:200) .. 40202 (hr:201)")
    assert overlaps(LINK, tags) == [Overlap(0, 1, spans)]


def test_a_long_value_overlaps_all_it_reaches() -> None:
    assert pairs(
        tag("a", address="hr:0", type="uint64"),
        tag("b", address="hr:1"),
        tag("c", address="hr:3"),
        tag("d", address="hr:4"),
        tag("e", address="ir:1"),
    ) == [(0, 1, False), (0, 2, False)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"address": "hr:0"}, {"address": 40001}),
        ({"address": "D100"}, {"address": "0x64"}),
        ({"address": "M5"}, {"address": "coil:5"}),
        ({"address": "hr:0"}, {"address": "40001", "type": "int16", "scale": 0.1}),
        ({"address": "hr:0", "bit": 3}, {"address": "40001", "bit": 3}),
        ({"address": "D0.3"}, {"address": "D0", "bit": 3}),
        ({"address": "D0", "type": "int8h"}, {"address": "hr:0", "type": "uint8h"}),
        ({"address": "hr:0"}, {"address": "hr:0", "type": "uint16"}),
        ({"address": "hr:0"}, {"address": "hr:0"}),
    ],
)
def test_one_place_written_in_two_ways_is_named(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert pairs(tag("a", **one), tag("b", **other)) == [(0, 1, True)]
    assert pairs(tag("b", **other), tag("a", **one)) == [(0, 1, True)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"address": "hr:0"}, {"address": 40002}),
        ({"address": "hr:0"}, {"address": "ir:0"}),
        ({"address": "hr:0"}, {"address": "hr:0", "scale": 0.1}),
        ({"address": "hr:0"}, {"address": "hr:0", "type": "int16"}),
        ({"address": "hr:0"}, {"address": "40001", "bit": 3}),
        ({"address": "hr:0", "bit": 2}, {"address": "40001", "bit": 3}),
        ({"address": "D0.2"}, {"address": "D0.3"}),
        ({"address": "D0.2"}, {"address": "hr:0", "type": "int16"}),
        ({"address": "hr:0", "type": "uint8h"}, {"address": "40001", "type": "uint8l"}),
    ],
)
def test_one_place_used_twice_on_purpose_is_right(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert pairs(tag("a", **one), tag("b", **other)) == []
