from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua

from drivers.opcua.alarms import What
from drivers.opcua.events import event_filter, notice

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "EventType": ua.NodeId(ua.ObjectIds.AlarmConditionType),
    "SourceName": "Press",
    "Time": NOON,
    "Message": ua.LocalizedText("door open", "en-US"),
    "Severity": 700,
    "ConditionId": ua.NodeId("Door", 2),
    "ConditionName": "Door",
    "BranchId": ua.NodeId(),
    "Retain": True,
    "ActiveState": True,
}


def fields(**changed: Any) -> list[ua.Variant]:
    return [ua.Variant(value) for value in (FIELDS | changed).values()]


def test_the_filter_asks_for_the_fields_in_their_order() -> None:
    asked = event_filter().SelectClauses
    assert len(asked) == len(FIELDS)
    [condition] = [clause for clause in asked if not clause.BrowsePath]
    assert condition.AttributeId == ua.AttributeIds.NodeId
    assert condition.TypeDefinitionId == ua.NodeId(ua.ObjectIds.ConditionType)
    assert asked.index(condition) == list(FIELDS).index("ConditionId")
    assert [name.Name for name in asked[-1].BrowsePath] == ["ActiveState", "Id"]


def test_an_alarm_is_read() -> None:
    read = notice(fields())
    assert (read.what, read.id, read.branch, read.name) == (
        "condition",
        "ns=2;s=Door",
        False,
        "Door",
    )
    assert (read.text, read.locale, read.severity) == ("door open", "en-US", 700)
    assert (read.retain, read.active, read.at, read.source) == (True, True, NOON, "Press")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (ua.ObjectIds.RefreshStartEventType, "refresh_began"),
        (ua.ObjectIds.RefreshEndEventType, "refresh_ended"),
        (ua.ObjectIds.RefreshRequiredEventType, "refresh_needed"),
        (ua.ObjectIds.EventQueueOverflowEventType, "overflow"),
        (ua.ObjectIds.SystemEventType, "condition"),
    ],
)
def test_events_about_the_list_itself_are_told_apart(kind: int, what: What) -> None:
    assert notice(fields(EventType=ua.NodeId(kind))).what == what
    assert notice(fields(EventType=ua.NodeId(kind, 3))).what == "condition"


def test_what_a_server_leaves_out_says_nothing() -> None:
    empty = notice([ua.Variant(None) for _ in FIELDS])
    assert (empty.id, empty.branch, empty.active, empty.retain, empty.at) == (
        "",
        False,
        None,
        False,
        None,
    )
    assert notice([]).id == ""
    assert notice(fields(ConditionId=ua.NodeId())).id == ""
    assert notice(fields(BranchId=ua.NodeId("b1", 2))).branch
    assert notice(fields(Time=NOON.replace(tzinfo=None))).at == NOON
    assert notice(fields(Message="plain")).text == "plain"


def test_a_text_that_is_no_utf_8_becomes_one() -> None:
    gbk = "急停".encode("gb18030").decode(errors="surrogateescape")
    read = notice(fields(Message=gbk, ConditionName=gbk, ConditionId=ua.NodeId(gbk, 2)))
    assert (read.text, read.name, read.id) == ("急停", "急停", "ns=2;s=急停")
