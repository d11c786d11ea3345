from typing import Any

import pytest

from drivers.contract import BadSetting
from drivers.modbus.address import Address, Family, parse
from drivers.modbus.areas import Area, areas_of
from drivers.modbus.assignment import DeviceBlock, names_of


def blocks(*rows: tuple[str, int, str]) -> tuple[DeviceBlock, ...]:
    return tuple(DeviceBlock(first=first, points=points, at=at) for first, points, at in rows)


@pytest.mark.parametrize(
    ("family", "written", "wants", "found"),
    [
        ("mitsubishi-q", "D0", None, Address("hr", 0)),
        ("mitsubishi-q", "D7999", None, Address("hr", 7999)),
        ("mitsubishi-q", "D20000", None, Address("hr", 8000)),
        ("mitsubishi-q", "W1F", None, Address("hr", 9031)),
        ("mitsubishi-q", "X1F", None, Address("di", 0x1F)),
        ("mitsubishi-q", "XA0", None, Address("di", 0xA0)),
        ("mitsubishi-q", "M8192", None, Address("coil", 8192)),
        ("mitsubishi-q", "L17", None, Address("hr", 501, 1)),
        ("mitsubishi-q", "D5.A", None, Address("hr", 5, 10)),
    ],
)
def test_the_parameters_of_the_plc_say_where_its_devices_lie(
    family: Family, written: str, wants: Any, found: Address
) -> None:
    assigned = blocks(
        ("D0", 8000, "hr:0"),
        ("D20000", 1000, "hr:8000"),
        ("W0", 100, "409001"),
        ("X0", 0x2000, "di:0"),
        ("M0", 8193, "coil:0"),
        ("L0", 160, "hr:500"),
    )
    assert parse(written, family, wants=wants, assigned=assigned) == found


def test_an_fx3u_may_have_its_own_table_of_device_codes() -> None:
    """The example of the manual, 9.4: eight blocks, coils and registers counted on."""
    assigned = blocks(
        ("X0", 32, "coil:0"),
        ("M128", 64, "coil:32"),
        ("TS0", 128, "hr:0"),
        ("CS128", 32, "hr:8"),
        ("D1000", 208, "hr:10"),
        ("R0", 256, "hr:218"),
        ("CN200", 8, "hr:474"),
    )

    def found(written: str) -> Address:
        return parse(written, "mitsubishi-fx3u", assigned=assigned)

    assert found("X37") == Address("coil", 31)
    assert found("M191") == Address("coil", 0x5F)
    assert found("TS127") == Address("hr", 7, 15)
    assert found("CS128") == Address("hr", 8, 0)
    assert found("D1207") == Address("hr", 0xD9)
    assert found("R255") == Address("hr", 0x1D9)
    assert found("CN207") == Address("hr", 0x1E8, None, "int32")
    with pytest.raises(BadSetting, match=r"M128 \.\. M191"):
        found("M0")


def test_what_is_assigned_goes_before_the_family_and_leaves_the_rest() -> None:
    assigned = blocks(("M0", 100, "coil:0"))
    assert parse("M5", "mitsubishi-fx5u", assigned=assigned) == Address("coil", 5)
    assert parse("D5", "mitsubishi-fx5u", assigned=assigned) == Address("hr", 5)
    assert parse("HOLD5", "generic", assigned=blocks(("HOLD0", 9, "ir:100"))) == Address("ir", 105)


@pytest.mark.parametrize(
    "row",
    [
        ("D0", 10, "D0"),
        ("D0", 10, "coil:0"),
        ("D0", 2, "hr:65535"),
        ("M0", 65536, "hr:65000"),
        ("XG", 1, "di:0"),
        ("D1F", 1, "hr:0"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(row: tuple[str, int, str]) -> None:
    with pytest.raises((BadSetting, ValueError)):
        names_of("mitsubishi-q", blocks(row))


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("hr:100-119", Area("hr", 100, 120)),
        ("hr:100 - hr:119", Area("hr", 100, 120)),
        ("40101-40120", Area("hr", 100, 120)),
        ("hr:7", Area("hr", 7, 8)),
        ("coil:0-15", Area("coil", 0, 16)),
        ("D100-D119", Area("hr", 100, 120)),
        ("0x10-0x1F", Area("hr", 16, 32)),
    ],
)
def test_areas(text: str, area: Area) -> None:
    assert areas_of((text,), "inovance-h5u") == (area,)


@pytest.mark.parametrize("text", ["hr:9-1", "hr:1-ir:5", "hr:1.3", "D0-M5", "-5", "x", ""])
def test_what_is_no_area(text: str) -> None:
    with pytest.raises(BadSetting):
        areas_of((text,), "generic")
