"""The units are what systemd accepts, and leave the services no more than they need."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.ops.boot import VARIABLE
from tests.support.broker import program

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
SERIAL = ROOT / "systemd/serial.conf"
OURS = "/opt/millgate/bin/millgate"
NETWORK_LIMIT, SERIAL_LIMIT = 15, 20
"""Exposure times ten, as `systemd-analyze security` takes it."""
SANDBOX_BEGINS = "# The process sees itself"
SECRET_FILES = {"mqtt", "db", "influx", "web.key"}
"""The last parts of the names that the examples and the install page show."""


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze"), *arguments],
        env={"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )


def copied(unit: Path, directory: Path, *more: Path) -> Path:
    """Copy a unit with a program that exists here, and drop-ins as systemd would add them."""
    texts = [path.read_text(encoding="utf-8") for path in (unit, *more)]
    copy = directory / unit.name
    copy.write_text("\n".join(texts).replace(OURS, sys.executable), encoding="utf-8")
    return copy


@pytest.mark.parametrize("dropins", [(), (SERIAL,)], ids=["network", "serial"])
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_valid_and_closed(unit: Path, dropins: tuple[Path, ...], tmp_path: Path) -> None:
    copy = copied(unit, tmp_path, *dropins)
    verified = analyze("verify", "--man=no", "--recursive-errors=no", str(copy))
    assert (verified.returncode, verified.stderr) == (0, "")
    limit = SERIAL_LIMIT if dropins else NETWORK_LIMIT
    judged = analyze("security", "--offline=true", f"--threshold={limit}", str(copy))
    assert judged.returncode == 0, judged.stdout
    assert f"Overall exposure level for {unit.name}" in judged.stdout


def test_a_slip_in_a_unit_is_noticed(tmp_path: Path) -> None:
    copy = copied(UNITS[0], tmp_path)
    copy.write_text(copy.read_text("utf-8").replace("Restart=", "Restat="), encoding="utf-8")
    verified = analyze("verify", "--man=no", "--recursive-errors=no", str(copy))
    assert "Unknown key" in verified.stderr
    copy.write_text(f"[Service]\nExecStart={sys.executable}\n", encoding="utf-8")
    assert analyze("security", "--offline=true", "--threshold=20", str(copy)).returncode == 1


def test_each_service_has_its_unit() -> None:
    started = {}
    for unit in UNITS:
        (command,) = re.findall(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
        started[unit.stem] = command
    assert started == {
        "millgate": f"{OURS} run /var/lib/millgate",
        "millgate-collect": f"{OURS} collect /var/lib/millgate",
        "millgate-historian": f"{OURS} historian /var/lib/millgate",
        "millgate-web": f"{OURS} web /var/lib/millgate",
    }


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_all_are_closed_alike_and_told_what_the_program_reads(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert (
        text.partition(SANDBOX_BEGINS)[2]
        == UNITS[0].read_text("utf-8").partition(SANDBOX_BEGINS)[2]
    )
    assert f"Environment={VARIABLE}=%b" in text
    assert set(re.findall(r"^LoadCredential=(.+):millgate\.\1$", text, re.MULTILINE)) <= (
        SECRET_FILES
    )
    for line in ("Type=notify", "WatchdogSec=30", "StateDirectory=millgate", "Restart=always"):
        assert line in text.splitlines()
