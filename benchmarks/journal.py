"""What the journal costs: appends and events per second, CPU per event, by group size.

The floor is the same number of blobs of the same size inserted into a bare SQLite table with
the same durability (WAL, synchronous=FULL), one transaction per group, on the same disk.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

import orjson

from gateway.domain.events import Count
from gateway.journal.journal import Journal
from gateway.journal.row import Entry

GROUPS = (1, 10, 100, 1000)
STATE = b'{"total": 1, "filler": "%s"}' % (b"x" * 500)


def now() -> datetime:
    return datetime.now(UTC)


def event(total: int, at: datetime) -> Count:
    return Count(at=at, counter="good", kind="good", delta=1, total=total, raw=total)


class Timer:
    """Wall and process CPU time of a block."""

    def __enter__(self) -> Self:
        self._start = (time.perf_counter(), time.process_time())
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._start[0]
        self.cpu_s = time.process_time() - self._start[1]


def floor(path: Path, events: int, group: int, data: bytes) -> Timer:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE o (seq INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB)")
    with Timer() as timer:
        for _ in range(events // group):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO o (data) VALUES (?)", [(data,)] * group)
            connection.execute("COMMIT")
    connection.close()
    return timer


async def one_caller(path: Path, events: int, group: int) -> Timer:
    """One append after the other, `group` events and one state each."""
    journal = await asyncio.to_thread(partial(Journal.open, path, now=now))
    at = now()
    with Timer() as timer:
        for i in range(events // group):
            await journal.append([Entry("press-07", [event(i, at)] * group, STATE)])
    await journal.close()
    return timer


async def many_callers(path: Path, events: int, callers: int) -> Timer:
    """`callers` equipment, each appending one event and its state, again and again."""
    journal = await asyncio.to_thread(partial(Journal.open, path, now=now))
    at = now()

    async def caller(name: str) -> None:
        for i in range(events // callers):
            await journal.append([Entry(name, [event(i, at)], STATE)])

    with Timer() as timer:
        await asyncio.gather(*(caller(f"press-{n:03}") for n in range(callers)))
    await journal.close()
    return timer


async def read(path: Path, events: int) -> Timer:
    journal = await asyncio.to_thread(partial(Journal.open, path, now=now))
    at = now()
    await journal.append([Entry("press-07", [event(i, at) for i in range(events)])])
    with Timer() as timer:
        for after in range(0, events, 500):
            await journal.rows(after, 500)
    await journal.close()
    return timer


def report(name: str, events: int, appends: int, timer: Timer, against: Timer | None) -> None:
    ratio = f"{timer.cpu_s / against.cpu_s:6.2f}" if against else "     -"
    print(
        f"| {name:<26} | {appends / timer.wall_s:10.0f} | {events / timer.wall_s:10.0f} "
        f"| {timer.cpu_s / events * 1e6:9.2f} | {ratio} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5000, help="per row of the table")
    parser.add_argument("--dir", type=Path, help="on the disk to measure")
    options = parser.parse_args()
    data = orjson.dumps(event(1, now()).data())
    print(f"{options.events} events of {len(data)} bytes, SQLite {sqlite3.sqlite_version}\n")
    print("|                            |  appends/s |   events/s | us CPU/ev | x floor |")
    print("|----------------------------|------------|------------|-----------|--------|")
    with tempfile.TemporaryDirectory(dir=options.dir) as scratch:
        for group in GROUPS:
            events = options.events * min(group, 10)
            bare = floor(Path(scratch, f"floor-{group}.db"), events, group, data)
            report(f"floor, group {group}", events, events // group, bare, None)
            ours = asyncio.run(one_caller(Path(scratch, f"one-{group}.db"), events, group))
            report(f"one caller, group {group}", events, events // group, ours, bare)
            ours = asyncio.run(many_callers(Path(scratch, f"many-{group}.db"), events, group))
            report(f"{group} callers, 1 each", events, events, ours, bare)
        ours = asyncio.run(read(Path(scratch, "read.db"), options.events * 10))
        report("rows(), 500 each", options.events * 10, options.events * 10 // 500, ours, None)


if __name__ == "__main__":
    main()
