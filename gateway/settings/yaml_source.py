"""YAML as a person writes it, with the line of each key.

Promises:

- Whatever the bytes are, the answer is a tree or problems, never another exception.
- At most MAX_BYTES and MAX_DEPTH are read; no aliases, no tags, one document.
- A key that stands twice is a problem, never the last one wins.
- YAML 1.2: ``yes``, ``no`` and ``12:30:00`` are text. A number is one only if JSON
  would write it so too: ``0x1000``, ``00001`` and ``1_000`` stay text as written.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from gateway.settings.node import Node, Scalar
from gateway.settings.problems import Path, Place, Report
from gateway.settings.yaml_quick import quick_tree
from gateway.settings.yaml_words import MAX_DEPTH, UNUSABLE, scalar

__all__ = ["MAX_BYTES", "MAX_PROBLEMS", "explained_tree", "parse", "read", "scalar"]

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 100

_SYNTAX = (
    ("found character '\\t'", "tab"),
    ("mapping values are not allowed", "unexpected_colon"),
    ("could not find expected ':'", "missing_colon"),
    ("while scanning a quoted scalar", "unclosed_quote"),
    ("while parsing a flow", "unclosed_bracket"),
    ("that cannot start any token", "bad_start"),
    ("unknown escape character", "bad_escape"),
    ("expected escape sequence", "bad_escape"),
    ("sequence entries are not allowed", "unexpected_dash"),
    ("while scanning an anchor", "alias"),
    ("while scanning an alias", "alias"),
    ("but found '<scalar>'", "text_after_value"),
    ("but found ']'", "unexpected_bracket"),
    ("but found '}'", "unexpected_bracket"),
    ("but found ','", "unexpected_bracket"),
    ("but found ('}',)", "unexpected_bracket"),
    ("but found (']',)", "unexpected_bracket"),
    ("expected <block end>", "bad_indentation"),
)
"""What the parser says -> what we say about it; the first that fits."""


_LEAKS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the parser lets through on odd input, such as an escape beyond Unicode."""


class _Stop(Exception):
    """The file cannot be read any further; the reason is in the report."""


def read(path: FilePath, name: str, report: Report) -> Node | None:
    """Read one file; None after a problem. ``name`` is how problems call the file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as err:
        report.add("unreadable", Place(name), reason=err.strerror or type(err).__name__)
        return None
    return parse(content, name, report)


def parse(content: bytes, name: str, report: Report) -> Node | None:
    """Turn the bytes of one file into a tree; None after a problem in its writing.

    Of a key that stands twice the first is kept, so that the rest can be checked too.
    """
    whole = Place(name)
    if len(content) > MAX_BYTES:
        report.add("too_big", whole, limit=MAX_BYTES)
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        report.add("not_utf8", Place(name, line), offset=err.start)
        return None
    return quick_tree(text, name) or explained_tree(text, name, report)


def explained_tree(text: str, name: str, report: Report) -> Node | None:
    """Return the tree or say what is wrong, line by line."""
    reader = _Reader(text, name, report)
    try:
        root = reader.document()
    except ReaderError as err:
        line = text.count("\n", 0, err.position) + 1
        report.add("not_text", Place(name, line), character=f"U+{err.character:04X}")
    except YAMLError as err:
        _add_syntax(err, name, report)
    except _Stop:
        pass
    else:
        return root if reader.usable else None
    return None


def _add_syntax(err: YAMLError, name: str, report: Report) -> None:
    mark = getattr(err, "problem_mark", None) or getattr(err, "context_mark", None)
    place = Place(name, mark.line + 1 if mark else 0)
    said = str(err)
    for part, code in _SYNTAX:
        if part in said:
            report.add(code, place)
            return
    report.add("syntax", place, detail=getattr(err, "problem", None) or said)


class _Reader:
    """Builds the tree from the parser's events, one file at a time."""

    def __init__(self, text: str, name: str, report: Report) -> None:
        yaml: Any = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = yaml.parse(text)
        self._name = name
        self._report = report
        self.usable = True
        self._before = len(report)
        self._last = Event(StringMark(name, 0, 0, 0, "", 0))

    def document(self) -> Node:
        """Return the tree of the only document."""
        self._next(StreamStartEvent)
        if isinstance(event := self._event(), StreamEndEvent):
            self._stop("empty", event)
        root = self._node(self._event(), (), Place(self._name, 1))
        self._next(DocumentEndEvent)
        if isinstance(end := self._event(), DocumentStartEvent):
            self._stop("several_documents", end)
        return root

    def _next(self, kind: type[Event]) -> None:
        if not isinstance(event := self._event(), kind):
            self._stop("syntax", event)

    def _refuse(self, code: str, event: Event, path: Path, **fields: str) -> None:
        self._report.add(code, self._place(event), path, **fields)
        self.usable = False

    def _event(self) -> Event:
        if len(self._report) - self._before > MAX_PROBLEMS:
            self._stop("too_many", self._last, MAX_PROBLEMS)
        try:
            self._last = next(self._events)
        except _LEAKS as err:
            self._report.add("syntax", self._place(self._last), detail=str(err))
            raise _Stop from err
        return self._last

    def _stop(self, code: str, event: Event, limit: int = 0) -> None:
        self._report.add(code, self._place(event), detail=type(event).__name__, limit=limit)
        raise _Stop

    def _place(self, event: Event) -> Place:
        return Place(self._name, event.start_mark.line + 1)

    def _node(self, event: Event, path: Path, place: Place) -> Node:
        if len(path) > MAX_DEPTH:
            self._stop("too_deep", event, MAX_DEPTH)
        self._refuse_magic(event, path)
        if isinstance(event, MappingStartEvent):
            return Node(place, self._mapping(path))
        if isinstance(event, SequenceStartEvent):
            return Node(place, self._sequence(path))
        if isinstance(event, ScalarEvent):
            return Node(place, self._scalar(event, path))
        return Node(place, None)

    def _scalar(self, event: ScalarEvent, path: Path) -> Scalar:
        text = str(event.value)
        if found := UNUSABLE.search(text):
            character = f"U+{ord(found[0]):04X}"
            self._refuse("not_text", event, path, character=character)
        return text if event.style else scalar(text)

    def _refuse_magic(self, event: Event, path: Path) -> None:
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            self._refuse("alias", event, path)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse("yaml_tag", event, path, tag=tag)

    def _mapping(self, path: Path) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._event(), MappingEndEvent):
            place = self._place(event)
            if not isinstance(event, ScalarEvent):
                self._node(event, (*path, "?"), place)
                self._node(self._event(), (*path, "?"), place)
                self._refuse("key_not_text", event, path)
                continue
            key = str(event.value)
            self._scalar(event, (*path, key))
            self._refuse_magic(event, (*path, key))
            node = self._node(self._event(), (*path, key), place)
            if key in entries:
                first = entries[key].place.line
                self._report.add("duplicate_key", place, (*path, key), name=key, line=first)
            else:
                entries[key] = node
        return entries

    def _sequence(self, path: Path) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := self._event(), SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), self._place(event)))
        return tuple(items)
