"""A running gateway for a browser: sixty machines on one real device, a collector, a web process.

Everything that the browser meets is real; only the plant behind the device is a table that a
test changes.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher

from gateway.web.access.roles import Role
from gateway.web.store import users
from gateway.web.store.database import Connection, Store
from tests.support.config_site import write_site
from tests.support.modbus_device import COIL, HR, Device, device
from tests.support.served import served

PASSWORD = "correct horse battery"  # noqa: S105 - of the users of a test
READY_S = 60.0
LINES, PER_LINE = 4, 15
FAULTS = """\
bit,code,text_zh,text_en,cause_zh,cause_en,remedy_zh,remedy_en,severity,stops_machine,category
0,E101,急停按下,Emergency stop,有人按下,Someone pressed it,释放急停并复位,Release and reset,950,yes,
1,E204,气压不足,Air pressure low,供气中断,No air,检查气源,Check the air supply,800,yes,
2,W077,刀具寿命将尽,Tool life low,,,更换刀具,Change the tool,500,no,tooling
"""
_MACHINE = """\
equipment: {name}
name: {{zh: {number}号冲床, en: Press {number:02}}}
area: stamping
line: line-{line}
link: plc
tags:
  run: {{address: "coil:{coil}"}}
  ready: {{address: "coil:{ready}"}}
  good_parts: {{address: "hr:{good}"}}
  rejects: {{address: "hr:{reject}"}}
  alarms: {{address: "hr:{alarm}"}}
  pressure:
    name: {{zh: 主压力, en: Main pressure}}
    address: "hr:{pressure}"
    scale: 0.1
    unit: bar
    low: 37
    high: 43
status:
  - {{state: fault, when: stopping_fault}}
  - {{state: running, when: run}}
  - {{state: idle, when: ready}}
counters:
  good: {{tag: good_parts, kind: good, modulus: 65536, max_rate_per_s: 100}}
  reject: {{tag: rejects, kind: reject, modulus: 65536, max_rate_per_s: 100}}
faults:
  - {{tag: alarms, bits: faults/press.csv}}
"""
_GATEWAY = """\
site: suzhou
gateway: gw-01
timezone: Asia/Shanghai
mqtt: {{host: 127.0.0.1, port: {mqtt}}}
historian: {{enabled: false}}
web:
  host: 127.0.0.1
  port: {port}
  contact: 张工 8123
  ack_comment_for: [tooling]
  quick_comments:
    - {{zh: 已去现场, en: on my way}}
    - {{zh: 等待备件, en: waiting for parts}}
    - {{zh: 更换气管接头, en: air hose replaced}}
  stop_reasons:
    - {{code: no_coil, category: material, text: {{zh: 等卷料, en: waiting for a coil}}}}
    - {{code: die_change, category: changeover, text: {{zh: 换模, en: die change}}, planned: true}}
"""
_LINK = "{{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, poll_interval_ms: 500}}\n"


def name(number: int) -> str:
    """Return the code of a machine, counted from 1."""
    return f"press-{number:02}"


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Screens:
    """The gateway; ``device`` is its plant."""

    directory: Path
    device: Device
    port: int
    machines: int
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def setup_code(self) -> str:
        """The code that the web process printed."""
        found = re.findall(r"set-up code: (\S+)", self._log("web").read_text(encoding="utf-8"))
        return str(found[-1])

    def machine(
        self, number: int, *, run: bool = True, ready: bool = True, alarms: int = 0
    ) -> None:
        """Set what a machine says of itself."""
        self.device.put(COIL, _coil(number), run, ready)
        self.device.put(HR, _words(number) + 2, alarms)

    def count(self, number: int, good: int, reject: int = 0) -> None:
        """Set a machine's counters."""
        self.device.put(HR, _words(number), good, reject)

    def pressure(self, number: int, tenths_bar: int) -> None:
        """Set a machine's reading."""
        self.device.put(HR, _words(number) + 3, tenths_bar)

    def start(self, service: str) -> None:
        """Start a service; wait for the web to answer."""
        with self._log(service).open("ab") as log:
            self._processes[service] = subprocess.Popen(
                (sys.executable, "-m", "gateway", service, str(self.directory)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        if service == "web":
            wait_for(self._answers, f"the web process: {self._log(service)}")

    def stop(self, service: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a service."""
        process = self._processes.pop(service)
        process.send_signal(number)
        process.wait(READY_S)

    def stop_all(self) -> None:
        """End what runs."""
        for service in [*self._processes]:
            self.stop(service)

    def _answers(self) -> bool:
        assert self._processes["web"].poll() is None, self._log("web").read_text(encoding="utf-8")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{self.url}/api/v1/setup", timeout=5).close()  # noqa: S310
            return True
        return False

    def _log(self, service: str) -> Path:
        return self.directory / f"{service}.log"


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return once ``condition`` holds."""
    deadline_s = time.monotonic() + READY_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not there within {READY_S} s: {what}"
        time.sleep(0.05)


@contextmanager
def screens(directory: Path, lines: int = LINES, per_line: int = PER_LINE) -> Iterator[Screens]:
    """Run the gateway; users of each role but the administrator exist, with PASSWORD."""
    with served(device) as plant:
        bench = Screens(directory, plant, free_port(), lines * per_line)
        write_site(directory, _files(bench, lines, per_line))
        for number in range(1, bench.machines + 1):
            bench.machine(number)
            bench.count(number, 100 + number, number % 4)
            bench.pressure(number, 420)
        _add_users(directory)
        try:
            bench.start("collect")
            bench.start("web")
            yield bench
        finally:
            bench.stop_all()


def _coil(number: int) -> int:
    return 2 * (number - 1)


def _words(number: int) -> int:
    return 4 * (number - 1)


def _files(bench: Screens, lines: int, per_line: int) -> dict[str, str]:
    files = {
        "gateway.yaml": _GATEWAY.format(port=bench.port, mqtt=free_port()),
        "links/plc.yaml": _LINK.format(port=bench.device.port),
        "faults/press.csv": FAULTS,
    }
    for number in range(1, lines * per_line + 1):
        files[f"equipment/{name(number)}.yaml"] = _MACHINE.format(
            name=name(number),
            number=number,
            line=(number - 1) // per_line + 1,
            coil=_coil(number),
            ready=_coil(number) + 1,
            good=_words(number),
            reject=_words(number) + 1,
            alarm=_words(number) + 2,
            pressure=_words(number) + 3,
        )
    return files


def _add_users(directory: Path) -> None:
    (directory / "data").mkdir(exist_ok=True)
    stored = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    store = Store.open(directory / "data/web.db")

    def add(connection: Connection) -> None:
        for role in set(Role) - {Role.ADMIN}:
            users.add(connection, role.value, role, stored, datetime.now(UTC))

    try:
        store.run_now(add)
    finally:
        store.close()
