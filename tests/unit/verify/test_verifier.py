from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.vocabulary import Json, stamp
from gateway.verify.findings import TEXTS, Findings, Flaw
from gateway.verify.verifier import Heard, Report, Verifier
from gateway.wire.cloudevent import CONTENT_TYPE, encode, encode_snapshot
from gateway.wire.topics import GatewayTopics, birth_topic, command_topic, event_topic, state_topic
from tests.support.clock import MORNING
from tests.support.examples import EXAMPLES
from tests.support.fake_journal import FakeJournal
from tests.unit.wire.test_cloudevent import EPOCH, PRESS, SOURCE

GATEWAY = GatewayTopics("mg/v1", "suzhou", "gw-01")
HEALTH = {
    "epoch": EPOCH,
    "last_seq": {"count": 20},
    "first_seq": 1,
    "sent_seq": 20,
    "backlog": 0,
    "protocol": "5",
    "selftest": None,
    "published": 0,
    "replayed": 0,
    "refused": 0,
    "reconnects": 0,
    "held": None,
    "not_retained": {},
}


def s(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def online(at_s: float = 0, *, online: bool = True, session: int = 5) -> Heard:
    body = {"online": online, "session": session, "epoch": EPOCH, "at": stamp(s(at_s))}
    return Heard(GATEWAY.online, orjson.dumps(body), retain=True, at=s(at_s))


def health(at_s: float, *, retain: bool = False, skew_s: float = 0, **other: Any) -> Heard:
    at = s(at_s - skew_s)
    times = {"at": stamp(at), "next_report_at": stamp(at + timedelta(seconds=10))}
    return Heard(GATEWAY.health, orjson.dumps(HEALTH | times | other), retain=retain, at=s(at_s))


def facts(at_s: float = 1, *, replay: bool = False) -> list[Heard]:
    """Every kind of event, as a gateway sends it."""
    journal = FakeJournal()
    journal.commit("press-03", *EXAMPLES)
    return [
        Heard(
            event_topic(PRESS, row.type, row.part),
            encode(row, source=SOURCE, place=PRESS, epoch=EPOCH, replay=replay),
            retain=False,
            at=s(at_s),
            content_type=CONTENT_TYPE,
        )
        for row in journal.kept
    ]


def snapshot(at_s: float = 0, *, retain: bool = True, valid_s: float = 600) -> Heard:
    payload = encode_snapshot(
        "counters",
        {"counters": []},
        head_seq=4,
        source=SOURCE,
        place=PRESS,
        epoch=EPOCH,
        at=s(at_s),
        valid_until=s(at_s + valid_s),
    )
    return Heard(state_topic(PRESS, "counters"), payload, retain=retain, at=s(at_s))


def report(messages: Sequence[Heard], now_s: float = 2, kept: set[str] | None = None) -> Report:
    verifier = Verifier("mg/v1")
    for heard in messages:
        verifier.take(heard)
    return verifier.report(s(now_s), kept)


def codes(messages: Sequence[Heard], now_s: float = 2, kept: set[str] | None = None) -> list[str]:
    """Return what is found beside the gateway's being there."""
    return [finding.code for finding in report([online(), *messages], now_s, kept).findings]


def spoiled(heard: Heard, **attributes: object) -> Heard:
    body: Json = orjson.loads(heard.payload) | attributes
    return Heard(heard.topic, orjson.dumps(body), heard.retain, heard.at)


def moved(heard: Heard, topic: str) -> Heard:
    return Heard(topic, heard.payload, heard.retain, heard.at)


STATUS, COUNT, READING = facts()[0], facts()[3], next(f for f in facts() if "/reading/" in f.topic)


def test_all_that_a_gateway_says_is_as_agreed() -> None:
    found = report([online(), *facts(), snapshot(), health(1)])
    assert found.findings == []
    assert found.data() == {
        "ok": True,
        "messages": len(EXAMPLES) + 3,
        "events": len(EXAMPLES),
        "gateways": [SOURCE],
        "equipment": [PRESS.subject],
        "violations": 0,
        "findings": [],
    }


def test_silence_is_not_agreement() -> None:
    (finding,) = report([]).findings
    assert (finding.code, finding.topic) == ("silent", "mg/v1")


@pytest.mark.parametrize(
    "topic",
    [
        "mg/v2/suzhou/a/b/c/evt/status",
        "mg/v1/suzhou/press-03/evt/status",
        "mg/v1/suzhou/stamping/line-2/press-03/evt/weather",
        "mg/v1/suzhou/stamping/line-2/PRESS/evt/status",
        "mg/v1/suzhou/_gateways/gw-01/weather",
        "mg/v1",
    ],
)
def test_a_topic_nobody_defined(topic: str) -> None:
    assert codes([moved(STATUS, topic)]) == ["topic"]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff", b"1e999"])
def test_a_payload_that_is_no_message(payload: bytes) -> None:
    assert codes([Heard(STATUS.topic, payload, retain=False, at=s(1))]) == ["schema"]


def test_a_message_that_does_not_fit_its_schema() -> None:
    found = report([online(), spoiled(STATUS, time="yesterday", streamseq=0)])
    assert [(one.code, one.count) for one in found.findings] == [("schema", 2)]
    order = Heard(command_topic(PRESS), b'{"order_no": "WO-1"}', retain=False, at=s(1))
    assert codes([order]) == ["schema"]
    assert codes([spoiled(online(), session="five")]) == ["schema"]


def test_a_name_that_cloudevents_does_not_allow() -> None:
    assert codes([spoiled(STATUS, stream_seq=1)]) == ["attributes"]
    odd = Heard(STATUS.topic, STATUS.payload, retain=False, at=s(1), content_type="text/plain")
    assert codes([odd]) == ["attributes"]


@pytest.mark.parametrize(
    "heard",
    [
        spoiled(STATUS, subject="suzhou/stamping/line-2/press-04"),
        spoiled(STATUS, source="/wuxi/gateways/gw-01"),
        spoiled(STATUS, epoch="t5k2m0-0000"),
        moved(READING, READING.topic.rpartition("/")[0] + "/other"),
        spoiled(snapshot(), id=f"{EPOCH}-x.state", source="/wuxi/gateways/gw-01"),
    ],
)
def test_what_is_said_twice_must_agree(heard: Heard) -> None:
    assert codes([heard]) in (["mismatch"], ["schema"])


def test_the_source_and_the_subject_are_both_looked_at() -> None:
    both = spoiled(STATUS, subject="a/b/c/d", source="/b/gateways/x")
    assert [one.count for one in report([online(), both]).findings] == [2]


def test_duplicates_and_holes_are_seen() -> None:
    assert codes([COUNT, COUNT]) == ["repeated"]
    first, second = [one for one in facts() if one.topic.endswith("/count")]
    late = spoiled(second, streamseq=5, id=f"{EPOCH}-99")
    assert codes([first, late]) == ["hole"]


def test_an_event_must_not_be_retained() -> None:
    assert codes([Heard(COUNT.topic, COUNT.payload, retain=True, at=s(1))]) == ["retained"]


def test_quality_of_service() -> None:
    assert codes([Heard(COUNT.topic, COUNT.payload, retain=False, at=s(1), qos=0)]) == ["qos"]


def test_what_must_be_retained_is_looked_for_at_the_end() -> None:
    topic = state_topic(PRESS, "counters")
    live = [snapshot(retain=False)]
    assert codes(live, kept={topic}) == []
    assert codes(live, kept=None) == []
    found = report([online(), *live], kept={GATEWAY.online}).findings
    assert [(one.code, one.topic) for one in found] == [("not_retained", topic)]


def test_nothing_at_all_is_retained() -> None:
    assert codes([snapshot(retain=False)], kept=set()) == ["not_retained"]


def test_a_retained_topic_may_be_cleared() -> None:
    cleared = [
        Heard(topic, b"", retain=False, at=s(1))
        for topic in (state_topic(PRESS, "counters"), birth_topic(PRESS), GATEWAY.health)
    ]
    assert codes([snapshot(retain=False), *cleared], kept={GATEWAY.online}) == []


def test_commands_and_births_are_checked_too() -> None:
    order = b'{"command_id": "c-1", "order_no": "WO-1"}'
    replay = b'{"command_id": "c-2", "from_seq": 1}'
    birth = {"equipment": [], "epoch": EPOCH, "previous_epochs": []}
    assert (
        codes(
            [
                Heard(command_topic(PRESS), order, retain=False, at=s(1)),
                Heard(GATEWAY.cmd_replay, replay, retain=False, at=s(1)),
                Heard(GATEWAY.birth, orjson.dumps(birth), retain=True, at=s(1)),
            ]
        )
        == []
    )


def test_the_self_test_is_nobodys_business() -> None:
    assert codes([Heard(GATEWAY.selftest, b"hello", retain=False, at=s(1))]) == []


def test_health_that_does_not_come() -> None:
    assert codes([health(0, retain=True)], now_s=14) == []
    assert codes([health(0, retain=True)], now_s=16) == ["overdue"]
    assert codes([health(0), health(10)], now_s=24) == []
    assert codes([health(0), health(10)], now_s=26) == ["overdue"]


def test_a_gateway_that_is_offline_owes_no_health() -> None:
    gone = [health(0), online(1, online=False)]
    assert codes(gone, now_s=99) == []


def test_an_offline_gateway_publishes_nothing() -> None:
    assert codes([online(1, online=False), COUNT]) == ["offline"]


def test_a_late_will_of_an_earlier_session_is_old_news() -> None:
    assert codes([online(1, session=6), online(2, session=5, online=False), COUNT]) == []


def test_events_that_were_sent_but_did_not_arrive() -> None:
    later: Json = {"last_seq": {"count": 30}, "sent_seq": 30}
    assert codes([health(0), health(10, **later)]) == ["behind"]
    assert codes([health(0, retain=True), health(1, **later)]) == []
    assert codes([health(0), health(10, last_seq={"count": 30}, sent_seq=29)]) == []
    arrived = spoiled(COUNT, id=f"{EPOCH}-30", streamseq=9)
    assert codes([health(0), arrived, health(10, **later)]) == []


def test_a_snapshot_past_its_time() -> None:
    old = snapshot(-700)
    assert codes([old, health(1)]) == ["expired"]
    assert codes([snapshot(-300), health(1)]) == []
    assert codes([old, health(1), snapshot(2)]) == []
    assert codes([old]) == []


def test_a_clock_that_is_wrong_is_no_reason() -> None:
    assert codes([snapshot(0, valid_s=-50), health(1, skew_s=60)]) == []
    assert codes([snapshot(0, valid_s=30), health(1, skew_s=-60)]) == ["expired"]


def test_what_is_missed_while_away_is_nobodys_fault() -> None:
    verifier = Verifier("mg/v1")
    first, second = [one for one in facts() if one.topic.endswith("/count")]
    for heard in (online(), health(0), first):
        verifier.take(heard)
    verifier.interrupted(s(100))
    verifier.take(spoiled(second, streamseq=50, id=f"{EPOCH}-500"))
    verifier.take(health(101, last_seq={"count": 600}, sent_seq=600))
    assert verifier.report(s(105)).findings == []


def test_findings_are_counted_and_bounded() -> None:
    findings = Findings(limit=1)
    findings.add("a", [Flaw("qos", "first"), Flaw("qos", "second")])
    findings.add("b", [Flaw("qos", "third")])
    (one,) = findings.all()
    assert (findings.total, one.count, one.detail) == (3, 2, "first")
    assert one.data()["text"] == TEXTS["qos"]


def test_every_finding_is_told_in_both_languages() -> None:
    assert all(set(text) == {"zh", "en"} for text in TEXTS.values())


topics = st.sampled_from(
    [STATUS.topic, READING.topic, GATEWAY.online, GATEWAY.health, GATEWAY.birth, snapshot().topic]
) | st.text(max_size=20).map(lambda text: f"mg/v1/{text}")
payloads = st.binary(max_size=30) | st.sampled_from([STATUS.payload, online().payload])


@given(st.lists(st.tuples(topics, payloads, st.booleans()), max_size=5))
def test_nothing_that_is_sent_can_make_it_fail(sent: list[tuple[str, bytes, bool]]) -> None:
    messages = [Heard(topic, payload, retain, s(1)) for topic, payload, retain in sent]
    assert report(messages).messages == len(messages)
