"""A real mosquitto on a free port of 127.0.0.1.

``with mosquitto() as broker:`` starts one; ``broker.kill()`` is a power cut (persistence is
off, so what the broker acknowledged is gone), ``broker.start()`` brings it back on the
same port. All methods block for some milliseconds: on a loop use ``asyncio.to_thread``.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.support.ports import HOST, free_port

READY_S = 120.0


def program(name: str) -> str:
    """Where ``name`` is installed; a missing one fails the test with a sentence."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=search)
    if found is None:
        pytest.fail(f"{name} is not installed; `make test` installs it (Debian: mosquitto)")
    return found


def wait_for_port(port: int, timeout_s: float) -> None:
    """Return when something listens on a port of the loopback; fails the test after a time."""
    deadline_s = time.monotonic() + timeout_s
    while not accepts(HOST, port):
        if time.monotonic() > deadline_s:
            pytest.fail(f"nobody listens on port {port}")
        time.sleep(0.01)


def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class Broker:
    """One mosquitto and the files it reads."""

    directory: Path
    config: Sequence[str]
    host: str = HOST
    port: int = field(default_factory=free_port)
    tls_port: int | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    """A client certificate of the same authority (with ``key_file``)."""
    key_file: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        path = self.directory / "mosquitto.conf"
        path.write_text("\n".join(self.config) + "\n", encoding="ascii")
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen([program("mosquitto"), "-c", path], stderr=log)
        deadline = time.monotonic() + READY_S
        while not accepts(self.host, self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"mosquitto does not start: {self.log()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it with SIGKILL: nothing is saved, nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it with SIGTERM, as the system does."""
        self._end(signal.SIGTERM)

    def suspend(self) -> None:
        """Stop its clock: connections stay up and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `suspend`."""
        self._signal(signal.SIGCONT)

    def reload(self) -> None:
        """Make it read password and ACL files again."""
        self._signal(signal.SIGHUP)

    def set_acl(self, text: str) -> None:
        """Replace the ACL file and reload it."""
        (self.directory / "acl").write_text(text, encoding="utf-8")
        self.reload()

    def log(self) -> str:
        """What it said so far."""
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        self._signal(signal.SIGCONT)
        if self._process is not None:
            self._process.wait(timeout=READY_S)
            self._process = None


@contextmanager
def mosquitto(
    *,
    users: Mapping[str, str] | None = None,
    acl: str | None = None,
    tls: bool = False,
    names: Sequence[str] = (HOST, "localhost"),
    extra: Sequence[str] = (),
) -> Iterator[Broker]:
    """Run a broker: anonymous unless ``users`` (name -> password), ``acl`` as mosquitto reads it.

    With ``tls`` it also listens on ``tls_port`` with a certificate for ``names`` that
    ``ca_file`` vouches for. ``extra`` lines go to the top of the file.
    """
    # Not pytest's tmp_path: it is 0700, and a broker that drops root could not enter it.
    directory = Path(tempfile.mkdtemp(prefix="mosquitto-"))
    broker = Broker(directory, [])
    broker.config = [*_head(directory, users, acl), *extra, f"listener {broker.port} {HOST}"]
    if tls:
        broker.config += _tls_listener(broker, names)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(directory)


def _head(directory: Path, users: Mapping[str, str] | None, acl: str | None) -> list[str]:
    lines = ["per_listener_settings false", "persistence false", "log_dest stderr"]
    if os.geteuid() == 0:
        lines.append("user root")
    for number, (name, password) in enumerate((users or {}).items()):
        create = ["-c"] if number == 0 else []
        passwords = str(directory / "passwords")
        command = [program("mosquitto_passwd"), "-b", *create, passwords, name, password]
        subprocess.run(command, check=True)
    if users is not None:
        lines.append(f"password_file {directory / 'passwords'}")
    lines.append(f"allow_anonymous {'true' if users is None else 'false'}")
    if acl is not None:
        (directory / "acl").write_text(acl, encoding="utf-8")
        lines.append(f"acl_file {directory / 'acl'}")
    return lines


def _tls_listener(broker: Broker, names: Sequence[str]) -> list[str]:
    authority = trustme.CA()
    server = authority.issue_cert(*names)
    client = authority.issue_cert("gateway@example.org", common_name="gateway")
    broker.tls_port = free_port()
    broker.ca_file = broker.directory / "ca.crt"
    broker.cert_file = broker.directory / "client.pem"
    broker.key_file = broker.directory / "client.key"
    authority.cert_pem.write_to_path(broker.ca_file)
    client.cert_chain_pems[0].write_to_path(broker.cert_file)
    client.private_key_pem.write_to_path(broker.key_file)
    server.cert_chain_pems[0].write_to_path(broker.directory / "server.crt")
    server.private_key_pem.write_to_path(broker.directory / "server.key")
    return [
        f"listener {broker.tls_port} {HOST}",
        f"cafile {broker.ca_file}",
        f"certfile {broker.directory / 'server.crt'}",
        f"keyfile {broker.directory / 'server.key'}",
    ]


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A plain broker: anonymous, no TLS."""
    with mosquitto() as running:
        yield running
