"""`millgate read`, against a device in a thread of its own."""

import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.read import Options, run
from tests.support.config_site import GATEWAY, write_site
from tests.support.modbus_device import HR, Device, device
from tests.support.modbus_words import words
from tests.support.served import served

PRESS = """\
equipment: press-07
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, timeout_ms: 300}}
tags:
  run: {{address: hr:0, bit: 0}}
  gone: {{address: hr:900}}
status: [{{state: running, when: run}}]
"""


@pytest.fixture(scope="module")
def plc() -> Iterator[Device]:
    with served(device) as running:
        running.put(HR, 0, 1)
        running.put(HR, 100, *words(70_000, "uint32", "CDAB"), *words(5, "uint32", "CDAB"))
        yield running


@pytest.fixture
def site(plc: Device, tmp_path: Path) -> Path:
    files = {"gateway.yaml": GATEWAY, "equipment/a.yaml": PRESS.format(port=plc.port)}
    return write_site(tmp_path, files)


def test_values_in_a_row_once(plc: Device) -> None:
    done = CliRunner().invoke(
        app,
        f"read modbus-tcp://127.0.0.1:{plc.port}/1 hr:100 --count 2"
        " --type uint32 --order CDAB --json",
    )
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    first, second = orjson.loads(line)["tags"]
    assert (first["tag"], first["raw"], first["value"]) == ("hr:100", "1170 0001", 70_000)
    assert (second["address"], second["value"]) == ("40103 (hr:102)", 5)


def test_an_equipment_so_many_rounds(site: Path) -> None:
    out = io.StringIO()
    options = Options(every_s=0.01, count=3, as_json=True)
    assert run(str(site), "press-07", options, out=out) == 1
    rounds = [orjson.loads(line)["tags"] for line in out.getvalue().splitlines()]
    assert [[one["value"] for one in tags] for tags in rounds] == [[True, None]] * 3
    assert rounds[0][0]["since"] == rounds[2][0]["since"]
    assert rounds[0][1]["cause"] == "illegal_address"
    assert rounds[0][1]["why"]["zh"]


def test_a_table_for_people(site: Path) -> None:
    out = io.StringIO()
    assert run(str(site), "press-07.plc", Options(times=1, tags=["run"]), out=out) == 0
    assert "press-07/run   40001 (hr:0)   0001" in out.getvalue()
    assert "gone" not in out.getvalue()


def test_a_bad_tag_says_why_in_both_languages(site: Path) -> None:
    out = io.StringIO()
    assert run(str(site), "press-07.plc", Options(times=1), out=out) == 1
    assert "设备没有这个地址" in out.getvalue()
    assert "no such address" in out.getvalue()


def test_what_is_not_there_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(site), None, Options()) == 1
    assert run(str(site), "press-99", Options()) == 1
    assert run(str(site), "press-07", Options(tags=["runn"])) == 1
    assert "press-07.plc" in capsys.readouterr().err
