from typing import Any

import pytest

from drivers.contract import Misconfigured
from drivers.modbus.plan import Place
from drivers.modbus.point import Point, point_of
from drivers.modbus.settings import TcpSettings
from drivers.modbus.tag import TagSettings, ValueType


def point(link: dict[str, Any] | None = None, **tag: Any) -> Point:
    settings = TcpSettings(**({"host": "10.0.0.5"} | (link or {})))
    return point_of(settings, "a", TagSettings(**tag))


@pytest.mark.parametrize(
    ("tag", "place", "kind", "bit"),
    [
        ({"address": "D5"}, ("hr", 5, 1), "uint16", None),
        ({"address": "D5.3"}, ("hr", 5, 1), "bool", 3),
        ({"address": "D5", "bit": 3}, ("hr", 5, 1), "bool", 3),
        ({"address": "D5.3", "bit": 3, "type": "bool"}, ("hr", 5, 1), "bool", 3),
        ({"address": "M5"}, ("coil", 5, 1), "bool", None),
        ({"address": "hr:5", "type": "int8h"}, ("hr", 5, 1), "int8h", None),
        ({"address": "hr:5", "type": "bcd32"}, ("hr", 5, 2), "bcd32", None),
        ({"address": "hr:5", "type": "float16"}, ("hr", 5, 1), "float16", None),
        ({"address": "hr:5", "type": "string", "length_bytes": 15}, ("hr", 5, 8), "string", None),
        (
            {"address": "hr:5", "type": "string", "length_registers": 8},
            ("hr", 5, 8),
            "string",
            None,
        ),
    ],
)
def test_where_and_what_a_tag_is(
    tag: dict[str, Any], place: tuple[Any, int, int], kind: ValueType, bit: int | None
) -> None:
    found = point(**tag)
    assert found.place == Place("a", *place)
    assert (found.reading.type, found.reading.bit) == (kind, bit)


def test_a_device_of_32_bits_is_read_whole() -> None:
    h3u = {"family": "inovance-h3u"}
    found = point(h3u, address="C200", type="uint32")
    assert (found.place.offset, found.place.width, found.reading.type) == (0xF700, 2, "uint32")
    m340 = {"family": "schneider-m340"}
    assert point(m340, address="%MF6").reading.type == "float32"
    with pytest.raises(Misconfigured, match="wider than one register"):
        point(h3u, address="C200", type="int16")


@pytest.mark.parametrize(
    ("link", "tag", "says"),
    [
        ({}, {"address": "D5.3", "bit": 4}, "is bit 3, and bit: says 4"),
        ({}, {"address": "D5.3", "type": "int16"}, "a single bit is a bool, not a int16"),
        ({}, {"address": "D5.3", "scale": 2}, "a bool cannot be scaled"),
        ({}, {"address": "D5.3", "invalid": [1]}, "a bool is no number"),
        ({}, {"address": "D5", "order": "CDAB"}, "swaps words"),
        ({}, {"address": "hr:65534", "type": "string", "length_bytes": 5}, "no room for a string"),
        (
            {"max_registers_per_read": 4},
            {"address": "hr:0", "type": "string", "length_bytes": 9},
            "as string takes 5 registers",
        ),
        ({"forbidden": ["hr:100-119"]}, {"address": "hr:119"}, "forbidden area"),
        ({"forbidden": ["hr:100"]}, {"address": "hr:99", "type": "uint32"}, "forbidden area"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_tags_name(
    link: dict[str, Any], tag: dict[str, Any], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        point(link, **tag)
    assert caught.value.reason.startswith("a: ")


def test_beside_a_forbidden_area_there_is_room() -> None:
    link = {"forbidden": ["hr:100-119"]}
    assert point(link, address="hr:98", type="uint32").place.end == 100
    assert point(link, address="hr:120").place.offset == 120
    assert point(link, address="ir:100").place.table == "ir"
