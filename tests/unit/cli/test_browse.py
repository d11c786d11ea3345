"""`millgate browse`, and the way of what it found into a configuration."""

import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.browse import Options, run
from gateway.cli.main import app
from gateway.settings.load import load
from tests.support.config_site import GATEWAY, write_site
from tests.support.opcua_rig import URI, OpcUaServer, opcua_server
from tests.support.served import served


@pytest.fixture(scope="module")
def cnc() -> Iterator[OpcUaServer]:
    with served(lambda: opcua_server({"PartsGood": 41, "Heat": 20.5, "Run": True})) as running:
        yield running


def test_the_tree_with_types_and_values(cnc: OpcUaServer) -> None:
    out = io.StringIO()
    assert run(cnc.endpoint, None, Options(), out=out) == 0
    lines = out.getvalue().splitlines()
    (heat,) = [line.split() for line in lines if "Heat" in line]
    assert heat[:4] == ["Heat", "Double", "r", "20.5"]
    assert heat[4] == f"nsu={URI};s=Heat"
    assert not any("ServerStatus" in line for line in lines)


def test_only_what_has_the_text_for_programs(cnc: OpcUaServer) -> None:
    done = CliRunner().invoke(app, ["browse", cnc.endpoint, "--filter", "parts", "--json"])
    assert done.exit_code == 0
    (node,) = orjson.loads(done.stdout)
    assert (node["name"], node["value"], node["type"]) == ("PartsGood", 41, "Int64")


def test_below_a_node_its_own_are_shown(cnc: OpcUaServer) -> None:
    out = io.StringIO()
    assert run(cnc.endpoint, None, Options(node="i=2253", depth=1), out=out) == 0
    assert "ServerStatus" in out.getvalue()


def test_what_is_browsed_goes_in_as_tags(cnc: OpcUaServer, tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", {"gateway.yaml": GATEWAY})
    file = tmp_path / "found.csv"
    assert run(cnc.endpoint, None, Options(csv=file)) == 0
    done = CliRunner().invoke(
        app, ["tags", "import", str(site), str(file), "--new", "cnc-01", "--link", cnc.endpoint]
    )
    assert done.exit_code == 0, done.output
    text = (site / "equipment/cnc-01.yaml").read_text("utf-8")
    text += "status: [{state: running, when: run}]\n" if "status:" not in text else ""
    (site / "equipment/cnc-01.yaml").write_text(text, "utf-8")
    (link,) = load(site).links.values()
    assert {tag.key for tag in link.tags} == {"cnc-01/heat", "cnc-01/parts_good", "cnc-01/run"}


def test_more_than_it_may_list_is_said(
    cnc: OpcUaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cnc.endpoint, None, Options(max_nodes=2, everything=True), out=io.StringIO()) == 0
    assert "more than 2 nodes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("modbus-tcp://127.0.0.1:502/1", Options(), "millgate scan"),
        ("opc.tcp://127.0.0.1:1", Options(), "millgate probe"),
        ("opc.tcp://127.0.0.1:1", Options(node="x"), "不是节点"),
    ],
)
def test_what_cannot_be_browsed(
    target: str, options: Options, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(target, None, options) == 1
    assert said in capsys.readouterr().err
