"""A gateway service as a process of its own, which can be killed and whose clock can be set."""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.until import until

START_S = 120.0
READY = "running: "
"""What the log says when everything is started, and the service manager is told so."""
FAKETIME = "*/faketime/libfaketime.so.1"


def faketime() -> Path:
    """Return where the library is that gives a process a wall clock of its own."""
    found = sorted(Path("/usr/lib").glob(FAKETIME))
    assert found, "libfaketime is missing: apt-get install libfaketime"
    return found[0]


@dataclass
class ServiceProcess:
    """``python -m gateway <service> <directory>``, started and killed again and again."""

    service: str
    directory: Path
    down: list[datetime] = field(default_factory=list)
    up: list[datetime] = field(default_factory=list)
    clock_may_step: bool = False
    logs: Path | None = None
    """Where its log is, if not beside its configuration."""
    more_environment: Mapping[str, str] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None
    _started_s: float = 0.0
    _said_before: int = 0

    def set_clock(self, ahead_s: int) -> None:
        """Set its wall clock, and nobody else's, so far ahead of this machine's."""
        assert self.clock_may_step
        new = self._offset.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n", encoding="ascii")
        new.replace(self._offset)  # half a file would be an error in the process

    @property
    def _offset(self) -> Path:
        return self.directory / "clock.offset"

    def _environment(self) -> dict[str, str]:
        if not self.clock_may_step:
            return os.environ | self.more_environment
        if not self._offset.exists():
            self.set_clock(0)
        return (
            os.environ
            | self.more_environment
            | {
                "LD_PRELOAD": str(faketime()),
                "FAKETIME_TIMESTAMP_FILE": str(self._offset),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        )

    @property
    def kills(self) -> list[tuple[datetime, datetime]]:
        """When it went down and when it was started again."""
        return list(zip(self.down, self.up[1:], strict=False))

    @property
    def log(self) -> Path:
        return (self.logs or self.directory) / f"{self.service}.log"

    async def start(self) -> None:
        """Start it; it is not waited for."""
        self.up.append(datetime.now(UTC))
        with self.log.open("ab") as log:
            self._said_before, self._started_s = log.tell(), time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", self.service, str(self.directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
            )

    async def ready(self) -> float:
        """Wait until it is started; return the seconds that took."""
        await until(lambda: READY in self.said() or self._has_ended(), timeout_s=START_S)
        assert READY in self.said(), self.said()
        return time.monotonic() - self._started_s

    def said(self) -> str:
        """Return what it said since it was started last."""
        return self.log.read_bytes()[self._said_before :].decode()

    def _has_ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal that does not end it."""
        assert self._process is not None
        self._process.send_signal(number)

    def strike(self) -> None:
        """Kill it here and now; `kill` must follow, which waits for its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)

    async def kill(self) -> None:
        """Kill it with SIGKILL: nothing is saved, nobody is told."""
        self.down.append(datetime.now(UTC))
        assert await self._end(signal.SIGKILL) == -signal.SIGKILL, self.log.read_text()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop it in its tracks (SIGSTOP) for as long as the context lasts."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self.down.append(datetime.now(UTC))
        try:
            yield
        finally:
            self.up.append(datetime.now(UTC))
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def no_more_files(self) -> Iterator[None]:
        """Let it open nothing more for as long as the context lasts."""
        assert self._process is not None
        pid = self._process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        highest = max(int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    def limit_files(self, number: int) -> None:
        """Let it have no more than so many descriptors, as `ulimit -n` does: call it at once."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (number, number))

    def open_files(self) -> int:
        """Return how many descriptors it has open."""
        assert self._process is not None
        return sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process is not None
        async with asyncio.timeout(START_S):
            return await self._process.wait()

    async def stop(self) -> None:
        """End it with SIGTERM, as the system does; it must end well and in time."""
        async with asyncio.timeout(START_S):
            assert await self._end(signal.SIGTERM) == 0, self.log.read_text()

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        if process.returncode is None:
            process.send_signal(number)
        return await process.wait()

    async def abandon(self) -> None:
        """Kill it if it still runs, whatever came before."""
        if self._process is not None and self._process.returncode is None:
            await self._end(signal.SIGKILL)
