"""The generated site is one the gateway accepts, for every scenario."""

from pathlib import Path
from typing import Any

import pytest

from gateway.settings.load import load
from simulators.kinds import MACHINES
from simulators.scenario import SCENARIOS
from simulators.sites import site_files

LINKS: dict[str, dict[str, Any]] = {
    "line1-plc": {"protocol": "modbus-tcp", "host": "127.0.0.1", "port": 1502, "unit_id": 1},
    "line1-meter": {"protocol": "modbus-tcp", "host": "127.0.0.1", "port": 1502, "unit_id": 2},
    "mould-01": {"protocol": "modbus-tcp", "host": "127.0.0.1", "port": 1503, "unit_id": 1},
    "cnc": {"protocol": "opcua", "endpoint": "opc.tcp://127.0.0.1:4840/"},
}
GATEWAY = "site: demo\ngateway: gw-01\ntimezone: Asia/Shanghai\n"


def written(directory: Path, files: dict[str, str]) -> Path:
    for name, content in {**files, "gateway.yaml": GATEWAY}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return directory


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_gateway_accepts_the_site(scenario: str, tmp_path: Path) -> None:
    files = site_files(LINKS, interval_ms=250, hold_ms=500, scenario=scenario)
    site = load(written(tmp_path, files))
    assert set(site.equipment) == set(MACHINES)
    assert set(site.links) == set(LINKS)
    for name, equipment in site.equipment.items():
        assert {counter.name for counter in equipment.rules.counters} == {
            counter.name for counter in MACHINES[name].counters
        }
        assert equipment.rules.min_hold_s == 0.5


def test_machines_behind_a_missing_link_are_left_out() -> None:
    links = {"mould-01": LINKS["mould-01"]}
    assert sorted(site_files(links, interval_ms=250, hold_ms=500)) == [
        "equipment/mould-01.yaml",
        "faults/mould.csv",
        "links/mould-01.yaml",
    ]


def test_counters_may_be_faster_in_a_faster_plant() -> None:
    slow = site_files(LINKS, interval_ms=250, hold_ms=500)["equipment/conveyor-01.yaml"]
    fast = site_files(LINKS, interval_ms=250, hold_ms=500, speed=10)["equipment/conveyor-01.yaml"]
    assert "max_rate_per_s: 4.286" in slow
    assert "max_rate_per_s: 42.857" in fast


def test_what_makes_parts_has_a_planned_time_for_each_so_that_the_demo_shows_oee(
    tmp_path: Path,
) -> None:
    files = site_files(LINKS, interval_ms=250, hold_ms=500, speed=2.0)
    site = load(written(tmp_path, files))
    planned = {name: one.rules.ideal_cycle_ms for name, one in site.equipment.items()}
    assert planned["press-01"] == 300.0
    assert planned["mould-01"] == 200.0  # four cavities
    assert planned["meter-01"] is None
    assert all(planned[name] for name in MACHINES if name != "meter-01")
