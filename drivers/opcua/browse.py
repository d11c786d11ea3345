"""Looks around in a server's address space: what nodes there are, and what they hold.

Promises:

- Each node is listed once, the nearer to the start the earlier, and never more than
  ``max_nodes``; what is left out is said.
- Pages a server gives are asked for to the end, a few nodes at a time, since servers have
  few continuation points; a node refused for that is asked for again alone.
- Requests stay within the server's limits. Nothing is written and nothing subscribed.
- A node is named as the settings of a tag write it: by namespace URI, and by path.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from asyncua import ua
from asyncua.client.ua_session import UaSession

from drivers.clock import utc_now
from drivers.contract import Value
from drivers.opcua.client import connect
from drivers.opcua.connection import Connection
from drivers.opcua.convert import Scaling, convert, mended
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.limits import chunks, smaller
from drivers.opcua.node_facts import FACTS, Facts, facts_of, type_names
from drivers.opcua.nodes import NodeRef, parse
from drivers.opcua.paths import PathStep
from drivers.opcua.settings import LinkSettings
from drivers.opcua.wire import raw

Kind = Literal["object", "variable"]
MAX_DEPTH = 32
_AT_ONCE = 20
_PAGE = 1000
_OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_BELOW = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
_NO_POINTS = ua.StatusCodes.BadNoContinuationPoints


@dataclass(frozen=True, slots=True)
class BrowsedNode:
    """One node as a person looks at it."""

    node: str
    """As a tag's ``node`` is written."""
    path: str
    """As a tag's ``path`` is written; from the start of the browse where that was not given."""
    name: str
    kind: Kind
    depth: int
    """1 is a child of the start."""
    type: str = ""
    """Of the value; ``[]`` after it: an array."""
    value: Value | None = None
    cause: str | None = None
    """Why there is no value, in a word of `drivers.contract.CAUSES` where one fits."""
    readable: bool = False
    writable: bool = False
    notifier: bool = False
    """Whether it tells events, so that ``conditions`` may name it."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Browsed:
    """What was found."""

    nodes: Sequence[BrowsedNode]
    complete: bool
    """False: there is more, beyond ``max_nodes``."""


@dataclass(frozen=True, slots=True)
class _Found:
    id: ua.NodeId
    steps: tuple[ua.QualifiedName, ...]
    name: str
    kind: Kind


async def browse(
    link: LinkSettings,
    node: str | None = None,
    *,
    depth: int = 1,
    max_nodes: int = 1000,
    now: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> Browsed:
    """Return the nodes below ``node``, or below the Objects folder.

    Raises DriverError, and BadSetting for a node that is none.
    """
    start = None if node is None else parse(node)
    async with connect(link, now=now, monotonic=monotonic) as connection:
        namespaces = await connection.namespaces()
        with as_driver_errors(link.endpoint):
            below, complete = await _Walk(connection, max_nodes).run(
                _start(start, namespaces), min(depth, MAX_DEPTH)
            )
            facts = await _facts(connection, [found.id for found in below])
    described = [
        _described(found, known, namespaces) for found, known in zip(below, facts, strict=True)
    ]
    return Browsed(described, complete)


def _start(node: NodeRef | None, namespaces: Sequence[str]) -> ua.NodeId:
    if node is None:
        return _OBJECTS
    index = node.index(namespaces)
    return ua.NodeId(node.identifier, len(namespaces) if index is None else index)


class _Walk:
    """Level by level through the hierarchy."""

    def __init__(self, connection: Connection, max_nodes: int) -> None:
        self._services: UaSession = connection.services
        self._size = smaller(connection.limits.browse_size, _AT_ONCE)
        self._max_nodes = max_nodes
        self._found: list[_Found] = []
        self._seen: set[ua.NodeId] = set()
        self.complete = True

    async def run(self, start: ua.NodeId, depth: int) -> tuple[list[_Found], bool]:
        self._seen.add(start)
        level = [_Found(start, (), "", "object")]
        for _ in range(depth):
            first_new = len(self._found)
            for piece in chunks(level, self._size):
                await self._children(piece)
            level = self._found[first_new:]
        return self._found, self.complete

    async def _children(self, parents: Sequence[_Found]) -> None:
        results = await self._services.browse(_request([one.id for one in parents]))
        again: list[_Found] = []
        for parent, result in zip(parents, results, strict=True):
            if not parent.steps and not result.StatusCode.is_good():
                result.StatusCode.check()
            if result.StatusCode.value == _NO_POINTS and len(parents) > 1:
                again.append(parent)
            else:
                await self._pages(parent, result)
        for parent in again:
            await self._children([parent])

    async def _pages(self, parent: _Found, result: ua.BrowseResult) -> None:
        self._take(parent, result.References or ())
        while result.ContinuationPoint:
            following = ua.BrowseNextParameters()
            following.ContinuationPoints = [result.ContinuationPoint]
            following.ReleaseContinuationPoints = not self.complete
            [result] = await self._services.browse_next(following)
            self._take(parent, result.References or ())

    def _take(self, parent: _Found, references: Sequence[ua.ReferenceDescription]) -> None:
        for reference in references:
            id_ = ua.NodeId(reference.NodeId.Identifier, reference.NodeId.NamespaceIndex)
            if id_ in self._seen:
                continue
            if len(self._found) >= self._max_nodes:
                self.complete = False
                return
            self._seen.add(id_)
            steps = (*parent.steps, reference.BrowseName)
            name = reference.DisplayName.Text or reference.BrowseName.Name or ""
            variable = reference.NodeClass == ua.NodeClass.Variable
            self._found.append(_Found(id_, steps, name, "variable" if variable else "object"))


def _request(nodes: Sequence[ua.NodeId]) -> ua.BrowseParameters:
    parameters = ua.BrowseParameters()
    parameters.RequestedMaxReferencesPerNode = _PAGE
    for node in nodes:
        asked = ua.BrowseDescription()
        asked.NodeId = node
        asked.BrowseDirection = ua.BrowseDirection.Forward
        asked.ReferenceTypeId = _BELOW
        asked.IncludeSubtypes = True
        asked.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
        asked.ResultMask = ua.BrowseResultMask.All
        parameters.NodesToBrowse.append(asked)
    return parameters


async def _facts(connection: Connection, nodes: Sequence[ua.NodeId]) -> list[Facts]:
    """Return what the attributes of the nodes say, in order."""
    facts: list[Facts] = []
    for piece in chunks(nodes, max(connection.limits.read_size // len(FACTS), 1)):
        asked = ua.ReadParameters()
        asked.NodesToRead = [
            ua.ReadValueId(node, attribute) for node in piece for attribute in FACTS
        ]
        answers = await connection.services.read(asked)
        facts += [facts_of(part) for part in chunks(answers, len(FACTS))]
    types = sorted({one.data_type for one in facts if one.data_type}, key=str)
    names: dict[ua.NodeId, str] = {}
    for some in chunks(types, connection.limits.read_size):
        names |= await type_names(connection.services, some)
    return [replace(one, type=names.get(one.data_type, "")) for one in facts]


def _described(found: _Found, facts: Facts, namespaces: Sequence[str]) -> BrowsedNode:
    uri = _namespace(found.id.NamespaceIndex, namespaces)
    steps = (PathStep(_namespace(s.NamespaceIndex, namespaces), s.Name) for s in found.steps)
    node = BrowsedNode(
        node=mended(str(NodeRef(uri, found.id.Identifier))),
        path=mended("/".join(map(str, steps))),
        name=mended(found.name),
        kind=found.kind,
        depth=len(found.steps),
        notifier=facts.notifier,
        description=mended(facts.description),
    )
    if found.kind == "object":
        return node
    held = raw(0, facts.value)
    sample = convert(held.value, held.status, Scaling())
    return replace(
        node,
        type=facts.type + ("[]" if facts.array else ""),
        value=sample.value,
        cause=sample.cause,
        readable=facts.readable,
        writable=facts.writable,
    )


def _namespace(index: int, namespaces: Sequence[str]) -> str | int:
    return namespaces[index] if 0 < index < len(namespaces) else index
