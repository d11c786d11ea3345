"""``millgate read``: tags of a device as they are now, raw and decoded.

- On a terminal one table is refreshed in place; elsewhere each round is printed below the
  other, as lines or as one JSON document a line.
- The exit code is 0 if every tag of the last round had a value, else 1.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from drivers.contract import Value
from gateway.cli.probe import said_in_both
from gateway.cli.say import refuse
from gateway.commission.reading import Row, read_rounds
from gateway.commission.target import (
    NoTarget,
    Target,
    configured,
    is_link_text,
    only_tags,
    typed,
    typed_read,
)
from gateway.commission.texts import sentence

PIPED_WIDTH = 160
_HEADINGS = (
    "点位 tag",
    "地址 address",
    "原始 raw",
    "值 value",
    "质量 quality",
    "ms",
    "不变自 since",
)
_WHOLE = frozenset({"点位 tag", "原始 raw"})
"""What is not folded however narrow the terminal is."""
DIGITS = 9
"""A float is shown with; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to read and how often."""

    tags: Sequence[str] = ()
    every_s: float | None = None
    count: int | None = None
    """With a link typed out: values in a row; with a configuration: rounds."""
    times: int | None = None
    kind: str | None = None
    order: str | None = None
    as_json: bool = False


def run(target: str, what: str | None, options: Options, *, out: TextIO | None = None) -> int:
    """Read until the rounds are over or Ctrl-C; return the exit code."""
    stream = out or sys.stdout
    try:
        targets, rounds = _wanted(target, what, options)
        with ExitStack() as stack:
            screen = _Screen(stream, stack, as_json=options.as_json)
            good = asyncio.run(
                read_rounds(
                    targets,
                    screen.show,
                    sleep=asyncio.sleep,
                    every_s=options.every_s or 1.0,
                    rounds=rounds,
                )
            )
    except NoTarget as err:
        return refuse(*said_in_both(err.said))
    except KeyboardInterrupt:
        return 0
    return 0 if good else 1


def _wanted(target: str, what: str | None, options: Options) -> tuple[Sequence[Target], int | None]:
    """Return what to read and how many rounds; raises NoTarget."""
    if what is None:
        raise NoTarget("what_to_read")
    if is_link_text(target):
        one = typed_read(
            typed(target), what, count=options.count or 1, kind=options.kind, order=options.order
        )
        live = options.every_s is not None
        return (one,), options.times or (None if live else 1)
    found = only_tags(configured(Path(target), what), options.tags)
    return found, options.times or options.count


class _Screen:
    """Where the rounds are shown."""

    def __init__(self, stream: TextIO, stack: ExitStack, *, as_json: bool) -> None:
        self._stream = stream
        self._as_json = as_json
        terminal = stream.isatty()
        self._console = Console(
            file=stream, highlight=False, width=None if terminal else PIPED_WIDTH
        )
        live = terminal and not as_json
        self._live = (
            stack.enter_context(Live(console=self._console, auto_refresh=False)) if live else None
        )

    def show(self, rows: Sequence[Row]) -> None:
        """Show one round."""
        if self._as_json:
            document = {"tags": [_data(row) for row in rows]}
            self._stream.write(orjson.dumps(document, option=orjson.OPT_UTC_Z).decode() + "\n")
            self._stream.flush()
        elif self._live is not None:
            self._live.update(_table(rows), refresh=True)
        else:
            self._console.print(_table(rows))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading in _WHOLE)
    for row in rows:
        one = row.reading
        table.add_row(
            escape(one.key),
            escape(one.place),
            escape(one.raw),
            "-" if one.value is None else escape(_shown(one.value)),
            _quality(row),
            f"{one.rtt_s * 1000:.0f}",
            f"{row.since.astimezone():%H:%M:%S}",
        )
    return table


def _shown(value: Value) -> str:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def _quality(row: Row) -> str:
    if row.why is None:
        return "good"
    text = sentence(row.why)
    same = text["zh"] == text["en"]
    return f"[red]bad[/] {escape(text['en'] if same else text['zh'] + ' / ' + text['en'])}"


def _data(row: Row) -> dict[str, object]:
    one = row.reading
    return {
        "tag": one.key,
        "address": one.place,
        "raw": one.raw,
        "value": one.value,
        "quality": row.quality,
        "cause": one.cause,
        "why": None if row.why is None else sentence(row.why),
        "rtt_ms": round(one.rtt_s * 1000, 1),
        "since": row.since,
    }
