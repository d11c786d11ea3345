"""``millgate demo`` as a person starts it: a child process, and the files it leaves."""

import asyncio
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.settings.load import load
from gateway.settings.site import Site
from tests.support.until import until

START_S = 120.0
END_S = 120.0
"""Beyond the seconds asked for: the plant settles, everything stops, the store is audited."""


@dataclass
class Demo:
    """A running or ended demo; ``code`` and ``last_line`` once it has ended."""

    directory: Path
    process: asyncio.subprocess.Process
    code: int | None = None
    last_line: dict[str, Any] = field(default_factory=dict)
    complaints: str = ""

    @property
    def store(self) -> Path:
        return self.directory / "site/data/history.db"

    @property
    def site(self) -> Site:
        return load(self.directory / "site")

    @property
    def truth(self) -> dict[str, Any]:
        truth: dict[str, Any] = orjson.loads((self.directory / "truth.json").read_bytes())
        return truth

    async def broker_port(self) -> int:
        """Wait for the configuration it writes, and return where its broker listens."""
        path = self.directory / "site/gateway.yaml"
        await until(lambda: self._ended() or _port_in(path), timeout_s=START_S)
        return _port_in(path)

    def query(self, query: str, database: str = "history") -> list[Any]:
        """Return the rows; none while there is no such table."""
        path = self.directory / f"site/data/{database}.db"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    async def end(self, seconds: float) -> None:
        """Wait until it ends by itself. Idempotent."""
        if self.code is not None:
            return
        async with asyncio.timeout(seconds + END_S):
            out, err = await self.process.communicate()
        self.code, self.complaints = self.process.returncode, err.decode()
        lines = out.splitlines()
        assert lines, self.complaints
        self.last_line = orjson.loads(lines[-1])

    def _ended(self) -> bool:
        assert self.process.returncode is None, "the demo ended before its time"
        return False


@asynccontextmanager
async def demo(directory: Path, *options: str, seconds: float) -> AsyncIterator[Demo]:
    """Start a demo; on leaving wait for its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "demo", f"--seconds={seconds}"),
        *("--no-browser", "--json", f"--data={directory}", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Demo(directory, process)
    try:
        yield running
        await running.end(seconds)
    finally:
        if process.returncode is None:
            process.terminate()  # it then stops the plant and the broker it started
            await process.communicate()


def _port_in(path: Path) -> int:
    """Return the broker's port, 0 as long as the file is not there."""
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(r"^mqtt: .*\bport: (\d+),", written, re.MULTILINE)
    return 0 if found is None else int(found[1])
