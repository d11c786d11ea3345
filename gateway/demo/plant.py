"""The simulated plant as a child process, as far from the gateway as a real one."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.demo.errors import DemoError

READY_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantOptions:
    """Which plant, and how closely it will be watched."""

    scenario: str = "demo"
    seed: int = 1
    speed: float = 1.0
    interval_ms: int = 250
    hold_ms: int = 500


class PlantProcess:
    """A running plant: where its controllers listen, and the three things it obeys."""

    def __init__(
        self, process: asyncio.subprocess.Process, links: Mapping[str, Any], truth: Path
    ) -> None:
        self.links = links
        self._process = process
        self._truth = truth

    async def freeze(self) -> None:
        """Stop every machine for good; the controllers go on answering."""
        await self._ask("freeze")

    async def truth(self) -> dict[str, Any]:
        """Return what really happened and what could be known of it."""
        await self._ask("truth")
        content: dict[str, Any] = json.loads(await asyncio.to_thread(self._truth.read_bytes))
        return content

    async def _ask(self, word: str) -> None:
        stdin = self._process.stdin
        if stdin is None or self._process.returncode is not None:
            raise _ended(self._process)
        stdin.write(f"{word}\n".encode())
        await stdin.drain()
        await _answer(self._process, ANSWER_TIMEOUT_S)


@asynccontextmanager
async def plant(options: PlantOptions, directory: Path) -> AsyncIterator[PlantProcess]:
    """Run a plant for as long as the context lasts; its truth goes into ``directory``."""
    truth = directory / "truth.json"
    with (directory / "plant.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulators",
            f"--scenario={options.scenario}",
            f"--seed={options.seed}",
            f"--speed={options.speed}",
            f"--interval-ms={options.interval_ms}",
            f"--hold-ms={options.hold_ms}",
            f"--truth={truth}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the demo, which ends the plant in order
        )
    try:
        ready = await _answer(process, READY_TIMEOUT_S)
        yield PlantProcess(process, ready["links"], truth)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _answer(process: asyncio.subprocess.Process, timeout_s: float) -> dict[str, Any]:
    if process.stdout is None:
        raise _ended(process)
    async with asyncio.timeout(timeout_s):
        line = await process.stdout.readline()
    if not line:
        raise _ended(process)
    answer: dict[str, Any] = json.loads(line)
    return answer


def _ended(process: asyncio.subprocess.Process) -> DemoError:
    return DemoError(
        zh=f"模拟车间已退出(退出码 {process.returncode}),见 plant.log",
        en=f"the simulated plant ended (exit code {process.returncode}), see plant.log",
    )
