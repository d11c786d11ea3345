"""A configuration as a tree that remembers where each part was written.

Promises:

- A merged tree keeps the place of each part in the file it came from.
- `locate` always finds a place: of the part itself or of what should have held it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.settings.problems import Path, Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line of its key (or of its list item)."""

    place: Place
    value: "Scalar | Mapping[str, Node] | tuple[Node, ...]"

    @property
    def entries(self) -> "Mapping[str, Node]":
        """The entries of a mapping; none where it is something else."""
        return self.value if isinstance(self.value, Mapping) else {}

    def without(self, *keys: str) -> "Node":
        """Return this mapping less some of its keys."""
        return Node(self.place, {k: v for k, v in self.entries.items() if k not in keys})


def plain(node: Node) -> Any:
    """Return the value as dictionaries, lists and scalars."""
    if isinstance(node.value, Mapping):
        return {key: plain(entry) for key, entry in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    return node.value


def find(root: Node, path: Path) -> Node | None:
    """Return the node at ``path``, None where there is none."""
    node = root
    for part in path:
        below = _step(node, part)
        if below is None:
            return None
        node = below
    return node


def locate(root: Node, path: Path) -> Place:
    """Return the place of ``path`` or of the nearest part above it that exists."""
    node = root
    for part in path:
        below = _step(node, part)
        if below is None:
            break
        node = below
    return node.place


def merged(under: Node, over: Node) -> Node:
    """Lay ``over`` upon ``under``: mappings key by key, anything else replaces.

    A null in ``over`` takes the key away.
    """
    if not (isinstance(under.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    entries = dict(under.value)
    for key, entry in over.value.items():
        if entry.value is None and key in entries:
            del entries[key]
        else:
            entries[key] = merged(entries[key], entry) if key in entries else entry
    return Node(over.place, entries)


def _step(node: Node, part: str | int) -> Node | None:
    if isinstance(node.value, Mapping):
        return node.value.get(str(part))
    if isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    return None
