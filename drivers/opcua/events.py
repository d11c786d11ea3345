"""What is asked of an event, and what it says of a condition, in the library's words.

Fields: OPC UA Part 9, 5.5.2 (ConditionType) and 5.8.2 (AlarmConditionType).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from asyncua import ua

from drivers.opcua.alarms import Notice, What
from drivers.opcua.convert import mended

_BASE = ua.NodeId(ua.ObjectIds.BaseEventType)
_CONDITION = ua.NodeId(ua.ObjectIds.ConditionType)
_ALARM = ua.NodeId(ua.ObjectIds.AlarmConditionType)
_FIELDS: Sequence[tuple[ua.NodeId, Sequence[str]]] = (
    (_BASE, ("EventType",)),
    (_BASE, ("SourceName",)),
    (_BASE, ("Time",)),
    (_BASE, ("Message",)),
    (_BASE, ("Severity",)),
    (_CONDITION, ()),  # the NodeId attribute: ConditionId
    (_CONDITION, ("ConditionName",)),
    (_CONDITION, ("BranchId",)),
    (_CONDITION, ("Retain",)),
    (_ALARM, ("ActiveState", "Id")),
)
_WHAT: dict[int, What] = {
    ua.ObjectIds.RefreshStartEventType: "refresh_began",
    ua.ObjectIds.RefreshEndEventType: "refresh_ended",
    ua.ObjectIds.RefreshRequiredEventType: "refresh_needed",
    ua.ObjectIds.EventQueueOverflowEventType: "overflow",
}


def event_filter() -> ua.EventFilter:
    """Return what an event item is asked for with: every event, these fields."""
    asked = ua.EventFilter()
    asked.SelectClauses = [_operand(of, path) for of, path in _FIELDS]
    return asked


def notice(fields: Sequence[ua.Variant]) -> Notice:
    """Return what an event says; one that is about no condition has no id."""
    values = [field.Value for field in fields] + [None] * (len(_FIELDS) - len(fields))
    kind, source, at, message, severity, condition, name, branch, retain, active = values
    return Notice(
        what=_what(kind),
        id="" if _is_null(condition) else mended(condition.to_string()),
        branch=not _is_null(branch),
        name=_text(name),
        source=_text(source),
        text=_text(message),
        locale=getattr(message, "Locale", None) or "",
        severity=severity if isinstance(severity, int) else 0,
        retain=retain is True,
        active=active if isinstance(active, bool) else None,
        at=_utc(at),
    )


def _operand(of: ua.NodeId, path: Sequence[str]) -> ua.SimpleAttributeOperand:
    operand = ua.SimpleAttributeOperand()
    operand.TypeDefinitionId = of
    operand.BrowsePath = [ua.QualifiedName(name, 0) for name in path]
    operand.AttributeId = ua.AttributeIds.Value if path else ua.AttributeIds.NodeId
    return operand


def _what(kind: object) -> What:
    if isinstance(kind, ua.NodeId) and kind.NamespaceIndex == 0:
        return _WHAT.get(kind.Identifier, "condition")
    return "condition"


def _is_null(node: object) -> bool:
    return not isinstance(node, ua.NodeId) or node.is_null()


def _text(message: object) -> str:
    text = message.Text if isinstance(message, ua.LocalizedText) else message
    return mended(text) if isinstance(text, str) else ""


def _utc(at: object) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
