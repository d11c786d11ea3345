"""``millgate browse``: what an OPC UA server has, and a tag list of it.

- Nothing is written to the server and nothing subscribed.
- ``--csv`` writes the list that ``millgate tags import`` takes.
- The exit code is 0 if anything was found, else 1.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drivers.contract import DriverError
from drivers.opcua.browse import BrowsedNode
from gateway.cli.probe import refused_by, said_in_both, targets_of
from gateway.cli.say import refuse, say
from gateway.commission.browsing import look_around, remark_of, tag_rows, wanted
from gateway.commission.target import NoTarget
from gateway.tags.files import form_of, write
from gateway.tags.messages import SheetError
from gateway.tags.trial import replace

PIPED_WIDTH = 200
_HEADINGS = ("节点 node", "类型 type", "访问 access", "值 value", "NodeId", "说明 description")


@dataclass(frozen=True, slots=True)
class Options:
    """Where to begin and what to show."""

    node: str | None = None
    depth: int = 3
    text: str = ""
    csv: Path | None = None
    everything: bool = False
    max_nodes: int = 10_000
    as_json: bool = False


def run(target: str, link: str | None, options: Options, *, out: TextIO | None = None) -> int:
    """Print what there is, write it as a list; return the exit code."""
    stream = out or sys.stdout
    try:
        targets = targets_of(target, link)
        found = asyncio.run(
            look_around(targets, options.node, depth=options.depth, max_nodes=options.max_nodes)
        )
    except NoTarget as err:
        return refuse(*said_in_both(err.said))
    except DriverError as err:
        return refused_by(err)
    everything = options.everything or options.node is not None
    nodes = wanted(found.nodes, text=options.text, everything=everything)
    if options.as_json:
        stream.write(orjson.dumps(nodes).decode() + "\n")
    elif options.csv is None:
        _show(nodes, stream)
    if not found.complete:
        say(
            f"超过 {options.max_nodes} 个节点，没有列完：用 --node 从里面开始，或加大 --max",
            f"there are more than {options.max_nodes} nodes; begin further in with --node, or"
            " raise --max",
            out=sys.stderr,
        )
    if options.csv is not None and not _write(nodes, options.csv):
        return 1
    return 0 if nodes else 1


def _write(nodes: Sequence[BrowsedNode], file: Path) -> bool:
    rows = tag_rows(nodes)
    try:
        replace(file, write(rows, form_of(file.name)))
    except SheetError as err:
        refuse(err.text["zh"], err.text["en"])
        return False
    except OSError as err:
        refuse(f"无法写入：{err}", f"cannot be written: {err}")
        return False
    say(
        f"已写入 {file}，{len(rows) - 1} 个点位；"
        f"导入：millgate tags import DIR {file} --equipment 设备",
        f"written: {file}, tags: {len(rows) - 1}; to take them in: "
        f"millgate tags import DIR {file} --equipment CODE",
        out=sys.stderr,
    )
    return True


def _show(nodes: Sequence[BrowsedNode], stream: TextIO) -> None:
    width = None if stream.isatty() else PIPED_WIDTH
    console = Console(file=stream, highlight=False, width=width)
    table = Table(box=SIMPLE)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for node in nodes:
        access = "r" * node.readable + "w" * node.writable + "e" * node.notifier
        table.add_row(
            "  " * (node.depth - 1) + escape(node.name),
            node.type,
            access,
            _value(node),
            escape(node.node),
            escape(remark_of(node)),
        )
    console.print(table)


def _value(node: BrowsedNode) -> str:
    if node.kind == "object":
        return ""
    return escape(str(node.value)) if node.cause is None else f"[dim]{escape(node.cause)}[/]"
