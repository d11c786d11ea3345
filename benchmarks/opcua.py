"""What watching OPC UA items costs: millgate beside asyncua with a handler that only counts.

python benchmarks/opcua.py [--items 10000] [--equipment 100] [--window 20] [--repeat 1]

``floor`` is asyncua's own subscription, ``driver`` is millgate's driver up to the batch,
``millgate`` is the collector: facts, journal (``synchronous=FULL``), QoS 1. Every item
changes once a second. Only ratios within one run mean anything on another machine.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOAD = HERE / "load"
BUILD = LOAD / "build"
sys.path[:0] = [str(LOAD)]
HOST = "127.0.0.1"
READINGS = "mg/v1/+/+/+/+/evt/reading/#"
ENVELOPE = "streamseq,replay,full"
"""Numbers in a message that are no values."""
START_LIMIT_S = 180.0
LONGEST_ROUND_S = 3.0
PAUSE_S = 0.25
_load: Any = __import__("compare")
_procstat: Any = __import__("procstat")


@dataclass(frozen=True, slots=True)
class Run:
    """What one side cost."""

    side: str
    start_s: float
    """From the start of the process to a value of every item."""
    start_cpu_s: float
    values_per_s: float
    cpu_us_per_value: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody who tells on demand how many values there were."""

    process: "subprocess.Popen[str]"

    def values(self) -> int:
        """Return the number so far."""
        ask, answers = self.process.stdin, self.process.stdout
        if ask is None or answers is None:
            raise ValueError(self.process.args)
        ask.write("s\n")
        ask.flush()
        told = answers.readline()
        if not told:
            raise SystemExit(f"{self.process.args} ended")
        return int(json.loads(told)["values"])


@contextmanager
def running(command: Sequence[object], **how: Any) -> "Iterator[subprocess.Popen[str]]":
    """A process that is ended on exit, with all it started."""
    argv = [str(word) for word in command]
    process = subprocess.Popen(argv, text=True, **how)
    try:
        yield process
    finally:
        if process.poll() is None:
            _load.end(process)


def wait_for(port: int) -> None:
    """Wait until somebody listens there."""
    until_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            socket.create_connection((HOST, port)).close()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def farm(items: int) -> Iterator[int]:
    """The server of the measuring load; yields its port."""
    port = _load.free_port()
    command = [sys.executable, LOAD / "opcua_farm.py", "--port", port, "--nodes", items]
    with running(command, stdout=subprocess.PIPE) as server:
        if server.stdout is None or "ready" not in server.stdout.readline():
            raise SystemExit("the OPC UA server of the load did not start")
        yield port


@contextmanager
def client(
    side: str, port: int, arguments: argparse.Namespace
) -> "Iterator[tuple[subprocess.Popen[str], Question]]":
    """A floor or the driver alone."""
    command = [sys.executable, HERE / "opcua_client.py", side, port]
    command += [arguments.items, arguments.publishing_ms]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process, Question(process)


