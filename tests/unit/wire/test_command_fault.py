from datetime import UTC, datetime

import jsonschema
import pytest

from gateway.domain.commands import FaultCommand
from gateway.domain.vocabulary import Json
from gateway.wire import command
from gateway.wire.error import WireError
from gateway.wire.schema import schemas

SHELVE: Json = {
    "command_id": "c-1",
    "fault_id": "press-07.alarm_word.3.mfq2k1",
    "action": "shelve",
    "by": "li",
    "comment": "sensor ordered",
    "until": "2026-03-20T12:00:00+08:00",
    "later_field": 1,
}


def test_a_word_on_a_fault_is_read() -> None:
    assert command.COMMANDS["fault"](SHELVE) == FaultCommand(
        "c-1",
        "press-07.alarm_word.3.mfq2k1",
        "shelve",
        "li",
        "sensor ordered",
        datetime(2026, 3, 20, 4, tzinfo=UTC),
    )
    jsonschema.validate(SHELVE, schemas()["cmd/fault"])


def test_comment_and_until_may_be_left_out() -> None:
    ack = {key: SHELVE[key] for key in ("command_id", "fault_id", "by")} | {"action": "ack"}
    assert command.fault(ack) == FaultCommand("c-1", ack["fault_id"], "ack", "li")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "clear"},
        {"action": ["ack"]},
        {"action": None},
        {"fault_id": "a b"},
        {"fault_id": None},
        {"by": ""},
        {"by": None},
        {"comment": 7},
        {"until": "later"},
        {"command_id": "a/b"},
    ],
)
def test_what_is_not_as_the_contract_says(wrong: Json) -> None:
    with pytest.raises(WireError):
        command.fault(SHELVE | wrong)
