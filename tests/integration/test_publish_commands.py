"""Orders, replays, logging in, and the older protocol: a real broker, a real consumer."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway.domain.commands import FaultCommand, NoteCommand, OrderCommand, Reply
from gateway.domain.vocabulary import Json, Order
from gateway.ops.mqtt_terms import BrokerSettings, TlsSettings
from gateway.publish.pump import CURSOR
from gateway.wire.topics import command_topic
from tests.support.broker import Broker, broker, mosquitto
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.publishing import (
    EVENTS,
    PRESS,
    TOPICS,
    Ear,
    Rest,
    count,
    listening,
    publishing,
    settings_for,
    status,
)
from tests.support.until import until

__all__ = ["broker"]

ANSWERS = "mes/answers"


async def ask(ear: Ear, topic: str, command: Json, *, response: bool = True) -> None:
    """Publish a command as a MES does."""
    response_topic = ANSWERS if response else None
    payload = orjson.dumps(command)
    await ear.link.publish(topic, payload, response_topic=response_topic, correlation=b"7")


@asynccontextmanager
async def gateway(
    settings: BrokerSettings, journal: FakeJournal, rest: Rest | None = None
) -> AsyncIterator[Ear]:
    """A publisher that listens to commands, and an ear for answers and events."""
    async with (
        listening(settings, "mg/v1/#", "mes/#") as ear,
        publishing(settings, journal, rest) as publisher,
    ):
        await until(lambda: ear.on(TOPICS.online))
        assert await publisher.drain(5)
        yield ear


async def test_an_order_is_answered_where_its_sender_waits(broker: Broker) -> None:
    rest = Rest()
    async with gateway(settings_for(broker), FakeJournal(), rest) as ear:
        await ask(ear, command_topic(PRESS), {"command_id": "c-1", "order_no": "WO-1", "by": "x"})
        await until(lambda: ear.on(ANSWERS))
    assert rest.orders == [("press-03", OrderCommand("c-1", Order("WO-1"), None, "x"))]
    answer = {"command_id": "c-1", "accepted": True, "seq": 17, "error": None}
    assert ear.on(ANSWERS) == [answer]
    assert [one.correlation for one in ear.messages if one.topic == ANSWERS] == [b"7"]


async def test_a_note_is_answered_like_an_order(broker: Broker) -> None:
    rest = Rest()
    note = {"command_id": "n-1", "about": "t5k2m0-9f3a-1", "by": "li", "comment": "coil late"}
    async with gateway(settings_for(broker), FakeJournal(), rest) as ear:
        await ask(ear, command_topic(PRESS, "note"), note)
        await until(lambda: ear.on(ANSWERS))
    command = NoteCommand("n-1", "t5k2m0-9f3a-1", "li", comment="coil late")
    assert rest.orders == [("press-03", command)]
    assert ear.on(ANSWERS) == [{"command_id": "n-1", "accepted": True, "seq": 17, "error": None}]


async def test_a_word_on_a_fault_is_answered_like_an_order(broker: Broker) -> None:
    rest = Rest(reply=Reply(accepted=False, error="fault press-03.alarm.0.a is not shelved"))
    word = {"command_id": "f-1", "fault_id": "press-03.alarm.0.a", "action": "unshelve", "by": "li"}
    async with gateway(settings_for(broker), FakeJournal(), rest) as ear:
        await ask(ear, command_topic(PRESS, "fault"), word)
        await until(lambda: ear.on(ANSWERS))
    assert rest.orders == [
        ("press-03", FaultCommand("f-1", "press-03.alarm.0.a", "unshelve", "li"))
    ]
    assert ear.on(ANSWERS)[0]["error"] == "fault press-03.alarm.0.a is not shelved"


async def test_without_a_response_topic_the_answer_is_on_reply(broker: Broker) -> None:
    rest = Rest(reply=Reply(accepted=False, error="NOT_LIVE"))
    async with gateway(settings_for(broker), FakeJournal(), rest) as ear:
        command = {"command_id": "c-2", "order_no": None}
        await ask(ear, command_topic(PRESS), command, response=False)
        await until(lambda: ear.on(TOPICS.reply("c-2")))
    assert rest.orders == [("press-03", OrderCommand("c-2", None))]
    assert ear.on(TOPICS.reply("c-2"))[0]["error"] == "NOT_LIVE"


async def test_a_malformed_order_is_refused_with_the_reason(broker: Broker) -> None:
    rest = Rest()
    async with gateway(settings_for(broker), FakeJournal(), rest) as ear:
        await ask(ear, command_topic(PRESS), {"command_id": "c-3", "order_no": 7})
        await until(lambda: ear.on(ANSWERS))
    assert rest.orders == []
    assert ear.on(ANSWERS)[0]["error"] == "MALFORMED"
    assert "order_no" in ear.on(ANSWERS)[0]["reason"]


@pytest.mark.fault(
    57,
    injection="a command that the broker kept (retained)",
    expectation="refused with RETAINED, nothing obeyed",
)
async def test_a_retained_command_is_refused(broker: Broker) -> None:
    settings, rest = settings_for(broker), Rest()
    async with listening(settings, "none", client_id="mes") as mes:
        command = orjson.dumps({"command_id": "c-4", "order_no": "WO-1"})
        await mes.link.publish(command_topic(PRESS), command, retain=True)
    async with gateway(settings, FakeJournal(), rest) as ear:
        await until(lambda: ear.on(TOPICS.reply("c-4")))
    assert rest.orders == []
    assert ear.on(TOPICS.reply("c-4"))[0]["error"] == "RETAINED"


async def test_answers_never_go_where_consumers_expect_facts(broker: Broker) -> None:
    async with gateway(settings_for(broker), FakeJournal()) as ear:
        command = orjson.dumps({"command_id": "c-5", "order_no": None})
        trap = "mg/v1/suzhou/stamping/line-2/press-03/evt/status"
        await ear.link.publish(command_topic(PRESS), command, response_topic=trap)
        await until(lambda: ear.on(TOPICS.reply("c-5")))
    assert ear.on(trap) == []


async def test_a_range_is_sent_again_and_answered_after_it(broker: Broker) -> None:
    journal = FakeJournal()
    journal.commit("press-03", *(count(n) for n in range(1, 11)), status())
    async with gateway(settings_for(broker), journal) as ear:
        del ear.messages[:]
        await ask(ear, TOPICS.cmd_replay, {"command_id": "r-1", "from_seq": 3, "to_seq": 6})
        await until(lambda: ear.on(ANSWERS))
    assert [event["id"] for event in ear.events()] == [f"{EPOCH}-{n}" for n in (3, 4, 5, 6)]
    assert all(event["replay"] for event in ear.events())
    answer = ear.on(ANSWERS)[0]
    assert answer["accepted"] is True
    assert (answer["first_seq"], answer["last_seq"], answer["count"]) == (3, 6, 4)
    assert answer["epoch"] == EPOCH
    assert journal.cursor(CURSOR) == 11


async def test_what_is_gone_is_out_of_range(broker: Broker) -> None:
    journal = FakeJournal()
    journal.commit("press-03", *(count(n) for n in range(1, 11)))
    async with gateway(settings_for(broker), journal) as ear:
        journal.forget_before(5)
        await ask(ear, TOPICS.cmd_replay, {"command_id": "r-2", "from_seq": 3, "to_seq": 6})
        await until(lambda: ear.on(ANSWERS))
    expected = {"accepted": False, "error": "OUT_OF_RANGE", "first_seq": 5, "last_seq": 10}
    assert ear.on(ANSWERS) == [{"command_id": "r-2", **expected, "epoch": EPOCH}]


async def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    journal, password = FakeJournal(), tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    with mosquitto(users={"gw": "secret", "mes": "other"}, tls=True) as guarded:
        account = settings_for(guarded, username="gw", password_file=password)
        secure = replace(
            account, port=guarded.tls_port or 0, tls=TlsSettings(ca_file=guarded.ca_file)
        )
        async with listening(account, EVENTS) as ear, publishing(secure, journal) as publisher:
            journal.commit("press-03", count(1))
            await until(lambda: ear.totals() == [1])
            assert await publisher.drain(5)


async def test_the_rights_on_the_page_about_topics_are_enough(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "topics.md"
    acl = page.read_text(encoding="utf-8").partition("```\nuser gw-01")[2].partition("```")[0]
    passwords = {"gw-01": tmp_path / "gw-01", "mes": tmp_path / "mes"}
    for name, path in passwords.items():
        path.write_text(name, encoding="utf-8")
    journal = FakeJournal()
    journal.commit("press-03", count(1), count(2))
    with mosquitto(users={name: name for name in passwords}, acl=f"user gw-01{acl}") as guarded:
        gw, mes = (
            settings_for(guarded, username=name, password_file=path)
            for name, path in passwords.items()
        )
        async with listening(mes, "mg/v1/#") as ear, publishing(gw, journal) as publisher:
            assert await publisher.drain(5)
            await ask(ear, TOPICS.cmd_replay, {"command_id": "r", "from_seq": 2}, response=False)
            await ask(
                ear, command_topic(PRESS), {"command_id": "c", "order_no": None}, response=False
            )
            await until(lambda: ear.on(TOPICS.reply("r")) and ear.on(TOPICS.reply("c")))
            assert publisher.stats().refused == 0
    assert ear.totals() == [1, 2, 2]


@pytest.mark.fault(
    55,
    injection="a wrong password",
    expectation="one line in the log, no session",
)
async def test_a_wrong_password_is_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal, password = FakeJournal(), tmp_path / "password"
    password.write_text("wrong", encoding="utf-8")
    with mosquitto(users={"gw": "secret"}) as guarded, caplog.at_level(logging.INFO):
        account = settings_for(guarded, username="gw", password_file=password)
        async with publishing(account, journal) as publisher:
            await until(lambda: guarded.log().count("not authorised") > 2)
            assert not publisher.stats().online
    assert [record.message for record in caplog.records] == ["broker offline: Not authorized"]


# A handshake that fails leaves the library's socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_unknown_authority_is_not_trusted(caplog: pytest.LogCaptureFixture) -> None:
    with mosquitto(tls=True) as one, mosquitto(tls=True) as other:
        tls = TlsSettings(ca_file=other.ca_file)
        account = BrokerSettings(port=one.tls_port or 0, tls=tls)
        async with publishing(account, FakeJournal()) as publisher:
            await until(lambda: "certificate verify failed" in caplog.text)
            assert not publisher.stats().online
    gc.collect()


async def test_the_older_protocol_proves_itself_at_connect(broker: Broker) -> None:
    journal, settings = FakeJournal(), settings_for(broker, protocol="3.1.1")
    journal.commit("press-03", count(1))
    async with gateway(settings, journal) as ear:
        await until(lambda: ear.on(TOPICS.health))
    assert ear.totals() == [1]
    assert ear.on(TOPICS.health)[0]["protocol"] == "3.1.1"
    assert ear.on(TOPICS.health)[0]["selftest"] == "passed"


async def test_the_older_protocol_is_not_believed_when_it_may_not_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = FakeJournal()
    journal.commit("press-03", count(1))
    acl = f"topic deny {TOPICS.selftest}\ntopic readwrite #\n"
    with mosquitto(acl=acl) as guarded:
        settings = settings_for(guarded, protocol="3.1.1")
        async with publishing(settings, journal, selftest_s=0.2) as publisher:
            await until(lambda: "did not come back" in caplog.text)
            assert not publisher.stats().online
    assert journal.cursor(CURSOR) == 0


async def test_a_copied_journal_begins_a_new_epoch(broker: Broker) -> None:
    settings, original = settings_for(broker), FakeJournal()
    original.commit("press-03", *(count(n) for n in range(50)))
    async with gateway(settings, original) as ear:
        await until(lambda: ear.on(TOPICS.health))
    copy = FakeJournal(life="2-copy")
    copy.commit("press-03", count(0))
    rest = Rest(begin_epoch=copy.begin_epoch)
    async with gateway(settings, copy, rest) as ear:
        await until(lambda: ear.on(TOPICS.online)[-1]["epoch"] == "t5k2m1-0000")
    assert len(rest.rivals) == 1
    assert copy.previous_epochs == (EPOCH,)
