"""What an OPC UA server has, as rows for a person and as a tag list.

- What every server has of its own (its diagnostics, the properties of a variable) is left
  out unless it is asked for.
- The list holds what can be read as a tag: variables that may be read and hold one value.
- Names of tags are made of the node's path, each once, the same each time.
"""

import re
from collections.abc import Iterable, Sequence

from drivers.contract import BadSetting
from drivers.opcua.browse import MAX_DEPTH, Browsed, BrowsedNode, browse
from drivers.opcua.settings import LinkSettings
from gateway.commission.target import NoTarget, Target
from gateway.settings.words import NAME_PATTERN

HEADER = ("tag", "name", "node", "type", "unit", "remark")
"""Columns of `millgate tags import`."""
MAX_NAME = 40
_OWN = re.compile(r"(0:)?(Server|Aliases|Locations)(/|$)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STEP = re.compile(r"^(?:\{[^}]*\}|\d+:)?(.*)$")


async def look_around(
    targets: Sequence[Target], node: str | None, *, depth: int, max_nodes: int
) -> Browsed:
    """Browse the first OPC UA link, from ``node`` or the Objects folder on.

    Raises DriverError, and NoTarget for a node that is none.
    """
    links = [one.settings for one in targets if isinstance(one.settings, LinkSettings)]
    if not links:
        raise NoTarget("only_opcua", protocol=targets[0].spec.protocol)
    try:
        return await browse(links[0], node, depth=min(depth, MAX_DEPTH), max_nodes=max_nodes)
    except BadSetting as err:
        fields = {**err.fields, "reason": err.problem, "hint": err.hint}
        raise NoTarget(err.code, **fields) from None


def wanted(
    nodes: Iterable[BrowsedNode], *, text: str = "", everything: bool = False
) -> list[BrowsedNode]:
    """Return the nodes to show: those with ``text`` in them, in order of their paths."""
    variables: set[str] = set()
    found: list[BrowsedNode] = []
    for node in nodes:
        if node.kind == "variable":
            variables.add(node.path)
        parent = node.path.rpartition("/")[0]
        if everything or not (_OWN.match(node.path) or parent in variables):
            found.append(node)
    looked_for = text.casefold()
    hits = [
        node for node in found if looked_for in f"{node.path} {node.node} {node.name}".casefold()
    ]
    return sorted(hits, key=lambda node: node.path)


def tag_rows(nodes: Iterable[BrowsedNode]) -> list[tuple[str, ...]]:
    """Return the rows of a tag list, the header first."""
    rows: list[tuple[str, ...]] = [HEADER]
    taken: set[str] = set()
    for node in nodes:
        if node.kind == "variable" and node.readable and not node.type.endswith("[]"):
            tag = _name(node.path, taken)
            rows.append((tag, node.name, node.node, node.type, "", remark_of(node)))
    return rows


def remark_of(node: BrowsedNode) -> str:
    """Return what a node says of itself beside its name."""
    return "" if node.description == node.name else node.description


def _name(path: str, taken: set[str]) -> str:
    """Return a tag's name: of the last step of a path, of more of them where that is taken."""
    steps = [_bare(step) for step in path.split("/")]
    for size in range(min(2, len(steps)), len(steps) + 1):
        name = _slug(steps[-size:])
        if name not in taken:
            break
    number = 2
    while name in taken:
        tail = f"_{number}"
        name, number = f"{name[: MAX_NAME - len(tail)]}{tail}", number + 1
    taken.add(name)
    return name


def _bare(step: str) -> str:
    match = _STEP.match(step)
    return match[1] if match else step


def _slug(steps: Sequence[str]) -> str:
    apart = _HUMP.sub("_", "_".join(steps))
    words = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
    name = words[-MAX_NAME:].strip("_") or "node"
    name = f"t{name}"[:MAX_NAME] if name[0].isdigit() else name
    return name if re.fullmatch(NAME_PATTERN, name) else "node"
