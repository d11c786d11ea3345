import io
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.plan import run
from tests.support.config_site import GATEWAY, write_site

EQUIPMENT = """\
equipment: press-0{unit}
links:
  line: {{protocol: modbus-rtu, port: /dev/serial/by-id/a, unit_id: {unit}, poll_interval_ms: {ms}}}
  plc: {{protocol: modbus-tcp, host: 192.168.1.{unit}}}
tags:
  run: {{address: M100, link: plc}}
  parts: {{address: D200, type: uint32, link: line}}
  heat: {{address: D205, link: line}}
status: [{{state: running, when: run}}]
"""
PUSHED = """\
equipment: cnc-01
links: {cnc: {protocol: opcua, endpoint: "opc.tcp://127.0.0.1:4840"}}
tags: {run: {node: "ns=2;s=Run"}}
status: [{state: running, when: run}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path


def write(site: Path, *, units: int = 2, ms: int = 1000) -> None:
    files = {"gateway.yaml": GATEWAY, "equipment/cnc.yaml": PUSHED}
    for unit in range(1, units + 1):
        files[f"equipment/p{unit}.yaml"] = EQUIPMENT.format(unit=unit, ms=ms)
    write_site(site, files)


def plan(site: Path, lang: str = "both", *, json: bool = False, link: str | None = None) -> str:
    out = io.StringIO()
    assert run(site, link=link, lang=lang, json=json, out=out) == 0
    return out.getvalue()


def test_requests_and_times_of_every_link(site: Path) -> None:
    write(site)
    text = plan(site)
    assert "press-01.line  /dev/serial/by-id/a  9600 Bd" in text
    assert "FC3 40201 (hr:200) .. 40206 (hr:205): 6 registers, 2 tags" in text
    assert "192.168.1.1:502  RTT 2 ms?" in text
    assert "opc.tcp://127.0.0.1:4840" in text
    assert "overloaded" not in text


def test_what_a_server_is_asked_to_watch_is_told_in_both_languages(site: Path) -> None:
    write(site)
    text = plan(site, link="cnc-01.cnc")
    assert "订阅 1：1 个监视项" in text
    assert "subscription 1: 1 items, published every 500 ms" in text
    (told,) = orjson.loads(plan(site, link="cnc-01.cnc", json=True))["links"]
    assert told["plan"]["groups"][0]["poll_interval_s"] is None
    assert told["plan"]["said"]["en"][0].startswith("subscription 1")


def test_units_of_one_line_are_reckoned_together(site: Path) -> None:
    write(site, units=3)
    document = orjson.loads(plan(site, json=True))
    (line,) = [bus for bus in document["buses"] if "serial" in bus["bus"]]
    assert line["links"] == ["press-01.line", "press-02.line", "press-03.line"]
    assert line["load"] == pytest.approx(line["pass_s"], rel=1e-6)
    assert line["worst_period_s"] == {
        "1": pytest.approx(line["pass_s"] + 1),
        "2": pytest.approx(line["pass_s"] + 2),
    }
    assert document["warnings"] == []


def test_an_interval_that_cannot_be_met_is_a_warning_in_both_languages(site: Path) -> None:
    write(site, units=2, ms=70)
    document = orjson.loads(plan(site, json=True))
    assert [warned["code"] for warned in document["warnings"]] == ["bus_overloaded"]
    text = plan(site)
    assert "各周期达不到" in text
    assert "the intervals cannot be met" in text


def test_a_scan_longer_than_its_interval_is_named(site: Path) -> None:
    write(site, units=1, ms=20)
    warned = orjson.loads(plan(site, json=True))["warnings"]
    assert [(one["code"], one["where"]) for one in warned] == [
        ("interval_too_short", "press-01.line / line"),
        ("bus_overloaded", "/dev/serial/by-id/a"),
    ]


def test_a_bus_with_hardly_room_is_named(site: Path) -> None:
    write(site, units=1, ms=50)
    codes = {warned["code"] for warned in orjson.loads(plan(site, json=True))["warnings"]}
    assert codes == {"bus_tight"}


def test_one_link_only(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(site)
    text = plan(site, "en", link="press-01.plc")
    assert "press-02" not in text
    assert "每" not in text
    assert run(site, link="nothing") == 1
    assert "press-01.plc" in capsys.readouterr().err


def test_a_refused_configuration_is_not_planned(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(site)
    (site / "equipment/p1.yaml").write_text("equipment: 1\n", "utf-8")
    assert run(site, lang="en") == 1
    said = capsys.readouterr().err
    assert f"{site / 'equipment/p1.yaml'}:1: equipment: error: " in said
    assert "错误" not in said
    assert run(site / "nowhere") == 1
    assert "there is no such directory" in capsys.readouterr().err


def test_the_command_itself(site: Path) -> None:
    write(site)
    done = CliRunner().invoke(app, ["plan", str(site), "--rtt-ms", "50", "--lang", "zh"])
    assert done.exit_code == 0
    assert "RTT 50 ms" in done.stdout
