from datetime import timedelta

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from gateway.domain.durable import dump, load
from gateway.domain.events import STREAMS, Event
from gateway.domain.snapshot import KINDS, snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Json
from gateway.wire.cloudevent import encode, encode_snapshot
from gateway.wire.command import COMMANDS
from gateway.wire.schema import schemas
from tests.support.clock import MORNING
from tests.support.examples import EXAMPLES
from tests.support.fake_journal import FakeJournal
from tests.unit.wire.test_cloudevent import EPOCH, PRESS, SOURCE

SCHEMAS = schemas()


def check(name: str, message: Json | bytes) -> None:
    content = orjson.loads(message) if isinstance(message, bytes) else message
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(SCHEMAS[name], format_checker=checker).validate(content)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_message_has_a_schema() -> None:
    events = {f"evt/{type_}" for type_ in STREAMS}
    states = {f"state/{kind}" for kind in KINDS}
    gateway = {"gateway/online", "gateway/birth", "gateway/health"}
    commands = {f"cmd/{name}" for name in (*COMMANDS, "replay")}
    assert set(SCHEMAS) == events | states | gateway | commands | {"birth", "reply"}


def test_there_is_an_example_of_every_event() -> None:
    assert {event.type for event in EXAMPLES} == set(STREAMS)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
async def test_every_event_validates(event: Event) -> None:
    journal = FakeJournal()
    journal.commit("press-03", event)
    (row,) = await journal.rows(0, 1)
    payload = encode(row, source=SOURCE, place=PRESS, epoch=EPOCH, replay=False)
    check(f"evt/{event.type}", payload)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_a_missing_field_does_not(event: Event) -> None:
    data = event.data()
    schema = SCHEMAS[f"evt/{event.type}"]["properties"]["data"]
    for key in schema["required"]:
        with pytest.raises(ValidationError):
            Draft202012Validator(schema).validate({k: v for k, v in data.items() if k != key})


def test_what_the_schema_names_is_what_events_have() -> None:
    for event in EXAMPLES:
        properties = SCHEMAS[f"evt/{event.type}"]["properties"]["data"]["properties"]
        assert set(event.data()) <= set(properties), event.type


def test_the_snapshots_of_an_empty_state_validate() -> None:
    state = load(dump(EquipmentState.new("press-03")))
    for kind, data in snapshots(state).items():
        payload = encode_snapshot(
            kind,
            data,
            head_seq=0,
            source=SOURCE,
            place=PRESS,
            epoch=EPOCH,
            at=MORNING,
            valid_until=MORNING + timedelta(minutes=10),
        )
        check(f"state/{kind}", payload)


@pytest.mark.parametrize(
    ("name", "message", "valid"),
    [
        ("cmd/order", {"command_id": "c-1", "order_no": None}, True),
        ("cmd/order", {"command_id": "c-1"}, False),
        ("cmd/note", {"command_id": "n-1", "about": "f-1", "by": "li", "comment": "x"}, True),
        (
            "cmd/note",
            {"command_id": "n", "about": "f-1", "by": "li", "reason": {"code": "R1"}},
            True,
        ),
        ("cmd/note", {"command_id": "n-1", "about": "f-1", "comment": "x"}, False),
        ("cmd/scrap", {"command_id": "s-1", "quantity": 3, "by": "li"}, True),
        ("cmd/scrap", {"command_id": "s-1", "quantity": 0, "by": "li"}, False),
        ("cmd/scrap", {"command_id": "s-1", "quantity": 3}, False),
        ("cmd/replay", {"command_id": "r-1", "from_seq": 1}, True),
        ("cmd/replay", {"command_id": "r-1"}, False),
        ("reply", {"command_id": "c-1", "accepted": True, "seq": 4, "error": None}, True),
        ("reply", {"command_id": "c-1"}, False),
    ],
)
def test_commands_and_replies(name: str, message: Json, *, valid: bool) -> None:
    if valid:
        check(name, message)
    else:
        with pytest.raises(ValidationError):
            check(name, message)
