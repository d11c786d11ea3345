from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from gateway.domain.vocabulary import stamp
from gateway.ops.mqtt_terms import Message
from gateway.publish.counts import Counts
from gateway.publish.replies import MAX_AGE_S, NotObeyed, Replies, check
from tests.support.clock import MORNING
from tests.support.fake_sender import FakeSender
from tests.support.publishing import TOPICS
from tests.unit.wire.test_schema import check as validate


def message(content: Any, **more: Any) -> Message:
    payload = content if isinstance(content, bytes) else orjson.dumps(content)
    plain = Message(topic="cmd", payload=payload, qos=1, retain=False, mid=1)
    return replace(plain, **more)


@pytest.mark.fault(
    57,
    injection="a retained command, one that is no command",
    expectation="refused with a name for it",
)
@pytest.mark.parametrize(
    ("content", "retain", "error"),
    [
        ({"command_id": "c-1"}, True, "RETAINED"),
        (b"{", False, "MALFORMED"),
        ([], False, "MALFORMED"),
        ({"command_id": "a b"}, False, "MALFORMED"),
        ({"command_id": "c-1", "at": 5}, False, "MALFORMED"),
    ],
)
def test_what_is_not_obeyed(content: object, *, retain: bool, error: str) -> None:
    with pytest.raises(NotObeyed) as caught:
        check(message(content, retain=retain), MORNING)
    assert caught.value.error == error


@pytest.mark.fault(
    57,
    injection="a command whose time is longer ago than a command may be, as a broker that was away"
    " brings it",
    expectation="refused as too old; one of now is obeyed",
)
@pytest.mark.parametrize(("age_s", "obeyed"), [(0, True), (-60, True), (MAX_AGE_S + 1, False)])
def test_an_old_wish_is_no_wish(age_s: float, *, obeyed: bool) -> None:
    command = {"command_id": "c-1", "at": stamp(MORNING - timedelta(seconds=age_s))}
    if obeyed:
        assert check(message(command), MORNING) == command
    else:
        with pytest.raises(NotObeyed, match="TOO_OLD"):
            check(message(command), MORNING)


@pytest.mark.parametrize(
    ("response_topic", "answered_on"),
    [
        ("mes/answers", "mes/answers"),
        (None, TOPICS.reply("c-1")),
        (TOPICS.reply("mine"), TOPICS.reply("mine")),
        ("mg/v1/suzhou/a/b/c/evt/status", TOPICS.reply("c-1")),
        (TOPICS.online, TOPICS.reply("c-1")),
        ("mes/#", TOPICS.reply("c-1")),
        ("mes/+", TOPICS.reply("c-1")),
        ("$SYS/broker", TOPICS.reply("c-1")),
        ("", TOPICS.reply("c-1")),
    ],
)
async def test_where_the_answer_goes(response_topic: str | None, answered_on: str) -> None:
    sender = FakeSender()
    asked = message({"command_id": "c-1"}, response_topic=response_topic, correlation=b"7")
    await Replies(sender, TOPICS, Counts()).send(asked, {"accepted": True, "seq": 4})
    (sent,) = sender.sent
    assert (sent.topic, sent.correlation, sent.retain) == (answered_on, b"7", False)
    validate("reply", sent.content)


async def test_who_cannot_be_reached_is_not_answered() -> None:
    sender = FakeSender()
    replies = Replies(sender, TOPICS, Counts())
    await replies.refuse(message(b"noise"), "MALFORMED", "not JSON")
    assert sender.sent == []
    await replies.refuse(message(b"noise", response_topic="mes/a"), "MALFORMED", "not JSON")
    validate("reply", sender.sent[0].content)


async def test_a_refused_answer_stops_nothing() -> None:
    sender, counts = FakeSender(denied={"mes/a"}), Counts()
    asked = message({"command_id": "c-1"}, response_topic="mes/a")
    await Replies(sender, TOPICS, counts).send(asked, {"accepted": True})
    assert counts.refused == 1
