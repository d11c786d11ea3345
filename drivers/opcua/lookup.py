"""Where nodes are in this session: namespaces by index, browse paths by node id."""

from collections.abc import Mapping, Sequence

from drivers.opcua.limits import chunks
from drivers.opcua.nodes import NodeRef
from drivers.opcua.paths import PathRef, Step
from drivers.opcua.services import Connection, Place


async def look_up(
    connection: Connection, nodes: Mapping[str, NodeRef | PathRef]
) -> dict[str, Place]:
    """Return where the nodes are now, by key; one that is nowhere is left out.

    A node id counts as found when its namespace is there. Raises DriverError.
    """
    namespaces = await connection.namespaces()
    places: dict[str, Place] = {}
    paths: dict[str, Sequence[Step]] = {}
    for key, node in nodes.items():
        if isinstance(node, PathRef):
            steps = node.in_session(namespaces)
            if steps is not None:
                paths[key] = steps
        else:
            index = node.index(namespaces)
            if index is not None:
                places[key] = Place(index, node.identifier)
    for piece in chunks(list(paths), connection.limits.path_size):
        answer = await connection.resolve([paths[key] for key in piece])
        found = zip(piece, answer, strict=True)
        places |= {key: place for key, place in found if place is not None}
    return places
