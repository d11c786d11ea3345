import json
from pathlib import Path

import pytest

from benchmarks.millgate_collect import write_site
from gateway.settings.load import load


@pytest.fixture
def site(tmp_path: Path) -> Path:
    tags = [
        {"name": name, "fc": 1 if kind == "bit" else 3, "addr": address, "kind": kind}
        for name, address, kind in (
            ("read_ms", 0, "int32"),
            ("u4", 4, "uint16"),
            ("f1000", 1000, "float32"),
            ("b2000", 2000, "bit"),
        )
    ]
    devices = [
        {"name": f"dev{i}", "host": "127.0.0.1", "port": 20000 + i, "unit": 1} for i in (0, 1)
    ]
    broker = {"host": "127.0.0.1", "port": 1884}
    workload = {"broker": broker, "scan_hz": 1.0, "tags": tags, "devices": devices}
    write_site(json.loads(json.dumps(workload)), tmp_path / "site")
    return tmp_path / "site"


def test_the_site_is_accepted_without_a_problem(site: Path) -> None:
    loaded = load(site)
    assert loaded.warnings == ()
    assert sorted(loaded.equipment) == ["dev0", "dev1"]
    assert (loaded.gateway.mqtt.port, loaded.gateway.web.enabled) == (1884, False)


def test_every_value_of_every_device_is_read_and_published(site: Path) -> None:
    loaded = load(site)
    assert sorted(len(link.tags) for link in loaded.links.values()) == [4, 4]
    tags = loaded.equipment["dev0"].rules.tags
    assert sorted(tags) == ["b2000", "f1000", "read_ms", "u4"]
    assert all(tag.publish and tag.deadband == 0 for tag in tags.values())


def test_the_scan_rate_becomes_the_poll_interval(site: Path) -> None:
    loaded = load(site)
    assert {tag.poll_interval_s for link in loaded.links.values() for tag in link.tags} == {1.0}
