"""``millgate decode HEX``: what the bytes of an answer mean.

- With a type, one value, read by the driver's own code; without, all readings side by side,
  those that fit the expected value marked.
- The exit code is 1 if the question is none, 0 also for bytes that are no value.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TextIO

import orjson
from pydantic import ValidationError
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drivers.contract import BadSetting, Value
from drivers.modbus.codec import Reading
from drivers.modbus.explain import (
    Expected,
    NotBytes,
    Row,
    WrongLength,
    bits_on,
    data_of,
    readings,
    value_of,
)
from drivers.modbus.tag import TagSettings
from gateway.cli.say import refuse
from gateway.settings.problems import Place, Report

PIPED_WIDTH = 140
_REGISTER_BYTES = 2


@dataclass(frozen=True, slots=True)
class Options:
    """How the bytes are to be read."""

    tag: Mapping[str, object]
    """``type order bit scale offset`` as for a tag, None where nothing was said."""
    encoding: str = "ascii"
    expect: str | None = None
    decimal: bool = False
    as_json: bool = False


def run(text: str, options: Options, *, out: TextIO | None = None) -> int:
    """Print what ``text`` means, return the exit code."""
    stream = out or sys.stdout
    try:
        return _run(text, options, stream)
    except NotBytes:
        return refuse(
            "不是成对的十六进制数字(最多 250 字节),应如 42F6 E979",
            "these are not pairs of hex digits (250 bytes at most), such as 42F6 E979",
        )
    except WrongLength as err:
        return refuse(f"{err.kind} 要 {err.wanted} 个字节,给出的是 {err.given} 个", str(err))
    except ValidationError as err:
        return refuse(*_told(err))
    except ArithmeticError:
        return refuse("--expect 不是数字", "--expect is no number")


def _run(text: str, options: Options, stream: TextIO) -> int:
    data = data_of(text, decimal=options.decimal)
    reading = _reading(options, len(data))
    expected = None if options.expect is None else Expected.of(options.expect)
    if options.tag.get("type") is not None or reading.bit is not None:
        _print_one(value_of(data, reading), stream, as_json=options.as_json)
        return 0
    rows = readings(
        data,
        scale=reading.scale,
        offset=reading.offset,
        expected=expected,
        encoding=reading.encoding,
    )
    if options.as_json:
        document = {"hex": data.hex().upper(), "bits_on": bits_on(data), "readings": rows}
        stream.write(orjson.dumps(document).decode() + "\n")
    else:
        _print_all(data, rows, stream)
    return 0


def _reading(options: Options, size: int) -> Reading:
    """Return the options as settings of a tag mean them; raises ValidationError."""
    given = {key: value for key, value in options.tag.items() if value is not None}
    if given.get("type") == "string":
        given["length_bytes"] = size
    tag = TagSettings.model_validate({"address": "hr:0"} | given)
    encoding = TagSettings.model_validate(
        {"address": "hr:0", "type": "string", "length_bytes": 1, "encoding": options.encoding}
    ).encoding
    return Reading(
        type=tag.type or ("uint16" if tag.bit is None else "bool"),
        order=tag.order,
        bit=tag.bit,
        scale=tag.scale,
        offset=tag.offset,
        string_bytes=tag.string_bytes,
        encoding=encoding,
    )


def _told(err: ValidationError) -> tuple[str, str]:
    first = err.errors()[0]
    refusal = first.get("ctx", {}).get("error")
    if not isinstance(refusal, BadSetting):
        name = ".".join(str(part) for part in first["loc"])
        return f"{name} 不对:{first['msg']}", f"{name}: {first['msg']}"
    report = Report()
    report.add_refusal(refusal, Place("", 0))
    (problem,) = report.problems
    hint = problem.hint or {"zh": "", "en": ""}
    return f"{problem.text['zh']};{hint['zh']}", f"{problem.text['en']}; {hint['en']}"


def _print_one(value: Value | None, stream: TextIO, *, as_json: bool) -> None:
    if as_json:
        stream.write(orjson.dumps({"value": value}).decode() + "\n")
    else:
        stream.write("无有效值 / no value\n" if value is None else f"{value}\n")


def _print_all(data: bytes, rows: Sequence[Row], stream: TextIO) -> None:
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else PIPED_WIDTH)
    whole = not any(row.at for row in rows)
    for text, group in groupby(rows, key=lambda row: row.type == "string"):
        alike = tuple(group)
        console.print(_table(alike) if text or whole else _walk(alike))
    if len(data) <= _REGISTER_BYTES:
        console.print(f"为 1 的位 / bits that are 1: {' '.join(map(str, bits_on(data))) or '-'}")
    if any(row.doubt == "unlikely" for row in rows):
        console.print("?  不像真实的值 / unlikely", style="dim")


def _table(rows: Sequence[Row]) -> Table:
    orders = list(dict.fromkeys(row.order for row in rows))
    table = Table(box=SIMPLE)
    table.add_column("类型 type")
    for order in orders:
        table.add_column(order, justify="right", overflow="fold")
    for kind, alike in groupby(rows, key=lambda row: row.type):
        cells = {row.order: _cell(row) for row in alike}
        table.add_row(kind, *(cells.get(order, "") for order in orders))
    return table


def _walk(rows: Sequence[Row]) -> Table:
    """Return one line for each register the data may begin a value with."""
    ways = list(dict.fromkeys((row.type, row.order) for row in rows))
    table = Table(box=SIMPLE)
    table.add_column("寄存器 register", justify="right")
    for kind, order in ways:
        table.add_column(f"{kind} {order}", justify="right")
    for at, alike in groupby(rows, key=lambda row: row.at):
        cells = {(row.type, row.order): _cell(row) for row in alike}
        table.add_row(f"+{at}", *(cells.get(way, "") for way in ways))
    return table


def _cell(row: Row) -> str:
    if row.value is None:
        return "-"
    text = escape(repr(row.value) if isinstance(row.value, str) else str(row.value))
    if row.fit is not None:
        times = "" if row.fit == 1 else f" x {row.fit:g}"
        return f"[bold green]{text}{times} <=[/]"
    return f"[dim]{text} ?[/]" if row.doubt == "unlikely" else text
