import os
from pathlib import Path

import pytest

from drivers.modbus.errors import PortForbidden
from drivers.modbus.wires.ports import Port, holder_of, is_bare, look, moved, names_of


@pytest.fixture
def plugged(tmp_path: Path) -> Path:
    (tmp_path / "ttyUSB0").touch()
    for folder, name in (("by-path", "pci-1"), ("by-id", "usb-FTDI_A1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to(tmp_path / "ttyUSB0")
    return tmp_path


def test_a_device_has_its_stable_names(plugged: Path) -> None:
    stable = (plugged / "by-path", plugged / "by-id", plugged / "none")
    names = [str(plugged / "by-path/pci-1"), str(plugged / "by-id/usb-FTDI_A1")]
    assert names_of(str(plugged / "ttyUSB0"), stable) == names
    assert look(names[0], stable) == Port(str(plugged / "ttyUSB0"), tuple(names))
    assert names_of(str(plugged / "ttyUSB1"), stable) == []


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look(str(tmp_path / "ttyUSB9"))


def test_who_may_not_is_told_the_group(plugged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = plugged / "ttyUSB0"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PortForbidden, match=f"group {port.group()}"):
        look(str(port))


@pytest.mark.parametrize(
    ("path", "bare"),
    [
        ("/dev/ttyUSB0", True),
        ("/dev/ttyACM12", True),
        ("/dev/ttyS0", False),
        ("/dev/serial/by-path/pci-1", False),
    ],
)
def test_a_bare_name_is_known(path: str, bare: bool) -> None:
    assert is_bare(path) is bare


def test_what_moved_is_said() -> None:
    before = Port("/dev/ttyUSB0", ("/dev/serial/by-path/a",))
    assert moved(before, before) == ""
    elsewhere = Port("/dev/ttyUSB1", before.names)
    assert moved(before, elsewhere) == "is /dev/ttyUSB1 now and was /dev/ttyUSB0"
    other = Port("/dev/ttyUSB0", ("/dev/serial/by-path/b",))
    assert "another adapter" in moved(before, other)
    assert moved(before, Port("/dev/ttyUSB0", ())) == ""


def test_the_holder_of_a_device_is_named(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    for pid, opened in (("17", "/dev/null"), ("42", str(device))):
        (tmp_path / "proc" / pid / "fd").mkdir(parents=True)
        (tmp_path / "proc" / pid / "comm").write_text("minicom\n")
        (tmp_path / "proc" / pid / "fd" / "3").symlink_to(opened)
    (tmp_path / "proc" / "99").mkdir()
    assert holder_of(str(device), tmp_path / "proc") == "minicom (process 42)"
    assert holder_of(str(tmp_path / "ttyUSB1"), tmp_path / "proc") == ""
