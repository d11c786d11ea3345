from dataclasses import replace

import orjson
import pytest

from gateway.publish.counts import Counts, Held
from gateway.publish.presence import HEALTH_S, Presence, online_payload, session_of
from gateway.publish.pump import CURSOR
from gateway.publish.timing import Timing
from gateway.wire.topics import birth_topic
from tests.support.clock import MORNING, FakeClock
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.fake_sender import FakeSender
from tests.support.publishing import PLACES, PRESS, TOPICS, count, status
from tests.support.until import until
from tests.unit.publish.running import Waits, running
from tests.unit.wire.test_schema import check


def presence(journal: FakeJournal, counts: Counts, waits: Waits | None = None) -> Presence:
    return Presence(
        journal,
        PLACES,
        counts,
        protocol="3.1.1",
        more_health=lambda: {"drops": 3, "epoch": "never ours to replace"},
        timing=Timing(clock=FakeClock(), sleep=(waits or Waits()).sleep),
    )


async def test_health_tells_how_far_everything_is() -> None:
    journal, counts = FakeJournal(), Counts(published=2, refused=1)
    counts.held = Held(3, "a/b", "Not authorized", 0x87)
    journal.commit("press-03", count(1), count(2), status())
    await journal.advance(CURSOR, 2)
    health = presence(journal, counts).health() | {"selftest": None}
    check("gateway/health", orjson.dumps(health))
    assert health["last_seq"] == {"count": 2, "status": 3}
    assert (health["sent_seq"], health["backlog"], health["first_seq"]) == (2, 1, 1)
    assert (health["at"], health["next_report_at"]) == (
        "2026-03-20T01:00:00.000Z",
        "2026-03-20T01:00:10.000Z",
    )
    assert (health["drops"], health["epoch"], health["protocol"]) == (3, EPOCH, "3.1.1")
    assert health["held"]["seq"] == 3


@pytest.mark.parametrize(("passed", "said"), [(True, "passed"), (None, None)])
async def test_health_comes_again_and_again(passed: bool | None, said: str | None) -> None:
    sender, waits = FakeSender(), Waits()
    part = presence(FakeJournal(), Counts(), waits)
    async with running(part.run(sender, selftest_passed=passed)):
        await until(lambda: waits.asked_s == [HEALTH_S])
        waits.wake()
        await until(lambda: len(sender.on(TOPICS.health)) == 2)
    assert [one["selftest"] for one in sender.on(TOPICS.health)] == [said, said]
    assert all(one.retain for one in sender.sent)


async def test_births_name_the_epochs() -> None:
    journal, sender = FakeJournal(), FakeSender()
    journal.new_epoch("t5k2m1-0000")
    await presence(journal, Counts()).announce_births(sender)
    assert [one.topic for one in sender.sent] == [birth_topic(PRESS), TOPICS.birth]
    (birth,) = sender.on(TOPICS.birth)
    check("gateway/birth", birth)
    assert (birth["epoch"], birth["previous_epochs"]) == ("t5k2m1-0000", [EPOCH])


def test_the_will_differs_in_nothing_but_online() -> None:
    alive = orjson.loads(online_payload(online=True, session=17, epoch=EPOCH, at=MORNING))
    dead = orjson.loads(online_payload(online=False, session=17, epoch=EPOCH, at=MORNING))
    check("gateway/online", alive)
    assert alive | {"online": False} == dead


@pytest.mark.parametrize(
    ("online", "number"),
    [
        (online_payload(online=False, session=17, epoch=EPOCH, at=MORNING), 17),
        (None, 0),
        (b"\xff", 0),
        (b"[17]", 0),
        (b"{}", 0),
        (b'{"session": "17"}', 0),
        (b'{"session": -1}', 0),
        (b'{"session": 9007199254740992}', 0),
    ],
)
def test_an_online_tells_its_session(online: bytes | None, number: int) -> None:
    assert session_of(online) == number


def test_places_without_commissioning() -> None:
    places = replace(PLACES, local=frozenset({"oven-01"}))
    assert list(places.live) == ["press-03"]
    assert places.of("oven-01") == PLACES.equipment["oven-01"]
    assert places.of("gone").subject == "suzhou/_/_/gone"
