"""What applying a configuration costs those it does not touch: their period, counted by them.

python benchmarks/reload.py [--devices 100] [--applies 10]

A collector over the farm, each device due once a second, without a broker. First nothing is
applied for a while, then one device gets another interval again and again. The others must
keep their sessions and the moments at which they are read.
"""

import argparse
import asyncio
import itertools
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path

from modbus_client import FARM, LOAD, farm

import uvloop  # isort: skip
from drivers.contract import Batch  # isort: skip
from gateway.app.collector import Collector, collector  # isort: skip
from gateway.ops import memory  # isort: skip
from gateway.settings.load import load  # isort: skip
from gateway.settings.revision import Draft  # isort: skip

INTERVAL_S = 1.0
WARM_UP_S = 4.0
GATEWAY = """\
site: bench
gateway: gw-01
timezone: UTC
mqtt: {port: 9}
historian: {enabled: false}
web: {enabled: false}
"""
MACHINE = """\
equipment: m{number}
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, poll_interval_ms: {interval_ms}}}
tags:
{tags}
status:
  - {{state: running, when: "t0 >= 0"}}
"""
TAGS = "\n".join(f"  t{n}: {{address: 'hr:{n}'}}" for n in range(50))


def machine(number: int, base: int, interval_ms: int = 1000) -> str:
    return MACHINE.format(number=number, port=base + number, interval_ms=interval_ms, tags=TAGS)


def write_site(directory: Path, base: int, devices: int) -> None:
    (directory / "equipment").mkdir()
    (directory / "gateway.yaml").write_text(GATEWAY, encoding="utf-8")
    for number in range(devices):
        path = directory / f"equipment/m{number}.yaml"
        path.write_text(machine(number, base), encoding="utf-8")


def noted(running: Collector) -> dict[str, list[float]]:
    """Note when each link was read, from now on."""
    read_s: dict[str, list[float]] = {}
    observe = running.deriver.observe

    def note(link: str, batch: Batch) -> Awaitable[object]:
        read_s.setdefault(link, []).append(batch.mono_s)
        return observe(link, batch)

    running.deriver.observe = note  # type: ignore[method-assign]
    return read_s


def off_s(read_s: Mapping[str, Sequence[float]]) -> list[float]:
    """Return by how much each period of each link differed from what it should be."""
    return sorted(
        abs(later - earlier - INTERVAL_S)
        for times in read_s.values()
        for earlier, later in itertools.pairwise(times)
    )


async def measure(directory: Path, base: int, applies: int) -> None:
    """Print the table."""
    memory.begin()
    async with collector(load(directory)) as running, asyncio.TaskGroup() as tasks:
        read_s = noted(running)
        running.start(tasks)
        await asyncio.sleep(WARM_UP_S)
        memory.settle(asyncio.get_running_loop())  # as `millgate collect` does
        others = {one for one in running.pollers if one.link != "m0.plc"}
        took_s: list[float] = []
        for label in ("nothing applied", "one device changed"):
            read_s.clear()
            for number in range(1, applies + 1):
                began_s = time.monotonic()
                if label != "nothing applied":
                    text = machine(0, base, 1000 - number).encode()
                    draft = Draft(number, {"equipment/m0.yaml": text}, "bench")
                    outcome = await running.configuration.change(draft)
                    if not outcome.accepted:
                        raise SystemExit(outcome.text["en"])
                    took_s.append(time.monotonic() - began_s)
                await asyncio.sleep(max(0.0, began_s + 1.7 - time.monotonic()))
            read_s.pop("m0.plc", None)
            off = off_s(read_s)
            print(
                f"| {label} | {statistics.median(off) * 1000:.1f} ms"
                f" | {off[len(off) * 99 // 100] * 1000:.1f} ms | {off[-1] * 1000:.0f} ms |",
                flush=True,
            )
        same = others <= set(running.pollers)
        outages = sum(one.stats.outages for one in others)
        print(f"\napply: median {statistics.median(took_s):.2f} s, longest {max(took_s):.2f} s;")
        print(f"the others: {'the same sessions' if same else 'OPENED ANEW'}, outages {outages}")
        await running.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--applies", type=int, default=10)
    parser.add_argument("--base", type=int, default=26001, help="first port of the devices")
    arguments = parser.parse_args()
    subprocess.run(["make", "-s", "-C", LOAD, f"OUT={FARM.parent}"], check=True)
    print(f"{arguments.devices} devices, 1 Hz, {arguments.applies} applies to one of them\n")
    print("| | period of the others off by, median | 99 % within | most |")
    print("|---|---|---|---|")
    place = tempfile.TemporaryDirectory()
    with farm(arguments.base, arguments.devices, arguments.base - 1), place as name:
        write_site(Path(name), arguments.base, arguments.devices)
        uvloop.run(measure(Path(name), arguments.base, arguments.applies))


if __name__ == "__main__":
    main()
