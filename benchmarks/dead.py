"""What dead devices cost the living: their period and its spread, counted at the devices.

python benchmarks/dead.py [--devices 1000] [--dead 200] [--window 20]

Every device is due once a second; pollers, driver and client are millgate's, without journal
and publishing. Each line is a run of its own with other dead devices: switched off (the
address refuses), unplugged (nothing comes back), hung (connects, never answers), frozen (was
read, then stopped answering), and a quarter of each.
"""

import argparse
import asyncio
import itertools
import json
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from modbus_client import FARM, HOST, LOAD, drivers, farm, process, scans

import uvloop  # isort: skip
from drivers.contract import Batch  # isort: skip
from gateway.collect.poller import Poller, taken  # isort: skip
from gateway.ops import memory  # isort: skip
from gateway.ops.clock import SYSTEM_CLOCK  # isort: skip

INTERVAL_S = 1.0
WARM_UP_S = 8.0
NOBODY_DEAD = "nobody dead"
MIXED = "a quarter of each"
FROZEN = "frozen"
SETTLE_S = 4.0
"""From the moment the frozen ones freeze until the window begins."""


class Times:
    """When each living device was read, while it counts."""

    def __init__(self) -> None:
        self.counts = False
        self.read_s: dict[str, list[float]] = {}

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        if self.counts:
            self.read_s.setdefault(link, []).append(batch.mono_s)
        return taken()

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        del link, err, failures

    def periods_s(self) -> list[float]:
        """Return every time from one reading of a device to its next."""
        return [
            later - earlier
            for times in self.read_s.values()
            for earlier, later in itertools.pairwise(times)
        ]


def _bound(sockets: ExitStack, backlog: int | None) -> int:
    """Return a port that refuses, or lets so many wait for ever."""
    listening = sockets.enter_context(socket.socket())
    listening.bind((HOST, 0))
    if backlog is not None:
        listening.listen(backlog)
    port: int = listening.getsockname()[1]
    return port


def _unplugged(sockets: ExitStack) -> int:
    port = _bound(sockets, 0)
    for _ in range(3):  # nobody more is let in, and the system says nothing to those who knock
        knocking = sockets.enter_context(socket.socket())
        knocking.settimeout(0)
        knocking.connect_ex((HOST, port))
    return port


DEATHS: Mapping[str, Any] = {
    "switched off": lambda sockets: _bound(sockets, None),
    "unplugged": _unplugged,
    "hung": lambda sockets: _bound(sockets, 512),
    FROZEN: None,
}


@contextmanager
def freezing(base: int, devices: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run devices that can be stopped without a word."""
    with process(FARM, "-b", base, "-p", devices) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGCONT)


def dead_ports(sockets: ExitStack, deaths: Collection[str], dead: int, base: int) -> list[int]:
    """Return where the dead devices are; the frozen ones from ``base`` on."""
    frozen = itertools.count(base)
    return [
        next(frozen) if DEATHS[death] is None else DEATHS[death](sockets)
        for death, _ in zip(itertools.cycle(deaths), range(dead), strict=False)
    ]


async def measure(
    living: int, base: int, ports: Collection[int], freeze: subprocess.Popen[bytes], window_s: float
) -> dict[str, float]:
    """Read everything for a while; return what became of the living."""
    memory.begin()
    times, nobody = Times(), Times()
    number = living + len(ports)
    links = [(str(i), driver, times) for i, driver in enumerate(drivers(base, living, "fast"))]
    links += [("dead", drivers(port, 1, "fast")[0], nobody) for port in ports]
    order = [place * 7919 % number for place in range(number)]  # the dead among the living
    pollers = [
        Poller(link, driver, seen, clock=SYSTEM_CLOCK, sleep=asyncio.sleep, share=order[i] / number)
        for i, (link, driver, seen) in enumerate(links)
    ]
    running = [asyncio.create_task(poller.run()) for poller in pollers]
    await asyncio.sleep(WARM_UP_S)
    memory.settle(asyncio.get_running_loop())  # as `millgate collect` does
    freeze.send_signal(signal.SIGSTOP)
    await asyncio.sleep(SETTLE_S)
    times.counts = True
    start_s, before, cpu_s = time.monotonic(), scans(base - 1), time.process_time()
    await asyncio.sleep(window_s)
    made = scans(base - 1) - before
    took_s = time.monotonic() - start_s
    cpu_s = time.process_time() - cpu_s
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    periods_s = sorted(times.periods_s())
    return {
        "period_s": took_s * living / made,
        "off_p99_s": statistics.quantiles([abs(s - INTERVAL_S) for s in periods_s], n=100)[98],
        "longest_s": periods_s[-1],
        "cpu": cpu_s / took_s,
        "failures": sum(poller.stats.failures for poller in pollers[living:]) / (len(ports) or 1),
    }


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Run one line of the table in this process."""
    label, base = arguments.run, arguments.base
    deaths = [*DEATHS] if label == MIXED else [label]
    living = arguments.devices - arguments.dead
    frozen = base + arguments.devices
    with ExitStack() as plant:
        plant.enter_context(farm(base, living, base - 1))
        freeze = plant.enter_context(freezing(frozen, arguments.dead))
        ports = [] if label == NOBODY_DEAD else dead_ports(plant, deaths, arguments.dead, frozen)
        return uvloop.run(measure(living, base, ports, freeze, arguments.window))


def report(arguments: argparse.Namespace) -> None:
    living = arguments.devices - arguments.dead
    print(f"{arguments.dead} dead of {arguments.devices} devices, {living} living, 1 Hz\n")
    print("| the dead | period of the living | change | 99 % within | longest | CPU | tries each |")
    print("|---|---|---|---|---|---|---|")
    usual_s = 0.0
    for label in (NOBODY_DEAD, *DEATHS, MIXED):
        command = [sys.executable, __file__, "--run", label, "--base", str(arguments.base)]
        command += ["--devices", str(arguments.devices), "--dead", str(arguments.dead)]
        command += ["--window", str(arguments.window)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        usual_s = usual_s or found["period_s"]
        change = found["period_s"] / usual_s - 1
        print(
            f"| {label} | {found['period_s'] * 1000:.1f} ms | {change:+.1%}"
            f" | {found['off_p99_s'] * 1000:.1f} ms | {found['longest_s'] * 1000:.0f} ms"
            f" | {found['cpu']:.0%} | {found['failures']:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--dead", type=int, default=200)
    parser.add_argument("--window", type=float, default=20, help="seconds measured")
    parser.add_argument("--base", type=int, default=25001, help="first port of the devices")
    parser.add_argument("--run", choices=[NOBODY_DEAD, *DEATHS, MIXED], help="only this line")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if arguments.run:
        print(json.dumps(run(arguments)))
    else:
        subprocess.run(["make", "-s", "-C", LOAD, f"OUT={FARM.parent}"], check=True)
        report(arguments)


if __name__ == "__main__":
    main()
