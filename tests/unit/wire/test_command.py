from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.commands import NoteCommand, OrderCommand, ScrapCommand, UsageCommand
from gateway.domain.vocabulary import Json, Order, Reason
from gateway.wire import command
from gateway.wire.command import ReplayRequest
from gateway.wire.error import WireError
from tests.unit.wire.test_cloudevent import json_values

NOON = datetime(2026, 3, 20, 4, tzinfo=UTC)
ORDER: Json = {
    "command_id": "c-1",
    "order_no": "WO-1042",
    "operation": "10",
    "product": "A-77",
    "batch": None,
    "operator": "li",
    "planned_qty": 500,
    "ideal_cycle_ms": 1200.5,
    "effective_at": "2026-03-20T12:00:00+08:00",
    "by": "mes",
    "later_field": 1,
}


def test_an_order_is_read() -> None:
    assert command.order(ORDER) == OrderCommand(
        "c-1",
        Order("WO-1042", "10", "A-77", None, "li", 500.0, 1200.5),
        effective_at=NOON,
        by="mes",
    )


@pytest.mark.fault(
    25,
    injection="a time that an MES or a gateway writes as 23:59:60, and one where no leap second is",
    expectation="read as the second after it, as POSIX counts; the other is refused",
)
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T07:59:60.25+08:00", datetime(2017, 1, 1, 0, 0, 0, 250_000, UTC)),
        ("2016-12-31T23:58:60Z", None),
        ("2016-12-31T23:59:61Z", None),
        ("9999-12-31T23:59:60Z", None),
    ],
)
def test_a_leap_second_is_read(written: str, read: datetime | None) -> None:
    if read is None:
        with pytest.raises(WireError, match="at"):
            command.sent_at({"at": written})
    else:
        assert command.sent_at({"at": written}) == read


