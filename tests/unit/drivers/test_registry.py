import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from drivers import registry
from drivers.modbus import SPEC
from drivers.registry import UnknownProtocol, protocols, spec


@pytest.fixture
def outsiders(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints(
        EntryPoint(name, value, registry.GROUP)
        for name, value in {
            "twin": "drivers.modbus",
            "twin-spec": "drivers.modbus:SPEC",
            "modbus-tcp": "somewhere.else",
            "hollow": "drivers.contract",
        }.items()
    )
    monkeypatch.setattr(registry, "entry_points", lambda **which: points.select(**which))
    spec.cache_clear()


def test_what_ships_is_found_by_its_protocol() -> None:
    assert spec("modbus-tcp") is SPEC
    for protocol in protocols():
        assert spec(protocol).protocol == protocol


def test_an_unknown_protocol_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownProtocol, match=r"unknown protocol 'profinet'.*modbus-tcp, .*opcua"
    ) as e:
        spec("profinet")
    assert e.value.known == protocols()


@pytest.mark.usefixtures("outsiders")
def test_another_package_joins_by_an_entry_point() -> None:
    assert {"hollow", "modbus-tcp", "opcua", "twin", "twin-spec"} <= {*protocols()}
    assert list(protocols()) == sorted(protocols())
    assert spec("twin") is SPEC
    assert spec("twin-spec") is SPEC


@pytest.mark.usefixtures("outsiders")
def test_what_ships_cannot_be_replaced() -> None:
    assert spec("modbus-tcp") is SPEC


@pytest.mark.usefixtures("outsiders")
def test_a_driver_without_a_spec_is_named() -> None:
    with pytest.raises(TypeError, match="'hollow'"):
        spec("hollow")


def test_no_driver_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from drivers.registry import protocols; protocols();"
        "sys.exit(any(name in sys.modules for name in ('pymodbus', 'asyncua', 'drivers.modbus')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
