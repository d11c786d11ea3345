"""Servers of other hands (`tests/foreign`), each a process that is told what to hold."""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

FOREIGN = Path(__file__).parents[1] / "foreign"
START_S = 120.0
ANSWER_S = 60.0


def built(name: str) -> tuple[str, ...]:
    """Return the command of a compiled server; fail where there is none."""
    path = FOREIGN / "build" / name
    if not path.is_file():
        pytest.fail(f"{name} is not built: `make foreign` builds it (gcc, libmodbus-dev)")
    return (str(path),)


def scripted(name: str) -> tuple[str, ...]:
    """Return the command of a server on Node.js; fail where it cannot run."""
    if shutil.which("node") is None:
        pytest.fail("Node.js is missing: `make foreign` installs it (nodejs, npm)")
    if not (FOREIGN / "node_modules" / ".ready").is_file():
        pytest.fail(f"what {name} needs is not installed: `make foreign` does it (npm)")
    return ("node", str(FOREIGN / name))


class ForeignServer:
    """One process; it can be killed, frozen and started again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Return when it serves."""
        self._said = b""
        self._process = subprocess.Popen(
            self._command, cwd=FOREIGN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        try:
            self._expect(b"READY", START_S)
        except BaseException:
            self.stop()
            raise

    def tell(self, line: str) -> None:
        """Return when it has done what the line says."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._expect(b"OK", ANSWER_S)

    def freeze(self) -> None:
        """Let it keep what it has and do nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it as a power cut would."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()

    def _expect(self, word: bytes, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while word not in self._said.split(b"\n")[:-1]:
            self._hear(word, deadline_s)
        self._said = b""

    def _hear(self, word: bytes, deadline_s: float) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        left_s = max(0.0, deadline_s - time.monotonic())
        readable, _, _ = select.select([self._process.stdout], [], [], left_s)
        heard = os.read(self._process.stdout.fileno(), 4096) if readable else b""
        if not heard:
            pytest.fail(f"{self._command}: no {word.decode()}, but {self._said.decode()!r}")
        self._said += heard


class Shelf:
    """Keeps servers running from one test to the next: some take a second to start."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[ForeignServer, int]]] = {}

    def take(self, kind: str) -> tuple[ForeignServer, int] | None:
        """Return a running server of this kind and its port."""
        idle = self._idle.get(kind)
        return idle.pop() if idle else None

    def put(self, kind: str, server: ForeignServer, port: int) -> None:
        if server.runs:
            self._idle.setdefault(kind, []).append((server, port))

    def clear(self) -> None:
        """Stop them all."""
        for idle in self._idle.values():
            for server, _ in idle:
                server.stop()
        self._idle.clear()


SHELF = Shelf()
