from collections.abc import Sequence

from asyncua import ua

from drivers.opcua.paths import Step
from drivers.opcua.walk import follow

MACHINES = (Step(2, "Machines"), Step(0, "*", any=True), Step(2, "State"))


class Services:
    """A server with one folder of machines; a page holds one reference."""

    def __init__(self, machines: Sequence[str]) -> None:
        self.machines = machines
        self.given_back: list[bytes] = []

    async def translate_browsepaths_to_nodeids(
        self, paths: Sequence[ua.BrowsePath]
    ) -> list[ua.BrowsePathResult]:
        return [self._target(path) for path in paths]

    def _target(self, path: ua.BrowsePath) -> ua.BrowsePathResult:
        names = [element.TargetName.Name for element in path.RelativePath.Elements]
        result = ua.BrowsePathResult()
        if names[0] == "nowhere":
            result.StatusCode = ua.StatusCode(ua.StatusCodes.BadNoMatch)
            return result
        start = path.StartingNode.Identifier
        for double in range(2 if names == ["twice"] else 1):
            target = ua.BrowsePathTarget()
            target.TargetId = ua.ExpandedNodeId("/".join([str(start), *names]) + "'" * double, 2)
            result.Targets.append(target)
        return result

    async def browse(self, _: ua.BrowseParameters) -> list[ua.BrowseResult]:
        result = ua.BrowseResult()
        result.References = []
        for name in self.machines[:1]:
            reference = ua.ReferenceDescription()
            reference.NodeId = ua.ExpandedNodeId(name, 2)
            result.References.append(reference)
        if len(self.machines) > 1:
            result.ContinuationPoint = b"more"
        return [result]

    async def browse_next(self, parameters: ua.BrowseNextParameters) -> list[ua.BrowseResult]:
        assert parameters.ReleaseContinuationPoints
        self.given_back += parameters.ContinuationPoints
        return [ua.BrowseResult()]


async def ends(services: Services, *paths: Sequence[Step]) -> list[str | None]:
    found = await follow(services, paths)
    return [None if node is None else str(node.Identifier) for node in found]


async def test_each_path_has_its_own_end() -> None:
    services = Services(["press-07"])
    assert await ends(
        services, (Step(2, "a"),), (Step(0, "nowhere"),), MACHINES, (Step(2, "twice"),)
    ) == ["85/a", None, "press-07/State", None]
    assert await ends(services) == []


async def test_a_place_with_several_nodes_leads_nowhere_and_its_page_is_given_back() -> None:
    services = Services(["press-07", "press-08"])
    assert await ends(services, MACHINES) == [None]
    assert services.given_back == [b"more"]


async def test_an_empty_place_and_a_path_that_breaks_before_lead_nowhere() -> None:
    assert await ends(Services([]), MACHINES) == [None]
    broken = (Step(0, "nowhere"), *MACHINES)
    assert await ends(Services(["press-07"]), broken) == [None]
