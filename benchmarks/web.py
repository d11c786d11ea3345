"""What the screens cost, and that they cost collecting nothing.

python benchmarks/web.py [--devices 60] [--window 15]

The collector reads the devices of the measuring load once a second; `millgate web` runs beside it
as a process of its own. CPU is that of `millgate web` alone. "scans" are the times between two
readings of one device, as the journal has them: quiet, and while twenty clients read nothing of
their streams, long questions are asked without a pause and the web process is killed and started
again and again.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
from millgate_collect import equipment_file, gateway_file
from modbus_client import FARM, LOAD, farm

NAME, PASSWORD = "bench", "a password for the bench"
CLIENTS = (0, 1, 10, 50)
NOT_READING = 20
KILL_EVERY_S = 5.0
MOVED_MS = 100
"""A scan that came a tenth of the interval off."""
PATHS = (
    "equipment",
    "faults",
    "health",
    "equipment/{0}",
    "equipment/{0}/timeline",
    "equipment/{0}/counts",
    "equipment/{0}/readings?tags={1}",
    "events?limit=100",
)
TICKS = os.sysconf("SC_CLK_TCK")


def write_site(directory: Path, devices: int, base: int, port: int) -> tuple[str, str]:
    """Write a site of so many devices; return the first equipment and one of its tags."""
    workload: Any = __import__("workload")
    tags = [{"name": t.name, "fc": t.fc, "addr": t.addr, "kind": t.kind} for t in workload.tags()]
    load = {"broker": {"host": "127.0.0.1", "port": 9}, "scan_hz": 1, "tags": tags}
    web = {"web": {"port": port}}
    (directory / "equipment").mkdir(parents=True)
    (directory / "gateway.yaml").write_text(json.dumps(gateway_file(load) | web), encoding="ascii")
    for i in range(devices):
        device = {"name": f"d{i:03}", "host": "127.0.0.1", "port": base + i, "unit": 1}
        counters = {"counters": {"good": {"tag": "read_ms", "kind": "cycle"}}}
        text = json.dumps(equipment_file(device, load, {}) | counters)
        (directory / f"equipment/d{i:03}.yaml").write_text(text, encoding="ascii")
    return "d000", tags[0]["name"]


class Web:
    """``millgate web`` as a process that can be killed and started again."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self.url = f"http://127.0.0.1:{port}/"

    async def start(self) -> float:
        """Return how long it took from nothing to the first answer."""
        began_s = time.perf_counter()
        self._spawn()
        async with httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.HTTPError):
                    if (await client.get(f"{self.url}api/v1/setup")).status_code == 200:
                        return time.perf_counter() - began_s
                await asyncio.sleep(0.01)

    def _spawn(self) -> None:
        self._running: Any = subprocess.Popen(
            [sys.executable, "-m", "gateway", "web", str(self._directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def code(self) -> str:
        """Return the set-up code it printed."""
        found = re.search(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", self._running.stdout.readline())
        return "" if found is None else found[0]

    def kill(self) -> None:
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self._running.pid}/stat").read_text(encoding="ascii").split()
        return (int(fields[13]) + int(fields[14])) / TICKS

    def rss_mb(self) -> float:
        text = Path(f"/proc/{self._running.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+)", text)
        return 0.0 if found is None else int(found[1]) / 1024


@asynccontextmanager
async def lookers(web: Web, cookies: httpx.Cookies, number: int) -> AsyncIterator[list[int]]:
    """So many pages that keep their stream and read it; gives how many messages each got."""
    messages = [0] * number

    async def read(client: httpx.AsyncClient, place: int) -> None:
        async with client.stream("GET", f"{web.url}api/v1/stream") as stream:
            async for piece in stream.aiter_raw():
                messages[place] += piece.count(b"event: ")

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(cookies=cookies, timeout=60, limits=limits) as client:
        reading = [asyncio.create_task(read(client, place)) for place in range(number)]
        try:
            yield messages
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)


async def costs(web: Web, cookies: httpx.Cookies, window_s: float) -> None:
    print("| clients | messages/s each | CPU of one core | RSS MB |\n|---|---|---|---|", flush=True)
    for number in CLIENTS:
        async with lookers(web, cookies, number) as messages:
            await asyncio.sleep(3)
            before, began_s, told = web.cpu_s(), time.perf_counter(), sum(messages)
            await asyncio.sleep(window_s)
            took_s = time.perf_counter() - began_s
            share = (web.cpu_s() - before) / took_s
            rate = (sum(messages) - told) / took_s / (number or 1)
        print(f"| {number} | {rate:.2f} | {share:.1%} | {web.rss_mb():.0f} |", flush=True)


async def answers(web: Web, cookies: httpx.Cookies, what: Sequence[str]) -> None:
    print("\n| asked, beside 10 clients | median ms | p99 ms |\n|---|---|---|", flush=True)
    async with lookers(web, cookies, 10), httpx.AsyncClient(cookies=cookies, timeout=30) as client:
        for path in PATHS:
            url = f"{web.url}api/v1/{path.format(*what)}"
            times = []
            for _ in range(100):
                began_s = time.perf_counter()
                answer = await client.get(url)
                answer.raise_for_status()
                times.append((time.perf_counter() - began_s) * 1000)
            p99 = statistics.quantiles(times, n=100)[98]
            print(f"| {path.partition('?')[0]} | {statistics.median(times):.1f} | {p99:.1f} |")


async def harass(web: Web, cookies: httpx.Cookies, what: Sequence[str], window_s: float) -> int:
    """Do what harms the web process for a while; return how often it was killed."""
    kills = 0

    async def ask() -> None:
        async with httpx.AsyncClient(cookies=cookies, timeout=30) as client:
            path = "equipment/{0}/readings?tags={1}&points=4000&from=2025-12-01T00:00:00Z"
            while True:
                with suppress(httpx.HTTPError):
                    await client.get(f"{web.url}api/v1/{path.format(*what)}")
                await asyncio.sleep(0.01)

    async def not_read(stack: AsyncExitStack) -> None:
        cookie = cookies["mg_session"]
        said = f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nCookie: mg_session={cookie}\r\n\r\n"
        port = int(web.url.rstrip("/").rpartition(":")[2])
        for _ in range(NOT_READING):
            one = stack.enter_context(socket.socket())
            one.connect(("127.0.0.1", port))
            one.sendall(said.replace("Host: x", "Host: 127.0.0.1").encode())

    asking = [asyncio.create_task(ask()) for _ in range(2)]
    ends_s = time.perf_counter() + window_s
    try:
        while time.perf_counter() < ends_s:
            async with AsyncExitStack() as stack:
                await not_read(stack)
                await asyncio.sleep(KILL_EVERY_S)
            web.kill()
            kills += 1
            await web.start()
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return kills


def periods_ms(journal: Path, start: float, end: float) -> list[int]:
    """Return every time from one reading of a device to its next, between two moments."""
    query = (
        "SELECT equipment, time_ms FROM event WHERE type = 'reading' AND time_ms BETWEEN ? AND ?"
        " ORDER BY equipment, time_ms"
    )
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query, (int(start * 1000), int(end * 1000))).fetchall()
    return [
        later - earlier
        for (one, earlier), (other, later) in itertools.pairwise(rows)
        if one == other and later - earlier > 200
    ]


def tell_scans(label: str, found: Sequence[int]) -> float:
    off = statistics.quantiles([abs(one - 1000) for one in found], n=100)[98]
    mean, moved = statistics.fmean(found), sum(abs(one - 1000) > MOVED_MS for one in found)
    cells = f"{len(found)} | {mean:.1f} | {off:.0f} | {max(found)} | {moved}"
    print(f"| {label} | {cells} |", flush=True)
    return mean


async def measure(arguments: argparse.Namespace, directory: Path, what: Sequence[str]) -> None:
    web, journal = Web(directory, arguments.port), directory / "data/journal.db"
    starts, cpu_s = [], 0.0
    for _ in range(3):
        starts.append(await web.start())
        cpu_s = web.cpu_s()
        web.kill()
    print(f"cold start: {statistics.median(starts):.2f} s, of CPU {cpu_s:.2f} s\n", flush=True)
    await web.start()
    async with httpx.AsyncClient() as client:
        body = {"code": web.code(), "name": NAME, "password": PASSWORD}
        answer = await client.post(f"{web.url}api/v1/setup", json=body)
        answer.raise_for_status()
        cookies = client.cookies
    try:
        await costs(web, cookies, arguments.window)
        await answers(web, cookies, what)
        print(
            "\n| scans | number | mean ms | 99 % off by ms | longest ms | off by more than 10 % |"
        )
        print("|---|---|---|---|---|---|")
        began = time.time()
        await asyncio.sleep(arguments.window)
        quiet = tell_scans("quiet", periods_ms(journal, began, time.time()))
        began = time.time()
        kills = await harass(web, cookies, what, arguments.window)
        label = f"{NOT_READING} do not read, long questions, {kills} kills"
        loud = tell_scans(label, periods_ms(journal, began, time.time()))
        print(f"\nmean period: {loud / quiet - 1:+.2%}")
    finally:
        web.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, default=60)
    parser.add_argument("--window", type=float, default=15, help="seconds measured")
    parser.add_argument("--base", type=int, default=26001, help="first port of the devices")
    parser.add_argument("--port", type=int, default=26000, help="of the screens")
    arguments = parser.parse_args()
    subprocess.run(["make", "-s", "-C", LOAD, f"OUT={FARM.parent}"], check=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        what = write_site(directory, arguments.devices, arguments.base, arguments.port)
        with farm(arguments.base, arguments.devices, arguments.base - 2):
            command = [sys.executable, "-m", "gateway", "collect", str(directory)]
            collecting = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                time.sleep(5)
                asyncio.run(measure(arguments, directory, what))
            finally:
                collecting.terminate()
                collecting.wait()


if __name__ == "__main__":
    main()
