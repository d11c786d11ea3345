"""Faults of the broker and of the way to it: each ends with the store held against the journal.

Journal, publisher, mosquitto, historian and store are real; ``Bench.complete`` compares all that
was journaled with all that is stored: nothing lost, nothing doubled, every stream without a hole.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.domain.events import Reading
from gateway.domain.vocabulary import Json
from gateway.journal.row import Entry
from gateway.ops.mqtt_choice import TAKEN_OVER_S
from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import BrokerSettings, Session, TlsSettings
from gateway.publish.flood import BURST
from gateway.publish.pump import CURSOR
from gateway.publish.timing import Timing
from gateway.wire.topics import command_topic, state_topic
from simulators.link import Link
from tests.support.broker import Broker, broker, mosquitto
from tests.support.clock import MORNING
from tests.support.expired_authority import expire
from tests.support.fake_journal import FakeJournal
from tests.support.outage_bench import Bench, outage_bench
from tests.support.publishing import (
    EVENTS,
    PRESS,
    SOON,
    TOPICS,
    Ear,
    Rest,
    count,
    first_of_each,
    listening,
    publishing,
    settings_for,
    status,
)
from tests.support.until import until

__all__ = ["broker"]

pytestmark = pytest.mark.timeout(400)

LONG_S = 60.0
"""What no test here takes, on a machine that does many things."""
PATIENT_S = 3600
"""Of the keepalive: it ends no connection here."""
LARGE = 40
"""Tags with long values: a reading of several kilobytes."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with outage_bench(tmp_path, ack_timeout_s=2.0, keepalive_s=PATIENT_S) as ready:
        yield ready


def large() -> Reading:
    values = {f"tag-{number}": "x" * 100 for number in range(LARGE)}
    return Reading(at=MORNING, group="plc", values=values)


# --- 50


@pytest.mark.fault(
    50,
    injection="the broker is killed with kill -9 five times while events come in",
    expectation="the store is the journal: each event once, every stream without a hole",
)
async def test_a_broker_killed_again_and_again(bench: Bench) -> None:
    chance = Random(50)
    await bench.connected_historian()
    for _ in range(5):
        await bench.journal_counts(chance.randint(50, 400))
        await asyncio.to_thread(bench.broker.kill)
        await bench.journal_counts(chance.randint(50, 400))
        await asyncio.to_thread(bench.broker.start)
    await bench.complete(timeout_s=LONG_S)


# --- 51, 52


