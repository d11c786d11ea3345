"""Where each Modbus profile reads, against addresses written down from the manuals' maps.

Nothing here is computed: 0-based addresses as they go over the wire, and the order of
the words.
"""

from pathlib import Path

import pytest

from drivers.modbus.point import point_of
from tests.profiles.models import MODBUS, link_of
from tests.support.profile_play import Model

Wire = tuple[str, int, int]
"""table, 0-based address, how many"""
PLC_BITS = {"run": ("coil", 100, 1), "ready": ("coil", 101, 1), "manual": ("coil", 102, 1)}
D_FROM_0 = {
    "good_parts": ("hr", 200, 2),
    "reject_parts": ("hr", 202, 2),
    "alarm_word": ("hr", 300, 1),
}
DTSU666 = {
    "voltage_l1": ("hr", 0x2006, 2),
    "voltage_l2": ("hr", 0x2008, 2),
    "voltage_l3": ("hr", 0x200A, 2),
    "current_l1": ("hr", 0x200C, 2),
    "current_l2": ("hr", 0x200E, 2),
    "current_l3": ("hr", 0x2010, 2),
    "power": ("hr", 0x2012, 2),
    "reactive_power": ("hr", 0x201A, 2),
    "power_factor": ("hr", 0x202A, 2),
    "frequency": ("hr", 0x2044, 2),
}
ENERGY_101E = {"energy_import": ("hr", 0x101E, 2), "energy_export": ("hr", 0x1028, 2)}
ENERGY_401E = {"energy_import": ("hr", 0x401E, 2), "energy_export": ("hr", 0x4028, 2)}
WIRE: dict[str, dict[str, Wire]] = {
    "generic-modbus-discrete": {
        "run": ("coil", 0, 1),
        "ready": ("coil", 1, 1),
        "setup": ("coil", 2, 1),
        "good_parts": ("hr", 0, 2),
        "reject_parts": ("hr", 2, 2),
        "alarm_word": ("hr", 4, 1),
    },
    "inovance-h5u": PLC_BITS | D_FROM_0,
    "inovance-h3u": PLC_BITS | D_FROM_0,
    "xinje-xd": PLC_BITS
    | {
        "good_parts": ("hr", 41088, 2),
        "reject_parts": ("hr", 41090, 2),
        "alarm_word": ("hr", 41098, 1),
    },
    "delta-dvp": {
        "run": ("coil", 0x0864, 1),
        "ready": ("coil", 0x0865, 1),
        "manual": ("coil", 0x0866, 1),
        "good_parts": ("hr", 4296, 2),
        "reject_parts": ("hr", 4298, 2),
        "alarm_word": ("hr", 4396, 1),
    },
    "siemens-s7-modbus-server": {
        "run": ("hr", 0, 1),
        "ready": ("hr", 0, 1),
        "manual": ("hr", 0, 1),
        "maintenance": ("hr", 0, 1),
        "alarm_word": ("hr", 1, 1),
        "alarm_word_2": ("hr", 2, 1),
        "good_parts": ("hr", 3, 2),
        "reject_parts": ("hr", 5, 2),
        "cycle_time": ("hr", 7, 2),
        "stop_reason": ("hr", 9, 1),
        "heartbeat": ("hr", 10, 1),
        "temperature": ("hr", 11, 2),
    },
    "mitsubishi-modbus": {
        "run": ("coil", 8292, 1),
        "ready": ("coil", 8293, 1),
        "manual": ("coil", 8294, 1),
        "good_parts": ("hr", 1200, 2),
        "reject_parts": ("hr", 1202, 2),
        "alarm_word": ("hr", 1300, 1),
    },
    "chint-dtsu666": DTSU666 | ENERGY_101E,
    "chint-dtsu666-energy-401e": DTSU666 | ENERGY_401E,
    "chint-dtsu666-unscaled": DTSU666 | ENERGY_101E,
    "chint-dtsu666-unscaled-401e": DTSU666 | ENERGY_401E,
    "acrel-dtsd1352": {
        "energy_total": ("hr", 0, 2),
        "energy_import": ("hr", 10, 2),
        "energy_export": ("hr", 20, 2),
        "voltage_l1": ("hr", 97, 1),
        "voltage_l2": ("hr", 98, 1),
        "voltage_l3": ("hr", 99, 1),
        "current_l1": ("hr", 100, 1),
        "current_l2": ("hr", 101, 1),
        "current_l3": ("hr", 102, 1),
        "frequency": ("hr", 119, 1),
        "ratio_pt": ("hr", 141, 1),
        "ratio_ct": ("hr", 142, 1),
        "power": ("hr", 362, 2),
        "power_factor": ("hr", 383, 1),
    },
    "acrel-adw300": {
        "voltage_l1": ("hr", 20, 1),
        "voltage_l2": ("hr", 21, 1),
        "voltage_l3": ("hr", 22, 1),
        "current_l1": ("hr", 26, 1),
        "current_l2": ("hr", 27, 1),
        "current_l3": ("hr", 28, 1),
        "power_l1": ("hr", 30, 2),
        "power_l2": ("hr", 32, 2),
        "power_l3": ("hr", 34, 2),
        "power": ("hr", 36, 2),
        "energy_import": ("hr", 62, 2),
        "energy_export": ("hr", 64, 2),
    },
    "vfd-generic-enc": {
        "status_word": ("hr", 0x2100, 1),
        "fault_code": ("hr", 0x2180, 1),
        "set_frequency": ("hr", 0x1000, 1),
        "frequency": ("hr", 0x1001, 1),
        "current": ("hr", 0x1002, 1),
        "voltage": ("hr", 0x1003, 1),
        "temperature": ("hr", 0x1006, 1),
    },
    "vfd-generic-invt": {
        "status_word": ("hr", 0x1001, 1),
        "fault_code": ("hr", 0x5000, 1),
        "frequency": ("hr", 0x3000, 1),
        "set_frequency": ("hr", 0x3001, 1),
        "bus_voltage": ("hr", 0x3002, 1),
        "voltage": ("hr", 0x3003, 1),
        "current": ("hr", 0x3004, 1),
    },
    "vfd-generic-delta": {
        "fault_code": ("hr", 0x2100, 1),
        "status_word": ("hr", 0x2101, 1),
        "set_frequency": ("hr", 0x2102, 1),
        "frequency": ("hr", 0x2103, 1),
        "current": ("hr", 0x2104, 1),
    },
}
LOW_WORD_FIRST = {"inovance-h3u", "inovance-h5u", "delta-dvp", "mitsubishi-modbus"}


@pytest.mark.parametrize("model", MODBUS, ids=str)
def test_every_tag_is_read_where_the_map_says(model: Model, tmp_path: Path) -> None:
    (link,) = model.site(tmp_path, link_of(model)).links.values()
    points = {tag.key: point_of(link.settings, tag.key, tag.settings) for tag in link.tags}
    places = {key.partition("/")[2]: point.place for key, point in points.items()}
    wire = {name: (p.table, p.offset, p.width) for name, p in places.items()}
    assert wire == WIRE[str(model)]
    wide = {p.reading.order for p in points.values() if p.place.width > 1}
    assert wide <= ({"CDAB"} if model.profile in LOW_WORD_FIRST else {"ABCD"})
