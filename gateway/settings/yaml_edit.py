"""Change the tags of an equipment file as a person would: the rest stays as it was written.

Promises:

- Lines about other things keep every byte; a changed tag keeps its comments.
- What comes out means exactly what was asked, by the reader that will read it; else nothing
  comes out.
"""

import io
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from gateway.settings.node import Node, plain
from gateway.settings.problems import Report
from gateway.settings.yaml_source import parse, scalar

_WIDE = 1_000_000
_FLOW_DEPTH = 2
_PLAIN = re.compile(r"\w(?:[\w./+% -]|:(?=\w))*(?<! )")
"""Texts that need no quotes wherever they stand."""


class Uneditable(ValueError):
    """The file is written in a way that cannot be changed safely."""


def with_tags(text: str, tags: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an equipment file whose ``tags`` of these names are as given; others stay.

    Raises Uneditable.
    """
    root = _tree(text)
    wanted = _plain(root)
    wanted["tags"] = {**(wanted.get("tags") or {}), **tags}
    for way in (_by_lines, _by_tree):
        try:
            result = way(text, root, tags)
            if _plain(_tree(result)) == wanted:
                return result
        except (YAMLError, Uneditable, LookupError, ValueError, TypeError, AttributeError):
            continue
    raise Uneditable("the tags cannot be written into this file")


def document(content: Mapping[str, Any]) -> str:
    """Return a new file; what is small stands on one line. Raises Uneditable."""
    text = _dumped({key: _styled(value, 1) for key, value in content.items()})
    if _plain(_tree(text)) != content:
        raise Uneditable("this cannot be written as YAML")
    return text


def _tree(text: str) -> Node:
    root = parse(text.encode(), "", Report())
    if root is None or not isinstance(root.value, Mapping):
        raise Uneditable("not a mapping")
    return root


def _plain(root: Node) -> dict[str, Any]:
    return dict(plain(root))


def _by_lines(text: str, root: Node, tags: Mapping[str, Mapping[str, Any]]) -> str:
    """Replace and append lines below ``tags:``."""
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    present = root.entries["tags"].entries
    first = lines[min(node.place.line for node in present.values()) - 1]
    indent = re.match(r" *", first)[0]  # type: ignore[index]
    if root.entries["tags"].place.line == min(n.place.line for n in present.values()) or not indent:
        raise Uneditable("not one tag a line")
    starts = {name: node.place.line - 1 for name, node in present.items()}
    ends = {name: _end(lines, start, len(indent)) for name, start in starts.items()}
    new = [line for name, tag in tags.items() if name not in starts for line in _lines(name, tag)]
    last = max(ends.values())
    lines[last:last] = [indent + line for line in new]
    for name in sorted(starts.keys() & tags.keys(), key=lambda name: -starts[name]):
        block = [line[len(indent) :] for line in lines[starts[name] : ends[name]]]
        changed = _changed("\n".join(block), name, tags[name], plain(present[name])).splitlines()
        lines[starts[name] : ends[name]] = [indent + line if line else "" for line in changed]
    return end_of_line.join(lines) + end_of_line


def _end(lines: list[str], start: int, indent: int) -> int:
    """Return the line after the last one of the entry that begins at ``start``."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if not line or line.startswith("#"):
            continue
        if len(lines[number]) - len(lines[number].lstrip(" ")) <= indent:
            break
        end = number + 1
    return end


def _lines(name: str, tag: Mapping[str, Any]) -> list[str]:
    return _dumped({name: _styled(tag, _FLOW_DEPTH)}).splitlines()


def _by_tree(text: str, root: Node, tags: Mapping[str, Mapping[str, Any]]) -> str:
    """Let the YAML library rewrite the whole file."""
    tree = _loaded(text)
    if tree.get("tags") is None:
        tree["tags"] = CommentedMap()
    _update(tree["tags"], tags, _plain(root).get("tags") or {})
    return _dumped(tree)


def _changed(text: str, name: str, tag: Mapping[str, Any], old: Any) -> str:
    tree = _loaded(text)
    _update(tree, {name: tag}, {name: old})
    return _dumped(tree)


def _update(
    tree: MutableMapping[str, Any], wanted: Mapping[str, Any], old: Mapping[str, Any]
) -> None:
    """Write into ``tree`` what differs from ``old``, which is what it means to our reader."""
    for name, value in wanted.items():
        before, node = old.get(name), tree.get(name)
        if isinstance(node, MutableMapping) and isinstance(value, Mapping):
            for gone in [key for key in node if key not in value]:
                del node[gone]
            _update(node, value, before or {})
        elif name not in old or before != value or type(before) is not type(value):
            tree[name] = _styled(value, _FLOW_DEPTH)


def _styled(value: Any, depth: int) -> Any:
    """Return a value for the writer: quoted where its text reads as something else."""
    if isinstance(value, Mapping):
        found = CommentedMap((key, _styled(inner, depth + 1)) for key, inner in value.items())
        if depth >= _FLOW_DEPTH:
            found.fa.set_flow_style()
        return found
    if isinstance(value, list | tuple):
        return [_styled(inner, _FLOW_DEPTH) for inner in value]
    if isinstance(value, str) and (scalar(value) != value or not _PLAIN.fullmatch(value)):
        return DoubleQuotedScalarString(value)
    return value


def _loaded(text: str) -> Any:
    return _yaml().load(text)


def _yaml() -> Any:
    yaml: Any = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDE
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(tree: Any) -> str:
    out = io.StringIO()
    _yaml().dump(tree, out)
    return out.getvalue()
