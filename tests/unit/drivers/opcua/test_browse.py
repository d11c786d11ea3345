"""Paging and servers with few continuation points; the rest is proved on a real server."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua import uaerrors

from drivers.opcua.browse import _Walk
from drivers.opcua.limits import Limits

START = ua.NodeId(85)


def node(name: str) -> ua.NodeId:
    return ua.NodeId(name, 2)


class Services:
    """A server that gives two references at a time and has few continuation points."""

    def __init__(self, tree: Mapping[str, Sequence[str]], *, points: int) -> None:
        self.tree = {START if not name else node(name): list(names) for name, names in tree.items()}
        self.points = points
        self.held: dict[bytes, list[str]] = {}
        self.asked: list[int] = []

    async def browse(self, parameters: ua.BrowseParameters) -> list[ua.BrowseResult]:
        self.asked.append(len(parameters.NodesToBrowse))
        return [self._page(self.tree.get(one.NodeId, [])) for one in parameters.NodesToBrowse]

    async def browse_next(self, parameters: ua.BrowseNextParameters) -> list[ua.BrowseResult]:
        [point] = parameters.ContinuationPoints
        left = self.held.pop(point)
        return [ua.BrowseResult() if parameters.ReleaseContinuationPoints else self._page(left)]

    def _page(self, names: Sequence[str]) -> ua.BrowseResult:
        result = ua.BrowseResult()
        if len(names) > 2:
            if len(self.held) >= self.points:
                result.StatusCode = ua.StatusCode(ua.StatusCodes.BadNoContinuationPoints)
                return result
            result.ContinuationPoint = names[2].encode()
            self.held[names[2].encode()] = list(names[2:])
        result.References = [_reference(name) for name in names[:2]]
        return result


def _reference(name: str) -> ua.ReferenceDescription:
    reference = ua.ReferenceDescription()
    reference.NodeId = ua.ExpandedNodeId(name, 2)
    reference.BrowseName = ua.QualifiedName(name, 2)
    reference.DisplayName = ua.LocalizedText(name)
    reference.NodeClass = ua.NodeClass.Object
    return reference


class Connection:
    def __init__(self, services: Services, limits: Limits) -> None:
        self.services = services
        self.limits = limits


async def walk(
    services: Services, *, depth: int, max_nodes: int = 1000, browse_size: int = 0
) -> tuple[list[str], bool]:
    connection: Any = Connection(services, Limits(nodes_per_browse=browse_size))
    found, complete = await _Walk(connection, max_nodes).run(START, depth)
    return [one.name for one in found], complete


TREE = {"": list("abcde"), "a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"], "c": ["a", "c1"]}


@pytest.mark.parametrize("points", [1, 2, 100])
async def test_pages_are_asked_for_to_the_end_however_few_there_may_be(points: int) -> None:
    services = Services(TREE, points=points)
    names, complete = await walk(services, depth=2)
    assert names[:5] == list("abcde")
    assert sorted(names[5:]) == ["a1", "a2", "a3", "b1", "b2", "b3", "c1"]
    assert complete
    assert services.held == {}


async def test_a_node_that_is_reached_twice_is_listed_once() -> None:
    names, _ = await walk(Services({"": ["a"], "a": ["b"], "b": ["a", ""]}, points=9), depth=9)
    assert names == ["a", "b", ""]


async def test_what_is_left_out_is_said_and_its_page_given_back() -> None:
    services = Services(TREE, points=9)
    names, complete = await walk(services, depth=3, max_nodes=3)
    assert (names, complete) == (["a", "b", "c"], False)
    assert services.held == {}


async def test_requests_stay_within_the_limit_of_the_server() -> None:
    services = Services(TREE, points=9)
    await walk(services, depth=2, browse_size=2)
    assert services.asked == [1, 2, 2, 1]


async def test_a_start_that_is_refused_is_an_error() -> None:
    services = Services({"": list("abc")}, points=0)
    with pytest.raises(uaerrors.BadNoContinuationPoints):
        await walk(services, depth=1)
