"""What reading Modbus costs: millgate's two clients beside the least a Python program can do.

python benchmarks/modbus_client.py [--devices 100 1000] [--window 15] [--repeat 1]

"collect alone" is everything up to the batch: the pollers, the driver and its client, on
the 68 values of the measuring load, once a second, without journal and publishing. The
floor reads, decodes and publishes them all. "closed loop" asks the next scan as soon as one
is there. Only ratios within one run mean anything.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOAD = HERE / "load"
FARM = LOAD / "build" / "farm"
sys.path[:0] = [str(HERE.parent), str(LOAD), str(LOAD / "blocks")]

import uvloop  # noqa: E402

from drivers.contract import Batch, Driver, TagGroup, TagRequest  # noqa: E402
from drivers.modbus import SPEC  # noqa: E402
from drivers.modbus.pipeline import CLEAN_SCANS  # noqa: E402
from gateway.collect.poller import Poller, taken  # noqa: E402
from gateway.collect.waker import Waker  # noqa: E402
from gateway.ops import memory  # noqa: E402
from gateway.ops.clock import SYSTEM_CLOCK  # noqa: E402

HOST = "127.0.0.1"
TABLES = {1: "coil", 3: "hr"}
VALUES_PER_SCAN = 68
REQUESTS_PER_SCAN = 3
WARM_UP_S = 2 * CLEAN_SCANS + 3  # at one scan a second: until the pipeline is proven
CLIENTS: Mapping[str, Mapping[str, Any]] = {
    "pymodbus": {"client": "pymodbus"},
    "fast": {"client": "fast"},
    "fast, pipeline auto": {"client": "fast", "pipeline": "auto"},
}
FLOOR = "floor"


def drivers(base: int, devices: int, client: str) -> list[Driver]:
    """Return a driver for each device of the farm, with the tags of the load."""
    workload: Any = __import__("workload")
    tags = [
        TagRequest(
            tag.name,
            "plc",
            None,
            SPEC.tag_settings(
                address=f"{TABLES[tag.fc]}:{tag.addr}",
                type="bool" if tag.kind == "bit" else tag.kind,
            ),
        )
        for tag in workload.tags()
    ]
    return [
        SPEC.create(
            SPEC.link_settings(host=HOST, port=base + i, max_gap_registers=0, **CLIENTS[client]),
            tags,
            {},
        )
        for i in range(devices)
    ]


class Nobody:
    """Takes every batch and does nothing with it."""

    def __init__(self) -> None:
        self._taken = taken()

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        del link, batch
        return self._taken

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        del failures
        print(f"{link}: {err}", file=sys.stderr)


async def collect(base: int, devices: int, client: str) -> None:
    """Poll for ever."""
    receiver, waker = Nobody(), Waker(SYSTEM_CLOCK)
    pollers = [
        Poller(
            str(i),
            driver,
            receiver,
            clock=SYSTEM_CLOCK,
            sleep=asyncio.sleep,
            until=waker.until,
            share=i / devices,
        )
        for i, driver in enumerate(drivers(base, devices, client))
    ]
    memory.settle(asyncio.get_running_loop())
    await asyncio.gather(*(poller.run() for poller in pollers))


async def closed_loop(base: int, connections: int, client: str, window_s: float) -> float:
    """Return CPU microseconds per request."""
    links = drivers(base, connections, client)
    scans = 0

    async def read(driver: Driver, until_s: float) -> None:
        nonlocal scans
        async with driver.open() as session:
            due: Sequence[TagGroup] = [*driver.groups]
            while time.monotonic() < until_s:
                await session.read(due)
                scans += 1

    start_s = time.monotonic()
    reading = asyncio.gather(*(read(link, start_s + 1 + window_s) for link in links))
    await asyncio.sleep(1)
    cpu_s, before = time.process_time(), scans
    await asyncio.sleep(window_s - 0.2)
    cost_us = (time.process_time() - cpu_s) * 1e6 / ((scans - before) * REQUESTS_PER_SCAN)
    await reading
    return cost_us


def floor_closed_loop(base: int, connections: int, window_s: float) -> float:
    block: Any = __import__("modbus")
    block.PORT = base
    slices = block.measure_callback(connections, window_s, block.SCAN, use_uvloop=True)
    return float(statistics.median(cost_us for cost_us, _, _ in slices))


@contextmanager
def process(*command: object) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait()


@contextmanager
def farm(base: int, devices: int, control: int) -> Iterator[None]:
    with process(FARM, "-b", base, "-p", devices, "-c", control):
        deadline_s = time.monotonic() + 5
        while time.monotonic() < deadline_s:
            with suppress(OSError):
                scans(control)
                break
            time.sleep(0.05)
        yield


def scans(control: int) -> int:
    """Return how many scans the farm has served."""
    with socket.create_connection((HOST, control)) as asking:
        return int(json.loads(asking.makefile().readline())["scans"])


def cpu_s(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def broker() -> Iterator[int]:
    """Accept what the floor publishes with QoS 0, and drop it."""
    listening = socket.create_server((HOST, 0))

    def drop() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                peer.recv(4096)
                peer.sendall(b"\x20\x02\x00\x00")
                while peer.recv(1 << 16):
                    pass

    threading.Thread(target=drop, daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


def paced(label: str, base: int, devices: int, window_s: float) -> tuple[float, float]:
    """Return CPU microseconds per value read, and the share of the scans that were made."""
    control = base - 1
    with farm(base, devices, control), broker() as port:
        command: list[object] = [sys.executable]
        if label == FLOOR:
            command += [LOAD / "floor.py", "--base", base, "-D", devices, "--broker", port]
            command += ["--spread", "--loop", "uvloop", "--tick", 50]
        else:
            command += [__file__, "--base", base, "--devices", devices, "--collect", label]
        with process(*command) as collector:
            time.sleep(WARM_UP_S + devices / 500)
            before_s, read, start_s = cpu_s(collector.pid), scans(control), time.monotonic()
            time.sleep(window_s)
            read = scans(control) - read
            took_s = time.monotonic() - start_s
            used_s = cpu_s(collector.pid) - before_s
    return used_s * 1e6 / (read * VALUES_PER_SCAN), read / (took_s * devices)


def looped(label: str, base: int, connections: int, window_s: float) -> float:
    with farm(base, connections, base - 1):
        command = [sys.executable, __file__, "--base", str(base), "--window", str(window_s)]
        command += ["--devices", str(connections), "--loop", label]
        return float(subprocess.run(command, check=True, capture_output=True).stdout)


def report(arguments: argparse.Namespace) -> None:
    labels = [FLOOR, *CLIENTS]
    print("| collect alone | devices | CPU us/value read | x floor | scans made |")
    print("|---|---|---|---|---|")
    for devices in arguments.devices:
        in_turns = [
            {label: paced(label, arguments.base, devices, arguments.window) for label in labels}
            for _ in range(arguments.repeat)
        ]
        floor_us = statistics.median(turn[FLOOR][0] for turn in in_turns)
        for label in labels:
            cost_us = statistics.median(turn[label][0] for turn in in_turns)
            made = statistics.median(turn[label][1] for turn in in_turns)
            print(
                f"| {label} | {devices} | {cost_us:.2f} | {cost_us / floor_us:.1f} | {made:.1%} |"
            )
    print("\n| closed loop | connections | CPU us/request |\n|---|---|---|")
    for connections in (1, 100):
        for label in labels:
            cost_us = looped(label, arguments.base, connections, min(arguments.window, 4))
            print(f"| {label} | {connections} | {cost_us:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--window", type=float, default=15, help="seconds measured")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--base", type=int, default=23001, help="first port of the farm")
    parser.add_argument("--collect", choices=CLIENTS, help="only poll, for ever")
    parser.add_argument("--loop", choices=[FLOOR, *CLIENTS], help="only the closed loop")
    arguments = parser.parse_args()
    (devices, *_), window_s = arguments.devices, arguments.window
    if arguments.collect:
        uvloop.run(collect(arguments.base, devices, arguments.collect))
    elif arguments.loop == FLOOR:
        print(floor_closed_loop(arguments.base, devices, window_s))
    elif arguments.loop:
        print(uvloop.run(closed_loop(arguments.base, devices, arguments.loop, window_s)))
    else:
        subprocess.run(["make", "-s", "-C", LOAD, f"OUT={FARM.parent}"], check=True)
        report(arguments)


if __name__ == "__main__":
    main()
