"""Follows browse paths in the address space, in the library's words."""

from collections.abc import Sequence

from asyncua import ua
from asyncua.client.ua_session import UaSession

from drivers.opcua.paths import Step

_OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_BELOW = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
_MOST_CHILDREN = 2
"""Enough to see that a child is not the only one."""


async def follow(services: UaSession, paths: Sequence[Sequence[Step]]) -> list[ua.NodeId | None]:
    """Return the node at the end of each path; None: nowhere, or to many.

    Raises what the library raises.
    """
    fixed = [number for number, path in enumerate(paths) if not any(s.any for s in path)]
    found: list[ua.NodeId | None] = [None] * len(paths)
    answers = await _translate(services, [(_OBJECTS, paths[number]) for number in fixed])
    for number, node in zip(fixed, answers, strict=True):
        found[number] = node
    for number, path in enumerate(paths):
        if number not in fixed:
            found[number] = await _search(services, path)
    return found


async def _search(services: UaSession, path: Sequence[Step]) -> ua.NodeId | None:
    """Go down a path that has a step without a name."""
    node: ua.NodeId | None = _OBJECTS
    named: list[Step] = []
    for step in path:
        if not step.any:
            named.append(step)
            continue
        if named and node is not None:
            [node] = await _translate(services, [(node, named)])
        named = []
        node = None if node is None else await _only_child(services, node)
    if node is None:
        return None
    [node] = await _translate(services, [(node, named)])
    return node


async def _translate(
    services: UaSession, paths: Sequence[tuple[ua.NodeId, Sequence[Step]]]
) -> list[ua.NodeId | None]:
    if not paths:
        return []
    asked = []
    for start, steps in paths:
        path = ua.BrowsePath()
        path.StartingNode = start
        path.RelativePath.Elements = [_element(step) for step in steps]
        asked.append(path)
    results = await services.translate_browsepaths_to_nodeids(asked)
    return [_only_target(result) for result in results]


def _element(step: Step) -> ua.RelativePathElement:
    element = ua.RelativePathElement()
    element.ReferenceTypeId = _BELOW
    element.IsInverse = False
    element.IncludeSubtypes = True
    element.TargetName = ua.QualifiedName(step.name, step.namespace)
    return element


def _only_target(result: ua.BrowsePathResult) -> ua.NodeId | None:
    targets = result.Targets or []
    if not result.StatusCode.is_good() or len(targets) != 1:
        return None
    target: ua.NodeId = targets[0].TargetId
    return ua.NodeId(target.Identifier, target.NamespaceIndex)


async def _only_child(services: UaSession, node: ua.NodeId) -> ua.NodeId | None:
    parameters = ua.BrowseParameters()
    parameters.RequestedMaxReferencesPerNode = _MOST_CHILDREN
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = _BELOW
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.NodeClass.Object
    description.ResultMask = 0
    parameters.NodesToBrowse = [description]
    [result] = await services.browse(parameters)
    if result.ContinuationPoint:
        given_up = ua.BrowseNextParameters()
        given_up.ReleaseContinuationPoints = True
        given_up.ContinuationPoints = [result.ContinuationPoint]
        await services.browse_next(given_up)
    references = result.References or []
    if len(references) != 1 or result.ContinuationPoint:
        return None
    child = references[0].NodeId
    return ua.NodeId(child.Identifier, child.NamespaceIndex)
