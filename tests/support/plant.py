"""The simulated plant for tests: as a process of its own, and a store that tells its truth."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulators.audit_view import APART_S
from simulators.clock import wall_seconds

READY_S = 120.0
SOURCE = "/demo/gateways/gw-01"
EPOCH = "t5k2m0-9f3a"

SCHEMA = """
CREATE TABLE event (source, id, epoch, seq, type, equipment, subject, streamseq, time,
                    recordedtime, replay, data);
CREATE TABLE status_interval (source, id, epoch, seq, equipment, state, state_code, since, until,
                              duration_ms, cause, mode, reason_code, reason_category, order_no,
                              product, batch);
CREATE TABLE count_event (source, id, epoch, seq, equipment, counter, kind, delta, total, raw,
                          unit, anomaly, refused, window_from, time, order_no, product, batch,
                          origin);
CREATE TABLE fault_occurrence (source, fault_id, epoch, equipment, code, raised_at, cleared_at);
CREATE TABLE gap_event (source, id, epoch, seq, equipment, time, stream, from_streamseq,
                        to_streamseq, count, reason);
"""


@dataclass(slots=True)
class PlantProcess:
    """``python -m simulators`` as it runs; made by `plant_process`."""

    links: dict[str, dict[str, Any]]
    truth_file: Path
    _process: asyncio.subprocess.Process

    async def ask(self, word: str) -> dict[str, Any]:
        """Say one word and return the answer."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(f"{word}\n".encode())
        await stdin.drain()
        return await _line(self._process)

    async def freeze(self) -> None:
        """Stop the machines; the servers go on."""
        assert (await self.ask("freeze"))["frozen"]

    async def truth(self) -> dict[str, Any]:
        """Return the truth as of now."""
        await self.ask("truth")
        content: dict[str, Any] = json.loads(self.truth_file.read_text(encoding="utf-8"))
        return content


@asynccontextmanager
async def plant_process(
    scenario: str, truth_file: Path, *arguments: str, seed: int = 1
) -> AsyncIterator[PlantProcess]:
    """Run a plant in a process of its own; more arguments as on its command line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "--scenario", scenario, "--seed", str(seed)),
        *("--truth", str(truth_file), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        ready = await _line(process)
        yield PlantProcess(ready["links"], truth_file, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), READY_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), READY_S)
    if not line:
        raise RuntimeError("the plant ended before it answered; its errors stand above")
    content: dict[str, Any] = json.loads(line)
    return content


def truthful_store(truth: dict[str, Any], path: Path) -> None:
    """Write a store of record as a perfect gateway would have filled it."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        writer = _Writer(database)
        for name, machine in truth["machines"].items():
            seen = machine["observable"]
            for interval in _intervals(truth, seen, machine["hold_s"]):
                writer.status(name, *interval)
            for counter, parts in seen["counters"].items():
                writer.counts(name, counter, parts)
            for fault in seen["faults"]:
                writer.fault(name, fault)


def long_enough(states: list[dict[str, Any]], hold_s: float) -> list[dict[str, Any]]:
    """Return those that nobody could take for shorter than the hold time."""
    return [one for one in states if one["lasted_s"] >= hold_s + APART_S]


def _intervals(
    truth: dict[str, Any], seen: dict[str, Any], hold_s: float
) -> Iterator[tuple[str, str, str | None]]:
    marks = [(one["since"], one["state"]) for one in long_enough(seen["states"], hold_s)]
    marks += [
        (blind["from"], "offline")
        for blind in seen["blind"]
        if wall_seconds(blind["until"]) - wall_seconds(blind["from"]) > 0.5
    ]
    marks.sort()
    marks = [mark for before, mark in pairwise([("", ""), *marks]) if before[1] != mark[1]]
    ends = [since for since, _ in marks[1:]]
    for (since, state), until in zip(marks, [*ends, None], strict=True):
        if since < truth["ended_at"]:
            yield state, since, until


class _Writer:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._seq = 0
        self._streams: dict[tuple[str, str], int] = {}

    def status(self, equipment: str, state: str, since: str, until: str | None) -> None:
        head = self._event("status", equipment, since)
        self._database.execute(
            "INSERT INTO status_interval (source, id, epoch, seq, equipment, state, since, until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*head, state, since, until),
        )

    def counts(self, equipment: str, counter: str, parts: dict[str, Any]) -> None:
        if parts["baseline_at"] is None:
            return
        admitted = [(lost["at"], 0, lost["anomaly"]) for lost in parts["uncovered"]]
        half = parts["total"] // 2
        rows = [
            (parts["baseline_at"], 0, "baseline"),
            (parts["baseline_at"], half, "none"),
            *admitted,
            (parts["last_at"], parts["total"] - half, "none"),
        ]
        total = 0
        for at, delta, anomaly in rows:
            total += delta
            head = self._event("count", equipment, at)
            self._database.execute(
                "INSERT INTO count_event (source, id, epoch, seq, equipment, counter, delta, total,"
                " anomaly, time, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'device')",
                (*head, counter, delta, total, anomaly, at),
            )

    def fault(self, equipment: str, fault: dict[str, Any]) -> None:
        head = self._event("fault", equipment, fault["raised_at"])
        self._database.execute(
            "INSERT INTO fault_occurrence VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                SOURCE,
                head[1],
                EPOCH,
                equipment,
                fault["code"],
                fault["raised_at"],
                fault["cleared_at"],
            ),
        )

    def _event(self, kind: str, equipment: str, at: str) -> tuple[str, str, str, int, str]:
        self._seq += 1
        number = self._streams[equipment, kind] = self._streams.get((equipment, kind), 0) + 1
        head = (SOURCE, f"{EPOCH}-{self._seq}", EPOCH, self._seq)
        self._database.execute(
            "INSERT INTO event (source, id, epoch, seq, type, equipment, streamseq, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*head, kind, equipment, number, at),
        )
        return (*head, equipment)
