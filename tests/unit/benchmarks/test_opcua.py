from pathlib import Path

import pytest

from benchmarks.millgate_collect import write_site
from benchmarks.opcua import Run, table
from gateway.settings.load import load


def run(side: str, cpu_us_per_value: float) -> Run:
    return Run(side, 2.0, 1.0, 9990.0, cpu_us_per_value, 80.0)


def test_each_side_stands_beside_the_floor_of_the_same_run() -> None:
    rows = table([run("floor", 20.0), run("millgate", 30.0)], asked_per_s=10_000).splitlines()
    assert rows[-1] == "| millgate | 1 | 9990 (10000) | 30.0 | 1.50 | 80 | 2.0 | 1.0 |"


def test_repeated_runs_count_by_their_median() -> None:
    runs = [run("driver", cost) for cost in (9.0, 11.0, 40.0)]
    assert "| 11.0 | - |" in table(runs, asked_per_s=10_000)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    opcua = {
        "endpoint": "opc.tcp://127.0.0.1:4840",
        "items": 7,
        "equipment": 2,
        "publishing_ms": 1000,
    }
    broker = {"host": "127.0.0.1", "port": 1884}
    write_site({"broker": broker, "opcua": opcua}, tmp_path / "site")
    return tmp_path / "site"


def test_the_items_of_one_server_are_shared_by_all_equipment(site: Path) -> None:
    loaded = load(site)
    assert loaded.warnings == ()
    assert {name: len(e.rules.tags) for name, e in loaded.equipment.items()} == {
        "eq0000": 3,
        "eq0001": 4,
    }
    [link] = loaded.links.values()
    assert len(link.tags) == 7


def test_the_item_that_carries_the_time_is_told_by_its_name(site: Path) -> None:
    tags = load(site).equipment["eq0000"].rules.tags
    assert sorted(tags) == ["chg_ms", "v1", "v2"]
