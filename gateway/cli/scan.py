"""``millgate scan``: which units answer, which registers exist and what is in them.

- Before it begins it says how long it takes; while it goes on, how far it is.
- Ctrl-C ends it and prints what was found so far.
- The exit code is 0 if anything was found, else 1.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from drivers.contract import DriverError
from drivers.modbus.references import show
from drivers.modbus.scan_units import Found, UnitFound
from gateway.cli.probe import refused_by, said_in_both, targets_of
from gateway.cli.say import refuse, say
from gateway.commission.scanning import Search, search, search_of
from gateway.commission.target import NoTarget

SHOWN_VALUES = 200
PIPED_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Options:
    """What to look for; nothing named means all units."""

    units: str | None = None
    registers: Sequence[str] = ()
    rate: float = 10.0
    as_json: bool = False


def run(target: str, link: str | None, options: Options, *, out: TextIO | None = None) -> int:
    """Search until all is known or Ctrl-C; return the exit code."""
    stream = out or sys.stdout
    try:
        targets = targets_of(target, link)
        wanted = search_of(targets, options.units, options.registers, options.rate)
    except NoTarget as err:
        return refuse(*said_in_both(err.said))
    found = Found()
    _foretell(wanted)
    progress = _Progress(sys.stderr)
    try:
        asyncio.run(search(wanted, found, progress.tell))
    except KeyboardInterrupt:
        progress.end()
        say("中断；以下是目前找到的", "interrupted; this was found so far", out=sys.stderr)
    except DriverError as err:
        progress.end()
        refused_by(err)
    progress.end()
    if options.as_json:
        stream.write(orjson.dumps(_data(found)).decode() + "\n")
    else:
        _show(found, stream, asked_units=bool(wanted.units))
    return 0 if found.units or found.values else 1


def _foretell(wanted: Search) -> None:
    least_s, most_s = wanted.seconds
    say(
        f"站号 {len(wanted.units)} 个，寄存器 {wanted.registers} 个，"
        f"每秒最多问 {wanted.rate:g} 次：{least_s:.0f} 到 {most_s:.0f} 秒",
        f"units: {len(wanted.units)}, registers: {wanted.registers}, at most {wanted.rate:g}"
        f" questions a second: {least_s:.0f} to {most_s:.0f} s",
        out=sys.stderr,
    )


class _Progress:
    """One line on a terminal; nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False

    def tell(self, found: Found, left: int) -> None:
        if self._stream.isatty():
            self._stream.write(
                f"\r\033[K... {left}  units {len(found.units)}  registers {len(found.values)}"
            )
            self._stream.flush()
            self._shown = True

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\033[K")
            self._shown = False


def _show(found: Found, stream: TextIO, *, asked_units: bool) -> None:
    width = None if stream.isatty() else PIPED_WIDTH
    console = Console(file=stream, highlight=False, width=width)
    if asked_units:
        _print(
            console,
            ("站号 unit", "应答 answer", "ms"),
            list(_alike(found.units)),
        )
    if found.values:
        spans = [
            (show(one.table, one.first), show(one.table, one.last), str(one.last - one.first + 1))
            for one in found.spans
        ]
        _print(console, ("从 from", "到 to", "个 count"), spans)
        held = [(place, value) for place, value in sorted(found.values.items()) if value]
        values = [(show(*place), f"{value:04X}", str(value)) for place, value in held]
        _print(console, ("地址 address", "hex", "非零值 value"), values[:SHOWN_VALUES])
        if len(values) > SHOWN_VALUES:
            console.print(f"... {len(values) - SHOWN_VALUES}  (--json)")
    if not found.units and not found.values:
        console.print("没有找到 / nothing found")
    if found.ended:
        console.print("设备不再应答，提前结束 / the device fell silent, ended early")


def _alike(units: Sequence[UnitFound]) -> Iterator[tuple[str, str, str]]:
    """Yield one row for units in a row that refuse in the same way."""
    rows: list[list[UnitFound]] = []
    for one in units:
        last = rows[-1][-1] if rows else None
        refused = one.answer.startswith("exception")
        if last is not None and refused and last.answer == one.answer:
            rows[-1].append(one)
        else:
            rows.append([one])
    for row in rows:
        many = len(row) > 1
        name = f"{row[0].unit}-{row[-1].unit}" if many else str(row[0].unit)
        yield name, row[0].answer, f"{max(one.rtt_s for one in row) * 1000:.0f}"


def _print(console: Console, headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=SIMPLE)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _data(found: Found) -> dict[str, Any]:
    return {
        "units": [
            {"unit": one.unit, "answer": one.answer, "rtt_ms": round(one.rtt_s * 1000, 1)}
            for one in found.units
        ],
        "spans": [
            {"from": f"{s.table}:{s.first}", "to": f"{s.table}:{s.last}"} for s in found.spans
        ],
        "values": {
            f"{table}:{address}": value
            for (table, address), value in sorted(found.values.items())
            if value
        },
        "requests": found.asked,
        "ended_early": found.ended or None,
    }
