"""What the install page tells a stranger to type leads to a running, guarded gateway.

The commands are the page's own, in a root of their own and with free ports. What would change
this machine (packages, users, services) is a script that writes down how it was called; what
systemd would start is started here as its unit says.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.broker import program, wait_for_port
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGES = ("install.md", "install.zh-CN.md")
BLOCK = re.compile(r"^```sh (?P<name>\S+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
ABSOLUTE = re.compile(r"(?<![\w./])/(?=(?:etc|opt|var)/)")
PORTS = ("1883", "8883", "9464")
STUBS = ("apt-get", "systemctl", "systemd-sysusers", "chgrp", "chown")
EXISTING = ("etc/mosquitto/certs", "etc/mosquitto/conf.d", "etc/sysusers.d", "etc/systemd/system")
"""What Debian's packages have made."""
START_S = 30.0


def blocks(page: str) -> dict[str, str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return {found["name"]: found["text"] for found in BLOCK.finditer(text)}


@dataclass
class Machine:
    """A machine whose file system begins at ``root``."""

    root: Path
    ports: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {port: str(free_port()) for port in PORTS}
        for name in EXISTING:
            (self.root / name).mkdir(parents=True)
        (self.root / "bin").mkdir()
        for name in STUBS:
            self.script(f"bin/{name}", f'echo "{name} $*" >> {self.root}/calls')
        # Owners are those of whoever runs this test.
        self.script("bin/install", self.without_owner("install"))
        self.script("bin/python3", f'echo "python3 $*" >> {self.root}/calls')

    @staticmethod
    def without_owner(name: str) -> str:
        real = program(name)
        return f'exec {real} $(printf "%s\\n" "$@" | sed -e "/^-[og]$/{{N;d}}")'

    def script(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def here(self, text: str) -> str:
        """Return the text with its paths and its ports on this machine."""
        text = text.replace("metrics: {}", "metrics: {port: 9464}")  # its default
        text = text.replace("192.168.1.17", "127.0.0.1")  # nobody there answers
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        return ABSOLUTE.sub(f"{self.root}/", text)

    def unpack(self) -> None:
        """Put what the wheel brings where pip would."""
        self.script("opt/millgate/bin/millgate", f'exec {sys.executable} -m gateway "$@"')
        self.script("opt/millgate/bin/pip", f'echo "pip $*" >> {self.root}/calls')
        share = self.root / "opt/millgate/share/millgate"
        for source in (ROOT / "systemd", ROOT / "config/mosquitto"):
            (share / source.name).mkdir(parents=True)
            for file in source.iterdir():
                (share / source.name / file.name).write_text(
                    self.here(file.read_text(encoding="utf-8")), encoding="utf-8"
                )

    def type(self, text: str) -> str:
        """Type it into a shell; return what it prints."""
        path = f"{self.root}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-eu", "-c", self.here(text)],
            cwd=ROOT,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}"
        return done.stdout

    def calls(self) -> list[str]:
        return (self.root / "calls").read_text(encoding="utf-8").splitlines()

    @contextmanager
    def broker(self) -> Iterator[None]:
        """Start mosquitto as Debian's service would."""
        conf = self.root / "etc/mosquitto/mosquitto.conf"
        lines = [f"include_dir {self.root}/etc/mosquitto/conf.d", "log_dest stderr"]
        lines += ["user root"] if os.geteuid() == 0 else []
        conf.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with self.started([program("mosquitto"), "-c", str(conf)], {}):
            wait_for_port(int(self.ports["8883"]), START_S)
            yield

    @contextmanager
    def service(self, unit: str) -> Iterator[None]:
        """Start what a unit starts, with the credentials it hands over."""
        text = (self.root / "etc/systemd/system" / unit).read_text(encoding="utf-8")
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        handed = self.root / "run/credentials"
        handed.mkdir(parents=True)
        for name, stored in re.findall(r"^LoadCredential=(\S+):(\S+)$", text, re.MULTILINE):
            file = self.root / "etc/credstore" / stored
            if file.exists():
                shutil.copyfile(file, handed / name)
        with self.started(command.split(), {"CREDENTIALS_DIRECTORY": str(handed)}):
            wait_for_port(int(self.ports["9464"]), START_S)
            yield

    @contextmanager
    def started(self, command: list[str], more: dict[str, str]) -> Iterator[None]:
        log = self.root / "log"
        with log.open("ab") as out:
            process = subprocess.Popen(command, env=os.environ | more, stdout=out, stderr=out)
        try:
            yield
        except BaseException:
            sys.stderr.write(log.read_text(encoding="utf-8"))
            raise
        finally:
            process.terminate()
            assert process.wait(START_S) == 0, log.read_text(encoding="utf-8")


@pytest.fixture
def machine() -> Iterator[Machine]:
    # Not pytest's tmp_path: a socket's path must be short.
    root = Path(tempfile.mkdtemp(prefix="install-"))
    yield Machine(root)
    shutil.rmtree(root)


@pytest.mark.timeout(400)
def test_the_commands_of_the_page_end_in_a_running_gateway(machine: Machine) -> None:
    page = blocks(PAGES[0])
    machine.unpack()  # as `pip install` would
    for name in ("packages", "environment", "user", "certificates", "passwords", "broker"):
        machine.type(page[name])
    with machine.broker():
        assert "0 " in machine.type(page["site"])
        with (machine.root / "var/lib/millgate/gateway.yaml").open("a") as file:
            file.write("web: {port: 0}\n")
        machine.type(page["start"])
        with machine.service("millgate.service"):
            shown = machine.type(page["first-check"])
            refused = machine.type("curl -s 127.0.0.1:9464/metrics | grep publish_refused_total")
    assert '"online":true' in shown
    assert 'millgate_link_up{link="press-07.plc"} 0.0' in shown
    assert refused.splitlines()[-1] == "millgate_publish_refused_total 0.0"
    for name in ("serial", "update"):
        machine.type(page[name])
    calls = machine.calls()
    assert [call for call in calls if call.startswith("systemctl")] == [
        "systemctl daemon-reload",
        "systemctl restart mosquitto",
        "systemctl enable --now millgate",
        "systemctl status --no-pager millgate",
        "systemctl daemon-reload",
        "systemctl daemon-reload",
        "systemctl restart millgate",
    ]
    for secret in ("etc/credstore/millgate.mqtt", "etc/mosquitto/millgate.passwd"):
        assert (machine.root / secret).stat().st_mode & 0o007 == 0


def test_both_pages_say_the_same_commands() -> None:
    assert blocks(PAGES[0]) == blocks(PAGES[1])


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_wheel_brings_what_the_page_copies(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", tmp_path / "dist", ROOT], check=True)
    (wheel,) = (tmp_path / "dist").iterdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([*pip, "--python", python, "install", "-q", "--no-deps", wheel], check=True)
    share = tmp_path / "venv/share/millgate"
    page = "".join(blocks(PAGES[0]).values())
    for copied in re.findall(r"/opt/millgate/share/millgate/(\S+)", page):
        assert list(share.glob(copied)), copied
    assert wheel.name in page