@pytest.mark.fault(
    51,
    injection="SIGSTOP: the broker holds its connections and confirms nothing",
    expectation="given up for want of an acknowledgement, long before the keepalive ends; the"
    " cursor stands at what was confirmed; sent again after SIGCONT, once in the store",
)
async def test_a_broker_that_stands_still(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await bench.connected_historian()
    await bench.journal_counts(100)
    await bench.delivered()
    confirmed = bench.journal.head()
    bench.broker.suspend()
    try:
        await bench.journal_counts(100)
        await until(lambda: not bench.publisher.stats().online, timeout_s=LONG_S)
        assert bench.journal.cursor(CURSOR) == confirmed < bench.journal.head()
        assert "broker offline: no acknowledgement within 2 s" in caplog.messages
    finally:
        bench.broker.resume()
    await bench.complete(timeout_s=LONG_S)
    assert bench.publisher.stats().reconnects > 0


@pytest.mark.fault(
    52,
    injection="the way back from the broker is silent, then the connection is reset",
    expectation="the same ids come twice on the wire and stand once in the store",
)
async def test_confirmations_that_are_lost(bench: Bench) -> None:
    await bench.connected_historian()
    await bench.journal_counts(100)
    await bench.delivered()
    at = BrokerSettings(port=bench.broker.port)
    async with listening(at, EVENTS, client_id="wire") as ear:
        bench.link.faults.swallow_answers = True
        await bench.journal_counts(20)
        await until(lambda: len(ear.totals()) >= 10, timeout_s=LONG_S)
        assert bench.journal.cursor(CURSOR) == 100
        await bench.link.cut()
        bench.link.faults.swallow_answers = False
        await bench.delivered()
        await until(lambda: len(ear.totals()) > 20, timeout_s=LONG_S)
        await bench.complete(timeout_s=LONG_S)
        heard = ear.totals()
    assert len(heard) > len(set(heard))
    assert first_of_each(heard) == list(range(100, 120))


# --- 53


@pytest.mark.fault(
    53,
    injection="the broker takes packets of 2 kB at most, as it says at CONNECT (max_packet_size)",
    expectation="one event of 5 kB is set aside and named by a gap event; all others arrive",
)
@pytest.mark.fault(
    53,
    injection="the broker confirms what is too large with a refusal (message_size_limit)",
    expectation="the same",
)
@pytest.mark.parametrize("limit", ["max_packet_size 2000", "message_size_limit 1900"])
async def test_an_event_that_is_too_large(tmp_path: Path, limit: str) -> None:
    async with outage_bench(tmp_path, extra=[limit]) as bench:
        await one_large_among_others(bench)
        assert bench.publisher.stats().reconnects == 0


@pytest.mark.fault(
    53,
    injection="MQTT 3.1.1: the broker closes the connection without a word at packets over 2 kB",
    expectation="held with an alarm in health; all of it arrives in order once the limit is raised",
)
async def test_an_event_that_ends_the_connection() -> None:
    journal = FakeJournal()
    with mosquitto(extra=["max_packet_size 2000"]) as narrow:
        settings = settings_for(narrow, protocol="3.1.1")
        async with publishing(settings, journal, timing=SOON) as publisher:
            journal.commit("press-03", count(1), large(), count(2))
            await until(lambda: publisher.stats().held is not None, timeout_s=LONG_S)
            held = publisher.stats().held
            assert held is not None
            assert held.seq == 2
            async with listening(settings_for(narrow), TOPICS.health) as ear:
                await until(lambda: alarms(ear), timeout_s=LONG_S)
            narrow.config = [line for line in narrow.config if "max_packet_size" not in line]
            await asyncio.to_thread(narrow.kill)
            await asyncio.to_thread(narrow.start)
            async with listening(settings_for(narrow), EVENTS) as ear:
                journal.commit("press-03", count(3))
                assert await publisher.drain(LONG_S)
                await until(lambda: ear.totals()[-1:] == [3], timeout_s=LONG_S)
                types = [event["type"] for event in ear.events()]
        assert publisher.stats().held is None
    assert types[-3:] == ["millgate.reading.v1", "millgate.count.v1", "millgate.count.v1"]


async def one_large_among_others(bench: Bench) -> None:
    await bench.connected_historian()
    await bench.journal_counts(50)
    (seq,) = await bench.journal.append([Entry("press-03", [large()])])
    await bench.journal_counts(50)
    await bench.delivered()
    bench.set_aside.append(seq)
    await until(lambda: bench.publisher.stats().dead_letters == 1, timeout_s=LONG_S)
    await bench.delivered()  # the gap event as well
    stream = "SELECT data FROM event WHERE type = 'gap'"
    await until(lambda: bench.query(stream), timeout_s=LONG_S)
    (gap,) = [orjson.loads(data) for (data,) in bench.query(stream)]
    assert (gap["stream"], gap["reason"], gap["count"]) == ("reading", "dead_letter", 1)
    assert (gap["from_streamseq"], gap["to_streamseq"]) == (1, 1)
    await bench.complete(timeout_s=LONG_S)
    assert bench.publisher.stats().held is None


DENIED = "topic deny mg/v1/suzhou/stamping/line-2/press-03/evt/status\ntopic readwrite #\n"


@pytest.mark.fault(
    53,
    injection="the broker's ACL denies one topic, and is put right later",
    expectation="health names what is held within its ten seconds; nothing overtakes it or is lost",
)
async def test_a_right_that_is_missing(tmp_path: Path) -> None:
    async with outage_bench(tmp_path, acl=DENIED) as bench:
        await bench.connected_historian()
        at = BrokerSettings(port=bench.broker.port)
        async with listening(at, TOPICS.health, client_id="alarm") as ear:
            (seq,) = await bench.journal.append([Entry("press-03", [status()])])
            await bench.journal_counts(20)
            await until(lambda: alarms(ear), timeout_s=LONG_S)
            alarm = alarms(ear)[0]
        assert (alarm["seq"], alarm["reason_code"]) == (seq, 0x87)
        assert bench.journal.cursor(CURSOR) == seq - 1
        await asyncio.to_thread(bench.broker.set_acl, "topic readwrite #\n")
        await bench.complete(timeout_s=LONG_S)


def alarms(ear: Ear) -> list[Json]:
    return [one["held"] for one in ear.on(TOPICS.health) if one["held"]]


# --- 54


@dataclass
class Patience:
    """Long waits are noted, and end when they are told to."""

    asked_s: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def timing(self) -> Timing:
        return Timing(sleep=self._sleep, uniform=lambda low, _high: low + FRACTION_S)

    async def _sleep(self, seconds: float) -> None:
        if seconds > TAKEN_OVER_S and round(seconds % 1, 3) == FRACTION_S:
            self.asked_s.append(seconds)
            await self.over.wait()
            self.over.clear()
        else:
            await asyncio.sleep(seconds)


FRACTION_S = 0.005
"""What chance adds in this test; by it a wait is known from those of health."""


@pytest.mark.fault(
    54,
    injection="a second client connects with the gateway's client id, again and again",
    expectation="from the third time on an alarm and waits of 10, 20, 30 s; then all arrives",
)
async def test_a_namesake_takes_the_place(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    journal, settings, patience = FakeJournal(), settings_for(broker), Patience()
    namesake = Session(client_id=f"millgate-{TOPICS.site}-{TOPICS.gateway}")
    async with (
        listening(settings, EVENTS) as ear,
        publishing(settings, journal, timing=patience.timing()) as publisher,
    ):
        for times in range(5):
            await until(lambda n=times: publisher.stats().reconnects == n, timeout_s=LONG_S)  # type: ignore[misc]
            await until(lambda: publisher.stats().online, timeout_s=LONG_S)
            async with connect(settings, namesake):
                await until(lambda: not publisher.stats().online, timeout_s=LONG_S)
            journal.commit("press-03", count(times))
            if times >= 2:
                await until(lambda n=times - 1: len(patience.asked_s) == n, timeout_s=LONG_S)  # type: ignore[misc]
                patience.over.set()
        assert await publisher.drain(LONG_S)
        await until(lambda: len(ear.totals()) >= 5, timeout_s=LONG_S)
        assert publisher.stats().taken_over == 3
    assert [round(wait) for wait in patience.asked_s] == [10, 20, 30]
    assert first_of_each(ear.totals()) == [0, 1, 2, 3, 4]
    assert caplog.text.count("two gateways of one name") == 3


# --- 55


@pytest.mark.fault(
    55,
    injection="the password changes at the broker, later in the gateway's file",
    expectation="one line in the log, tries that back off, and in again without a restart",
)
async def test_a_password_that_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal, password, waits = FakeJournal(), tmp_path / "password", []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0.01)

    password.write_text("old\n", encoding="utf-8")
    caplog.set_level(logging.WARNING)
    with mosquitto(users={"gw": "new"}) as guarded:
        account = settings_for(guarded, username="gw", password_file=password)
        timing = Timing(sleep=sleep, uniform=lambda _low, high: high)
        journal.commit("press-03", count(1))
        async with publishing(account, journal, timing=timing) as publisher:
            await until(lambda: len(waits) >= 8, timeout_s=LONG_S)
            assert not publisher.stats().online
            password.write_text("new\n", encoding="utf-8")
            assert await publisher.drain(LONG_S)
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [record.message for record in caplog.records] == [
        "broker offline: Not authorized",
        "broker online again",
    ]


# A handshake that fails leaves the library's socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.fault(
    55,
    injection="the authority of the broker's certificate has expired; the name in it is another's",
    expectation="no connection, the reason once in the log, nothing sent",
)
@pytest.mark.fault(
    24,
    injection="the authority of the broker's certificate begins in ten days, by the clock of the"
    " machine, as after a boot in the past",
    expectation="no connection; the log asks whether the clock of this machine is right",
)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("expired", "certificate has expired"),
        ("early", "not yet valid (_ssl.c:"),
        ("name", "not valid for"),
    ],
)
async def test_a_certificate_that_is_wrong(
    wrong: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    journal = FakeJournal()
    journal.commit("press-03", count(1))
    names = ["broker.example"] if wrong == "name" else ["127.0.0.1"]
    with mosquitto(tls=True, names=names) as guarded:
        assert guarded.ca_file is not None
        if wrong != "name":
            ends_in = timedelta(days=-1 if wrong == "expired" else 70)
            files = (guarded.directory / name for name in ("server.crt", "server.key"))
            guarded.kill()
            expire(guarded.ca_file, *files, ends_in=ends_in)
            guarded.start()
        tls = TlsSettings(ca_file=guarded.ca_file)
        account = BrokerSettings(port=guarded.tls_port or 0, tls=tls)
        async with publishing(account, journal) as publisher:
            await until(lambda: said in caplog.text, timeout_s=LONG_S)
            assert not publisher.stats().online
    (reason,) = [one.message for one in caplog.records if "offline" in one.message]
    assert ("is the clock of this machine right?" in reason) is (wrong == "early")
    assert journal.cursor(CURSOR) == 0


# --- 56


@pytest.mark.fault(
    56,
    injection="a line of 20 kB/s with a backlog (ten times the 2 kB/s, with a tenth of the limits)",
    expectation="no connection given up, at most the window under way, a new state within a moment",
)
async def test_a_slow_line(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.publish.room.SLOW_S", 0.2)
    journal, rest = FakeJournal(), Rest(states={"press-03": {"status": {"state": "running"}}})
    journal.commit("press-03", *(count(n) for n in range(150)))
    topic = state_topic(PRESS, "status")
    async with Link(broker.host, broker.port) as link:
        link.faults.bytes_per_s = 20_000
        through = BrokerSettings(port=link.listening, ack_timeout_s=3.0)
        async with (
            listening(settings_for(broker), "mg/v1/#") as ear,
            publishing(through, journal, rest) as publisher,
        ):
            await until(lambda: publisher.stats().published > 30, timeout_s=LONG_S)
            before = len(ear.totals())
            rest.states["press-03"] = {"status": {"state": "fault"}}
            journal.commit("press-03", status())
            await until(lambda: len(ear.on(topic)) == 2, timeout_s=LONG_S)
            overtaken_by = len(ear.totals()) - before
            assert await publisher.drain(LONG_S)
            await until(lambda: len(ear.totals()) == 150, timeout_s=LONG_S)
        assert publisher.stats().reconnects == 0
    assert ear.totals() == list(range(150))
    assert overtaken_by <= 40


# --- 57


@pytest.mark.fault(
    57,
    injection="2,000 commands at once, beside them events",
    expectation="a burst is obeyed, the rest refused and counted; events and a later command pass",
)
async def test_a_flood_of_commands(broker: Broker) -> None:
    journal, settings, rest = FakeJournal(), settings_for(broker), Rest()
    order = {"command_id": "c", "order_no": "WO-1"}
    async with (
        listening(settings, EVENTS, "mes/#", client_id="mes") as mes,
        publishing(settings, journal, rest, timing=SOON) as publisher,
    ):
        await until(lambda: publisher.stats().online, timeout_s=LONG_S)
        topic = command_topic(PRESS)
        async with connect(settings, Session(client_id="flood")) as flood:
            for first in range(0, 2000, 50):
                sent = [
                    flood.publish(topic, orjson.dumps(order | {"command_id": f"c-{first + n}"}))
                    for n in range(50)
                ]
                journal.commit("press-03", count(first))
                await asyncio.gather(*sent)
        assert await publisher.drain(LONG_S)
        await until(lambda: len(rest.orders) >= BURST, timeout_s=LONG_S)
        stats = publisher.stats()

        async def repeated() -> None:
            while not [one for one in mes.on("mes/answers") if one["accepted"]]:
                await mes.link.publish(topic, orjson.dumps(order), response_topic="mes/answers")
                await asyncio.sleep(0.2)

        await asyncio.wait_for(repeated(), LONG_S)
        await until(lambda: len(mes.totals()) == 40, timeout_s=LONG_S)
    assert len(rest.orders) < 2000
    assert stats.kept_out > 0
    assert mes.totals() == list(range(0, 2000, 50))