@contextmanager
def millgate(
    port: int, arguments: argparse.Namespace
) -> "Iterator[tuple[subprocess.Popen[str], Question]]":
    """The collector, a broker, and the load's consumer that counts what arrives there."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        broker = _load.free_port()
        conf = f"listener {broker} {HOST}\nallow_anonymous true\nmax_queued_messages 0\n"
        (work / "mosquitto.conf").write_text(conf + "max_inflight_messages 0\nlog_type error\n")
        path = os.environ["PATH"] + ":/usr/sbin"
        stack.enter_context(
            running(["mosquitto", "-c", work / "mosquitto.conf"], env={**os.environ, "PATH": path})
        )
        wait_for(broker)
        counting = [BUILD / "consumer", "-p", broker, "-t", READINGS, "-i", ENVELOPE]
        consumer = stack.enter_context(
            running(counting, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        workload = {
            "broker": {"host": HOST, "port": broker},
            "opcua": {
                "endpoint": f"opc.tcp://{HOST}:{port}",
                "items": arguments.items,
                "equipment": arguments.equipment,
                "publishing_ms": arguments.publishing_ms,
            },
        }
        (work / "workload.json").write_text(json.dumps(workload))
        command = [sys.executable, HERE / "millgate_collect.py", work / "workload.json", work]
        log = stack.enter_context((work / "log").open("w+"))
        process = stack.enter_context(running(command, stdout=log, stderr=log))
        try:
            yield process, Question(consumer)
        finally:
            if process.poll() is not None:
                print((work / "log").read_text(encoding="utf-8"), file=sys.stderr)


def between_rounds(question: Question) -> int:
    """Return the number of values in the pause after a round of the farm, if it makes any."""
    until_s = time.monotonic() + LONGEST_ROUND_S
    first = last = question.values()
    quiet_since_s = time.monotonic()
    while time.monotonic() < until_s:
        time.sleep(0.02)
        now = question.values()
        if now != last:
            last, quiet_since_s = now, time.monotonic()
        elif now != first and time.monotonic() - quiet_since_s > PAUSE_S:
            break
    return last


def measure(side: str, port: int, arguments: argparse.Namespace) -> Run:
    """Run one side."""
    with ExitStack() as stack:
        start_s = time.monotonic()
        made = millgate(port, arguments) if side == "millgate" else client(side, port, arguments)
        process, question = stack.enter_context(made)
        while question.values() < arguments.items:
            if process.poll() is not None or time.monotonic() - start_s > START_LIMIT_S:
                raise SystemExit(f"{side}: no values")
            time.sleep(0.05)
        started_s = time.monotonic() - start_s
        started_cpu_s = _procstat.usage(process.pid)[0]
        time.sleep(arguments.warm)
        before, since_s = between_rounds(question), time.monotonic()
        cpu_s = _procstat.usage(process.pid)[0]
        time.sleep(arguments.window)
        values, over_s = between_rounds(question) - before, time.monotonic() - since_s
        used = _procstat.usage(process.pid)
        cpu_us = (used[0] - cpu_s) * 1e6
        return Run(
            side,
            start_s=started_s,
            start_cpu_s=started_cpu_s,
            values_per_s=values / over_s,
            cpu_us_per_value=cpu_us / values if values else float("inf"),
            rss_mb=used[1],
        )


SIDES = ("floor", "driver", "millgate")


def table(runs: Sequence[Run], asked_per_s: int) -> str:
    """Return a Markdown table of the medians; a ratio is missing where no floor was run."""
    sides: Mapping[str, list[Run]] = {
        side: [run for run in runs if run.side == side] for side in SIDES
    }
    lines = [
        (
            "| side | runs | values/s (asked) | CPU us/value | x floor | RSS MB"
            " | start s | start CPU s |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    floor = _median(sides["floor"], "cpu_us_per_value") if sides["floor"] else None
    for side, same in sides.items():
        if not same:
            continue
        cost = _median(same, "cpu_us_per_value")
        ratio = f"{cost / floor:.2f}" if floor else "-"
        lines.append(
            f"| {side} | {len(same)} | {_median(same, 'values_per_s'):.0f} ({asked_per_s})"
            f" | {cost:.1f} | {ratio} | {_median(same, 'rss_mb'):.0f}"
            f" | {_median(same, 'start_s'):.1f} | {_median(same, 'start_cpu_s'):.1f} |"
        )
    return "\n".join(lines)


def _median(runs: Sequence[Run], name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in runs))


def arguments_of(command_line: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--equipment", type=int, default=100, help="machines that share them")
    parser.add_argument("--publishing-ms", type=int, default=1000)
    parser.add_argument("--warm", type=float, default=5, help="seconds before the window")
    parser.add_argument("--window", type=float, default=20, help="seconds measured")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    return parser.parse_args(command_line)


def main() -> None:
    arguments = arguments_of(sys.argv[1:])
    subprocess.run(["make", "-s", "-C", str(LOAD), f"OUT={BUILD}"], check=True)
    runs = []
    with farm(arguments.items) as port:
        for _ in range(arguments.repeat):
            for side in arguments.sides:
                print(f"running {side} ...", file=sys.stderr, flush=True)
                runs.append(measure(side, port, arguments))
    print(table(runs, arguments.items))


if __name__ == "__main__":
    main()