def test_null_takes_the_order_away() -> None:
    assert command.order({"command_id": "c-2", "order_no": None}) == OrderCommand("c-2", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"command_id": "a/b"},
        {"command_id": ""},
        {"command_id": 7},
        {"order_no": ""},
        {"order_no": 7},
        {"order_no": "x" * 2000},
        {"order_no": "WO-1\0"},  # PostgreSQL holds no such text
        {"product": 1},
        {"planned_qty": "500"},
        {"planned_qty": -1},
        {"planned_qty": True},
        {"effective_at": "noon"},
        {"effective_at": "2026-03-20T12:00:00"},
    ],
)
def test_a_wrong_order_is_refused(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.order(ORDER | wrong)


def test_order_no_must_be_there() -> None:
    with pytest.raises(WireError, match="order_no"):
        command.order({"command_id": "c-1"})


NOTE: Json = {
    "command_id": "n-1",
    "about": "t5k2m0-9f3a-184467",
    "by": "li",
    "reason": {"code": "R7", "category": "material", "text": {"zh": "等料"}, "planned": True},
    "comment": "the coil was late",
}


SCRAP: Json = {"command_id": "s-1", "quantity": 3, "by": "li"}


def test_scrap_is_read() -> None:
    assert command.scrap(SCRAP) == ScrapCommand("s-1", 3, "li")
    more = {"kind": "rework", "counter": "sorted-out", "reason": "scratched"}
    read = command.scrap(SCRAP | more)
    assert read == ScrapCommand("s-1", 3, "li", "sorted-out", "rework", "scratched")
    assert command.scrap(SCRAP | dict.fromkeys(more)) == ScrapCommand("s-1", 3, "li")


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": 1.5},
        {"quantity": True},
        {"quantity": command.MAX_QUANTITY + 1},
        {"by": None},
        {"kind": "good"},
        {"kind": 7},
        {"counter": "Sorted Out"},
        {"reason": 7},
    ],
)
def test_scrap_that_is_not_of_the_contract_is_refused(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.scrap(SCRAP | wrong)


def test_a_note_is_read() -> None:
    reason = Reason("R7", "material", {"zh": "等料"}, planned=True)
    assert command.note(NOTE) == NoteCommand(
        "n-1", "t5k2m0-9f3a-184467", "li", reason, "the coil was late"
    )


def test_a_note_may_be_about_a_part_of_an_interval() -> None:
    about = "t5k2m0-9f3a-184467@2026-03-20T01:05:00.000Z"
    assert command.note(NOTE | {"about": about}).about == about


def test_a_note_may_be_a_reason_or_a_comment_alone() -> None:
    assert command.note(NOTE | {"reason": None}).comment == "the coil was late"
    alone = command.note(NOTE | {"comment": None, "reason": {"code": "R7", "category": None}})
    assert alone.reason == Reason("R7")


@pytest.mark.parametrize(
    "wrong",
    [
        {"about": ""},
        {"about": "no spaces please"},
        {"about": "t5k2m0-9f3a-184467@noon"},
        {"about": "t5k2m0-9f3a-184467@2026-02-30T01:05:00.000Z"},
        {"about": None},
        {"by": None},
        {"by": ""},
        {"reason": None, "comment": None},
        {"comment": 7},
        {"reason": "R7"},
        {"reason": {}},
        {"reason": {"code": "R7", "category": "weather"}},
        {"reason": {"code": "R7", "category": ["material"]}},
        {"reason": {"code": "R7", "text": "x"}},
        {"reason": {"code": "R7", "text": {"zh": 1}}},
        {"reason": {"code": "R7", "planned": "yes"}},
        {"command_id": None},
    ],
)
def test_a_wrong_note_is_refused(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.note(NOTE | wrong)


def test_a_range_of_seq_is_read() -> None:
    message = {"command_id": "r-1", "from_seq": 3, "to_seq": 9, "epoch": "t5k2m0-9f3a"}
    assert command.replay(message | {"types": ["count"], "equipment": "press-03"}) == ReplayRequest(
        command_id="r-1",
        from_seq=3,
        to_seq=9,
        types=frozenset({"count"}),
        equipment="press-03",
        epoch="t5k2m0-9f3a",
    )
    assert command.replay({"command_id": "r-1", "from_seq": 3}).to_seq is None


def test_some_places_may_be_asked_for() -> None:
    request = command.replay({"command_id": "r-1", "from_seq": 3, "places": ["stamping/#"]})
    assert [str(one) for one in request.places] == ["stamping/+/+"]
    assert command.replay({"command_id": "r-1", "from_seq": 3, "places": None}).places == ()


def test_a_range_of_time_is_read() -> None:
    message = {"command_id": "r", "from": "2026-03-20T04:00:00Z", "to": "2026-03-20T04:00:00Z"}
    request = command.replay(message)
    assert (request.start, request.end, request.from_seq) == (NOON, NOON, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"from_seq": 0},
        {"from_seq": 5, "to_seq": 4},
        {"from_seq": 5, "from": "2026-03-20T04:00:00Z", "to": "2026-03-20T04:00:00Z"},
        {"from": "2026-03-20T04:00:00Z"},
        {"from": "2026-03-20T04:00:00Z", "to": "2026-03-20T03:00:00Z"},
        {"from_seq": 1, "types": "count"},
        {"from_seq": 1, "types": ["state"]},
        {"from_seq": 1, "types": [[]]},
        {"from_seq": 1, "epoch": "?"},
        {"from_seq": 1, "equipment": 3},
        {"from_seq": 1, "places": []},
        {"from_seq": 1, "places": "stamping"},
        {"from_seq": 1, "places": ["stamping"] * (command.MAX_PLACES + 1)},
        {"from_seq": 1, "places": [7.5]},
    ],
)
def test_a_wrong_request_is_refused(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.replay({"command_id": "r-1"} | wrong)


KEYS = {*ORDER, *NOTE, "from", "to", "types", "fault_id", "action", "until"}
KEYS |= {"counter", "kind", "quantity", "usage", "used"}


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), json_values))
def test_nothing_but_wire_errors(message: Any) -> None:
    message = orjson.loads(orjson.dumps(message))
    for read in (*command.COMMANDS.values(), command.replay, command.sent_at):
        try:
            read(message)
        except WireError:
            continue


USAGE: Json = {"command_id": "u-1", "usage": "die", "by": "li"}


def test_a_usage_is_read_and_begins_at_nothing() -> None:
    assert command.usage(USAGE) == UsageCommand("u-1", "die", "li")
    assert command.usage(USAGE | {"used": None, "comment": None}) == UsageCommand(
        "u-1", "die", "li"
    )
    more = {"used": 12.5, "comment": "die changed"}
    assert command.usage(USAGE | more) == UsageCommand("u-1", "die", "li", 12.5, "die changed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"usage": None},
        {"usage": "Die 1"},
        {"by": None},
        {"used": -1},
        {"used": "12"},
        {"used": True},
    ],
)
def test_a_usage_that_is_not_of_the_contract_is_refused(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.usage(USAGE | wrong)
