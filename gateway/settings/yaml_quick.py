"""The tree of a file that has nothing wrong, by the parser written in C.

It takes a tenth of the time of the one in `yaml_source`, which explains what is wrong and is
asked whenever this one meets anything it does not expect. What both read they read alike.
"""

import re
from collections.abc import Iterator
from sys import intern

import yaml
from yaml.events import (
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gateway.settings.node import Node, Scalar
from gateway.settings.problems import Place
from gateway.settings.yaml_words import MAX_DEPTH, UNUSABLE, scalar

_Parser = getattr(yaml, "CLoader", None)
_UNSURE = re.compile(r"^[%\ufeff]|[\t\x85\u2028\u2029\ufeff]", re.MULTILINE)
"""Where YAML 1.1, which the C parser reads, and 1.2 differ, or parsers among themselves."""


class _Unexpected(Exception):
    """The other parser must have a look."""


def quick_tree(text: str, name: str) -> Node | None:
    """Return the tree, None if that takes a closer look."""
    if _Parser is None or _UNSURE.search(text) or UNUSABLE.search(text):
        return None
    events = yaml.parse(text, Loader=_Parser)
    try:
        return _Builder(events, name).document()
    except (_Unexpected, yaml.YAMLError, ValueError, RecursionError):
        return None


class _Builder:
    def __init__(self, events: Iterator[Event], name: str) -> None:
        self._events = events
        self._name = name
        self._places: dict[int, Place] = {}

    def document(self) -> Node:
        for _ in range(2):  # the stream, the document
            self._next()
        root = self._node(self._next(), Place(self._name, 1), 0)
        if not isinstance(next(self._events), DocumentEndEvent):
            raise _Unexpected
        if not isinstance(next(self._events), StreamEndEvent):
            raise _Unexpected
        return root

    def _next(self) -> Event:
        event = next(self._events)
        if isinstance(event, DocumentEndEvent | StreamEndEvent):
            raise _Unexpected
        return event

    def _node(self, event: Event, place: Place, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _Unexpected
        if isinstance(event, ScalarEvent):
            return Node(place, _scalar(event))
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise _Unexpected
        if isinstance(event, MappingStartEvent):
            return Node(place, self._mapping(depth))
        if isinstance(event, SequenceStartEvent):
            return Node(place, self._sequence(depth))
        raise _Unexpected

    def _mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.value in entries:
                raise _Unexpected
            _scalar(event)
            entries[intern(event.value)] = self._node(self._next(), self._place(event), depth + 1)
        return entries

    def _sequence(self, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, self._place(event), depth + 1))
        return tuple(items)

    def _place(self, event: Event) -> Place:
        if event.start_mark is None:
            raise _Unexpected
        line = event.start_mark.line + 1
        return self._places.setdefault(line, Place(self._name, line))


def _scalar(event: ScalarEvent) -> Scalar:
    text = event.value
    if event.anchor or event.tag:
        raise _Unexpected
    if event.style:
        if UNUSABLE.search(text):  # an escape says what the text cannot
            raise _Unexpected
        return str(text)
    return scalar(text)
