"""What collecting costs: millgate beside the least a Python program can do, in one run.

python benchmarks/collect.py [--devices 100 1000] [--window 30] [--repeat 1]

Prints the table of the measuring load (`load/README.md`), then CPU per value *read*,
memory and requests per scan with their ratio to both floors. Only the ratios mean
anything on another machine.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOAD = HERE / "load"
BUILD = LOAD / "build"
VALUES_PER_SCAN = 68
FLOOR = (
    "{py} {here}/floor.py --base {farm_port} -D {devices} --broker {broker_port}"
    " --rate {rate} --spread --loop uvloop --tick 50"
)
MILLGATE = "{py} " + shlex.quote(str(HERE / "millgate_collect.py")) + " {workload} {dir}"
COLLECTORS: Mapping[str, str] = {
    "floor": FLOOR,
    "floor-durable": FLOOR + " --outbox {dir}/o.db",
    "floor-pymodbus": FLOOR.replace("--loop uvloop", "--loop pymodbus-uvloop"),
    "millgate": MILLGATE + " client=fast pipeline=auto",
    "millgate-pymodbus": MILLGATE + " client=pymodbus",
}
FLOORS = ("floor", "floor-durable", "floor-pymodbus")


@dataclass(frozen=True, slots=True)
class Cost:
    """The medians of one collector's runs with so many devices."""

    collector: str
    devices: int
    cpu_us_per_value_read: float
    rss_mb: float
    requests_per_scan: float
    scans_share: float
    """Scans made of those asked."""
    read_ms_p50: float
    read_ms_p99: float


def cpu_us_per_value_read(run: Mapping[str, Any]) -> float:
    """Return CPU microseconds by values read, whether or not they were delivered."""
    values_per_s = float(run["farm_scans_s"]) * VALUES_PER_SCAN
    return float(run["cpu_pct"]) / 100 * 1e6 / values_per_s if values_per_s else float("inf")


def costs(runs: Iterable[Mapping[str, Any]]) -> list[Cost]:
    """Return one line for each collector and number of devices, in the order of the runs."""
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["collector"], run["devices"]), []).append(run)
    return [
        Cost(
            collector=collector,
            devices=devices,
            cpu_us_per_value_read=_median(cpu_us_per_value_read(run) for run in same),
            rss_mb=_median(run["rss_mb"] for run in same),
            requests_per_scan=_median(run["requests_scan"] for run in same),
            scans_share=_median(run["farm_scans_s"] / run["asked_scans_s"] for run in same),
            read_ms_p50=_median(run["read_p50"] for run in same),
            read_ms_p99=_median(run["read_p99"] for run in same),
        )
        for (collector, devices), same in groups.items()
    ]


def table(lines: Sequence[Cost]) -> str:
    """Return a Markdown table; a ratio is missing where its floor was not run."""
    head = [
        (
            "| collector | devices | CPU us/value read | x floor | x floor-durable"
            " | x floor-pymodbus | RSS MB | requests/scan | scans made | read to MQTT p50/p99 ms |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    by_key = {(line.collector, line.devices): line for line in lines}
    rows = []
    for line in lines:
        ratios = [_ratio(line, by_key.get((floor, line.devices))) for floor in FLOORS]
        rows.append(
            f"| {line.collector} | {line.devices} | {line.cpu_us_per_value_read:.2f}"
            f" | {' | '.join(ratios)} | {line.rss_mb:.1f} | {line.requests_per_scan:.2f}"
            f" | {line.scans_share:.1%} | {line.read_ms_p50:g}/{line.read_ms_p99:g} |"
        )
    return "\n".join(head + rows)


def _ratio(line: Cost, floor: Cost | None) -> str:
    if floor is None or not floor.cpu_us_per_value_read:
        return "-"
    return f"{line.cpu_us_per_value_read / floor.cpu_us_per_value_read:.1f}"


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def build() -> None:
    """Build the device farm and the consumer; needs gcc and libmosquitto-dev."""
    subprocess.run(["make", "-s", "-C", str(LOAD), f"OUT={BUILD}"], check=True)


def measure(arguments: argparse.Namespace, results: Path) -> None:
    """Run every collector in turns, so that a drift of the machine meets all of them."""
    environment = {**os.environ, "BENCH_PY": sys.executable, "BENCH_BUILD": str(BUILD)}
    for _ in range(arguments.repeat):
        for label in arguments.collectors:
            command = [
                *(sys.executable, "compare.py", f"command:{COLLECTORS[label]}", "--label", label),
                *("--window", str(arguments.window), "--out", str(results)),
                *("-D", *map(str, arguments.devices)),
            ]
            print(f"running {label} ...", file=sys.stderr, flush=True)
            subprocess.run(
                command, cwd=LOAD, env=environment, check=True, stdout=subprocess.DEVNULL
            )


def arguments_of(command_line: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[100])
    parser.add_argument("--window", type=float, default=30, help="seconds measured")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--collectors", nargs="+", choices=COLLECTORS, default=list(COLLECTORS))
    return parser.parse_args(command_line)


def read_runs(results: Path) -> list[dict[str, Any]]:
    """Return the runs that measured something; name the others on stderr."""
    runs = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    for run in runs:
        if not run.get("values_s"):
            print(f"{run['collector']}, {run['devices']} devices: no result", file=sys.stderr)
    return [run for run in runs if run.get("values_s")]


def main() -> int:
    arguments = arguments_of(sys.argv[1:])
    build()
    results = BUILD / f"collect-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    measure(arguments, results)
    runs = read_runs(results)
    results.write_text("".join(f"{json.dumps(run)}\n" for run in runs), encoding="utf-8")
    subprocess.run([sys.executable, "table.py", str(results)], cwd=LOAD, check=False)
    print()
    print(table(costs(runs)))
    measured = {run["collector"] for run in runs}
    return 0 if measured >= set(arguments.collectors) else 1


if __name__ == "__main__":
    sys.exit(main())
