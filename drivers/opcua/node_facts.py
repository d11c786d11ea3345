"""The attributes of a node that a person wants to see, read in the library's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.client.ua_session import UaSession

from drivers.opcua.wire import has_value

FACTS: Sequence[ua.AttributeIds] = (
    ua.AttributeIds.Value,
    ua.AttributeIds.DataType,
    ua.AttributeIds.ValueRank,
    ua.AttributeIds.UserAccessLevel,
    ua.AttributeIds.EventNotifier,
    ua.AttributeIds.Description,
)
_READ, _WRITE = 1, 2  # Part 3, 8.57
_EVENTS = 1  # Part 3, 8.59
_BUILT_IN = 25
"""Types up to this number in the namespace of OPC UA are its own (Part 6, 5.1.2)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the attributes say; one a node does not have says nothing."""

    value: ua.DataValue
    data_type: ua.NodeId | None
    array: bool
    readable: bool
    writable: bool
    notifier: bool
    description: str
    type: str = ""
    """The name of the data type, where somebody looked it up."""


def facts_of(answers: Sequence[ua.DataValue]) -> Facts:
    """Return what the answers to `FACTS` say of one node."""
    value, *others = answers
    plain = [one.Value.Value if has_value(one) else None for one in others]
    data_type, rank, access, notifies, description = plain
    text = description.Text if isinstance(description, ua.LocalizedText) else None
    return Facts(
        value=value,
        data_type=data_type if isinstance(data_type, ua.NodeId) else None,
        array=isinstance(rank, int) and rank >= 0,
        readable=_has(access, _READ),
        writable=_has(access, _WRITE),
        notifier=_has(notifies, _EVENTS),
        description=text or "",
    )


async def type_names(services: UaSession, types: Sequence[ua.NodeId]) -> dict[ua.NodeId, str]:
    """Return how data types are called. Raises what the library raises."""
    own = {node for node in types if node.NamespaceIndex == 0 and _is_built_in(node.Identifier)}
    names = {node: ua.VariantType(node.Identifier).name for node in own}
    others = [node for node in types if node not in own]
    if others:
        answers = await services.read_attributes(others, ua.AttributeIds.BrowseName)
        for node, answer in zip(others, answers, strict=True):
            names[node] = answer.Value.Value.Name if has_value(answer) else str(node)
    return names


def _is_built_in(identifier: object) -> bool:
    return isinstance(identifier, int) and 0 < identifier <= _BUILT_IN


def _has(bits: object, bit: int) -> bool:
    return isinstance(bits, int) and bool(bits & bit)
