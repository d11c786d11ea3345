"""`millgate scan`, against a device in a thread of its own."""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.scan import Options, run
from tests.support.config_site import GATEWAY, write_site
from tests.support.modbus_device import HR, Asked, Device, device
from tests.support.served import served


def two_units(asked: Asked, honest: bytes) -> bytes | None:
    if asked.unit == 3:
        return honest
    return asked.refusal(4) if asked.unit > 3 else None


@pytest.fixture(scope="module")
def plc() -> Iterator[Device]:
    with served(device) as running:
        running.put(HR, 0, 7, 0, 9)
        running.lie = two_units
        yield running


def link(plc: Device, unit: int = 3, timeout_ms: int = 400) -> str:
    return f"modbus-tcp://127.0.0.1:{plc.port}/{unit}?timeout_ms={timeout_ms}"


def test_units_and_the_registers_of_the_first(
    plc: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    options = Options("1-6", ["hr:0-9"], rate=1000)
    assert run(link(plc), None, options, out=out) == 0
    text = out.getvalue()
    assert "3           0007" in text
    assert "4-6         exception 4" in text
    assert "40001 (hr:0)   40003 (hr:2)   3" in text
    assert "40003 (hr:2)   0009" in text
    assert "40002" not in text
    told = capsys.readouterr().err
    assert "站号 6 个，寄存器 10 个" in told
    assert "units: 6, registers: 10, at most 1000 questions a second: 0 to 2 s" in told


def test_one_document_for_programs(plc: Device) -> None:
    done = CliRunner().invoke(
        app, ["scan", link(plc), "--registers", "hr:0-4", "--rate", "1000", "--json"]
    )
    assert done.exit_code == 0
    found = orjson.loads(done.stdout)
    assert found["spans"] == [{"from": "hr:0", "to": "hr:2"}]
    assert found["values"] == {"hr:0": 7, "hr:2": 9}
    assert found["units"] == []


def test_nothing_found_is_said(plc: Device) -> None:
    out = io.StringIO()
    assert run(link(plc), None, Options("1-2", rate=1000), out=out) == 1
    assert "没有找到 / nothing found" in out.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options("1-300"), "'1-300' are no units"),
        (Options(registers=["hr:9-1"]), "is no area"),
    ],
)
def test_what_cannot_be_scanned(
    options: Options, said: str, plc: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(link(plc), None, options) == 1
    assert said in capsys.readouterr().err


def test_opcua_is_browsed_not_scanned(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("opc.tcp://127.0.0.1:4840", None, Options()) == 1
    assert "millgate browse" in capsys.readouterr().err


def test_of_a_configuration_the_link_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = "tags: {a: {address: hr:0}}\nstatus: [{state: running, when: a > 0}]\n"
    links = "links: {plc: {protocol: modbus-tcp, host: 192.0.2.1}}\n"
    equipment = f"equipment: press-07\n{links}{plan}"
    write_site(tmp_path, {"gateway.yaml": GATEWAY, "equipment/a.yaml": equipment})
    assert run(str(tmp_path), None, Options()) == 1
    assert "press-07.plc" in capsys.readouterr().err


def test_interrupted_it_prints_what_was_found(plc: Device) -> None:
    command = [sys.executable, "-m", "gateway", "scan", link(plc, timeout_ms=30_000)]
    with subprocess.Popen(
        [*command, "--units", "3-247", "--rate", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as scanning:
        assert scanning.stderr is not None
        asked = len(plc.asked)
        scanning.stderr.readline()
        while len(plc.asked) < asked + 3:
            assert scanning.poll() is None
            time.sleep(0.01)  # the device needs this process, too
        scanning.send_signal(signal.SIGINT)
        out, err = scanning.communicate(timeout=90)
    assert "3           0007" in out
    assert "interrupted" in err
    assert scanning.returncode == 0
