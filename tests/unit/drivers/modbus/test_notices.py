from datetime import UTC, datetime

from drivers.modbus.notices import notices
from drivers.modbus.settings import TcpSettings
from drivers.modbus.settings_serial import RtuSettings

NOW = datetime(2026, 3, 20, tzinfo=UTC)
STABLE = "/dev/serial/by-path/pci-1"


def test_a_bare_serial_port_is_named_with_its_stable_path() -> None:
    (notice,) = notices(RtuSettings(port="/dev/ttyUSB0"), NOW, names_of=lambda _: [STABLE])
    assert notice.code == "modbus_bare_serial_port"
    assert STABLE in notice.hint
    (notice,) = notices(RtuSettings(port="/dev/ttyACM0"), NOW, names_of=lambda _: [])
    assert "by-path" in notice.hint


def test_other_links_need_no_hand() -> None:
    assert notices(RtuSettings(port=STABLE), NOW) == []
    assert notices(RtuSettings(port="/dev/ttyS0"), NOW) == []
    assert notices(TcpSettings(host="10.0.0.5"), NOW) == []
