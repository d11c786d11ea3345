"""The page for who runs it explains every metric there is, and no other."""

import json
import re
from pathlib import Path

import pytest

from gateway.app.figures import KINDS
from gateway.ops.metrics import Kind
from gateway.settings.load import load
from gateway.settings.model import MetricsFile
from tests.support.config_site import write_site

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = DOCS.parent / "config/grafana/millgate.json"
PAGES = ("operations.md", "operations.zh-CN.md")
SITE = "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n"


@pytest.mark.parametrize("page", PAGES)
def test_each_metric_is_explained_once(page: str) -> None:
    rows = [line for line in (DOCS / page).read_text("utf-8").splitlines() if line.startswith("|")]
    explained = [
        name for row in rows for name in re.findall(r"`(millgate_\w+)`", row.split("|")[1])
    ]
    assert sorted(explained) == sorted(kind.name for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_names_say_what_they_are(kind: Kind) -> None:
    assert kind.name.startswith("millgate_")
    assert kind.name.endswith("_total") == (kind.type == "counter")
    assert kind.help.endswith(".")
    assert kind.label in {"", "link", "file", "store", "alarm", "target", "version"}


@pytest.mark.parametrize("page", PAGES)
def test_the_example_is_what_the_defaults_are(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text("utf-8")
    (example,) = re.findall(r"```yaml\n# gateway.yaml\n(.*?)```", text, re.DOTALL)
    press = "equipment: a\narea: b\nline: c\nlinks: {plc: {protocol: modbus-tcp, host: 10.0.0.7}}\n"
    files = {"gateway.yaml": SITE + example, "equipment/a.yaml": press}
    assert load(write_site(tmp_path, files)).gateway.metrics == MetricsFile()


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    asked = {
        name.removesuffix("_bucket")
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"millgate_\w+", target["expr"])
    }
    assert asked <= {kind.name for kind in KINDS}
    assert len(asked) > 10
