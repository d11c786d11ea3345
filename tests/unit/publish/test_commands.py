from dataclasses import replace

import orjson

from gateway.domain.commands import NoteCommand, OrderCommand, Reply
from gateway.domain.vocabulary import Json, Order
from gateway.ops.mqtt_terms import Message
from gateway.publish.commands import Commands
from gateway.publish.counts import Counts
from gateway.publish.replies import Replies
from gateway.publish.timing import Timing
from gateway.wire.command import COMMANDS
from gateway.wire.topics import command_topic
from tests.support.clock import FakeClock
from tests.support.fake_sender import FakeSender
from tests.support.publishing import OVEN, PLACES, PRESS, TOPICS, Rest


async def answer_to(
    rest: Rest, content: Json, *, name: str = "order", retain: bool = False
) -> Json:
    sender = FakeSender()
    orders = Commands(PLACES, rest.submit, Timing(clock=FakeClock()))
    payload = orjson.dumps(content)
    message = Message(
        topic=command_topic(PRESS, name), payload=payload, qos=1, retain=retain, mid=1
    )
    await orders.handle(message, Replies(sender, TOPICS, Counts()))
    (answer,) = sender.on(TOPICS.reply("c-1"))
    return answer


async def test_an_order_is_answered_with_the_seq_it_caused() -> None:
    rest = Rest(reply=Reply(accepted=True, seq=4711))
    answer = await answer_to(rest, {"command_id": "c-1", "order_no": "WO-1", "planned_qty": 5})
    order = Order("WO-1", planned_qty=5.0)
    assert rest.orders == [("press-03", OrderCommand("c-1", order))]
    assert answer == {"command_id": "c-1", "accepted": True, "seq": 4711, "error": None}


async def test_a_note_has_a_topic_of_its_own() -> None:
    rest = Rest(reply=Reply(accepted=True, seq=4712))
    note = {"command_id": "c-1", "about": "t5k2m0-9f3a-1", "by": "li", "comment": "late"}
    answer = await answer_to(rest, note, name="note")
    assert rest.orders == [("press-03", NoteCommand("c-1", "t5k2m0-9f3a-1", "li", comment="late"))]
    assert answer["seq"] == 4712
    order = {"command_id": "c-1", "order_no": "WO-1"}
    assert (await answer_to(rest, order, name="note"))["error"] == "MALFORMED"


async def test_a_refusal_is_passed_on() -> None:
    rest = Rest(reply=Reply(accepted=False, error="NOT_LIVE"))
    answer = await answer_to(rest, {"command_id": "c-1", "order_no": None})
    assert (answer["accepted"], answer["error"]) == (False, "NOT_LIVE")


async def test_what_cannot_be_obeyed_is_not_handed_in() -> None:
    rest = Rest()
    assert (await answer_to(rest, {"command_id": "c-1"}))["error"] == "MALFORMED"
    order = {"command_id": "c-1", "order_no": "WO-1"}
    assert (await answer_to(rest, order, retain=True))["error"] == "RETAINED"
    old = order | {"at": "2026-03-19T00:00:00Z"}
    assert (await answer_to(rest, old))["error"] == "TOO_OLD"
    assert rest.orders == []


def test_commissioning_takes_no_orders() -> None:
    places = replace(PLACES, local=frozenset({"press-03"}))
    orders = Commands(places, Rest().submit, Timing())
    assert set(orders.topics) == {command_topic(OVEN, name) for name in COMMANDS}
