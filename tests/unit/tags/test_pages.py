"""The list on the page about commissioning becomes the device it says."""

import re
from pathlib import Path

import pytest

from gateway.settings.load import load
from gateway.tags.entries import Assumed
from gateway.tags.importing import Wanted, import_tags
from tests.support.config_site import GATEWAY, write_site

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["commissioning.md", "commissioning.zh-CN.md"])
def test_the_list_of_the_page_makes_a_device(page: str, tmp_path: Path) -> None:
    (table,) = re.findall(r"```csv\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    write_site(tmp_path, {"gateway.yaml": GATEWAY})
    link = Assumed(link="modbus-tcp://192.168.1.17:502/1")
    outcome = import_tags(tmp_path, "map.csv", table.encode(), Wanted(link, new="press-09"))
    assert outcome.complete, (outcome.errors, outcome.refused)
    rules = load(tmp_path).equipment["press-09"].rules
    assert len(rules.tags) == 4
    assert [rule.state.value for rule in rules.status] == ["fault", "running"]
    assert [counter.name for counter in rules.counters] == ["good"]
    assert sorted(rules.faults[0].texts) == [0, 3]
