"""``python -m simulators``: run a plant as a process of its own.

One line of JSON on standard output says that the plant is ready and how to reach it. On
standard input it obeys ``freeze`` and ``truth``, one word per line, and answers each with
a line of JSON. At the end of its input, on SIGTERM or SIGINT, or after ``--seconds`` it
writes the truth and ends.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.clock import iso
from simulators.plant import Plant, running
from simulators.scenario import SCENARIOS, Pace
from simulators.truth import write


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulators", description="a simulated plant")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="demo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="virtual seconds per second")
    parser.add_argument("--truth", type=Path, help="file to write the truth to")
    parser.add_argument("--seconds", type=float, help="end after this time")
    parser.add_argument("--ports", type=Path, help='JSON file: {"line1": 1502, "cnc": 4840, ...}')
    parser.add_argument("--secured", action="store_true", help="also encrypted OPC UA endpoints")
    parser.add_argument("--interval-ms", type=int, default=250, help="the observer's poll interval")
    parser.add_argument("--hold-ms", type=int, default=500, help="the observer's hold time")
    return parser.parse_args(argv)


def _say(**content: Any) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


async def _run(arguments: argparse.Namespace) -> None:
    pace = Pace(arguments.interval_ms / 1000, arguments.hold_ms / 1000, arguments.speed)
    ports = json.loads(arguments.ports.read_text()) if arguments.ports else {}
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with running(
        arguments.scenario, seed=arguments.seed, pace=pace, ports=ports, secured=arguments.secured
    ) as plant:
        _say(ready=True, links=plant.links)
        obeying = asyncio.create_task(_obey(plant, arguments.truth, ended), name="stdin")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(arguments.seconds):
                await ended.wait()
        obeying.cancel()
        await _write_truth(plant, arguments.truth)


async def _obey(plant: Plant, path: Path | None, ended: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        match line.decode().strip():
            case "freeze":
                _say(frozen=True, at=iso(await plant.freeze()))
            case "truth":
                await _write_truth(plant, path)
                _say(truth=None if path is None else str(path))
            case word:
                _say(error=f"unknown word: {word}")
    ended.set()


async def _write_truth(plant: Plant, path: Path | None) -> None:
    if path is not None:
        write(path, await plant.truth())


def main(argv: Sequence[str]) -> None:
    """Run a plant, or list the scenarios."""
    arguments = _arguments(argv)
    if arguments.list:
        for scenario in SCENARIOS.values():
            sys.stdout.write(f"{scenario.name:12} {scenario.about}\n")
        return
    asyncio.run(_run(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
