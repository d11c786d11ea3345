import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.domain.vocabulary import Json
from gateway.publish.counts import Counts
from gateway.publish.places import Places
from gateway.publish.snapshots import VALID_S, Snapshots
from gateway.publish.timing import Timing
from gateway.wire.topics import state_topic
from tests.support.clock import FakeClock
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.fake_sender import FakeSender
from tests.support.publishing import OVEN, PLACES, PRESS, count, status
from tests.support.until import until
from tests.unit.publish.running import Waits, running

STATUS = state_topic(PRESS, "status")


@dataclass
class Stage:
    places: Places = PLACES
    journal: FakeJournal = field(default_factory=FakeJournal)
    sender: FakeSender = field(default_factory=FakeSender)
    counts: Counts = field(default_factory=Counts)
    states: dict[str, Mapping[str, Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.waits = Waits()
        self.snapshots = Snapshots(
            self.journal,
            self.places,
            self.counts,
            snapshots_of=lambda name: self.states.get(name, {}),
            timing=Timing(clock=self.clock, sleep=self.waits.sleep),
        )

    def said(self) -> list[str]:
        return [one["data"]["state"] for one in self.sender.on(STATUS)]


async def test_everything_is_said_to_a_new_session() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}, "order": {"order": None}}})
    stage.states["oven-01"] = {"status": {"state": "fault"}}
    stage.journal.commit("press-03", status(), count(1))
    await stage.snapshots.publish_all(stage.sender)
    await stage.snapshots.publish_all(stage.sender)
    assert [one.topic for one in stage.sender.sent] == 2 * [
        STATUS,
        state_topic(PRESS, "order"),
        state_topic(OVEN, "status"),
    ]
    assert all(one.retain for one in stage.sender.sent)
    assert [one.content["id"] for one in stage.sender.sent[:3]] == [
        f"{EPOCH}-1.state",
        f"{EPOCH}-1.state",
        f"{EPOCH}-0.state",
    ]


async def test_a_change_follows_at_once_and_then_once_a_second() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}}})
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: stage.waits.asked_s == [VALID_S / 2])
        stage.journal.commit("press-03", status())
        await until(lambda: stage.said() == ["idle"])
        for state in ("running", "fault"):
            stage.states["press-03"] = {"status": {"state": state}}
            stage.journal.commit("press-03", status())
        await until(lambda: stage.waits.asked_s == [VALID_S / 2, 1.0])
        assert stage.said() == ["idle"]
        stage.clock.advance(1.0)
        stage.waits.wake()
        await until(lambda: stage.said()[:2] == ["idle", "fault"])


async def test_what_did_not_change_is_not_repeated() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}, "faults": {"active": []}}})
    stage.journal.commit("press-03", status())
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: len(stage.sender.sent) == 2)
        stage.clock.advance(5)
        stage.states["press-03"] = {"status": {"state": "running"}, "faults": {"active": []}}
        stage.journal.commit("press-03", status())
        await until(lambda: stage.said() == ["idle", "running"])
        assert len(stage.sender.sent) == 3


async def test_all_of_it_is_said_again_before_it_becomes_void() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}}})
    await stage.snapshots.publish_all(stage.sender)
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: stage.waits.asked_s == [VALID_S / 2])
        stage.clock.advance(VALID_S / 2)
        stage.waits.wake()
        await until(lambda: stage.said() == ["idle", "idle"])
    first, second = stage.sender.on(STATUS)
    assert first["data"]["valid_until"] > second["time"]


async def test_commissioning_is_never_mentioned() -> None:
    stage = Stage(places=replace(PLACES, local=frozenset({"press-03"})))
    stage.states = {name: {"status": {"state": "idle"}} for name in PLACES.equipment}
    await stage.snapshots.publish_all(stage.sender)
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: stage.waits.asked_s)
        stage.journal.commit("press-03", status(), local=True)
        stage.journal.commit("oven-01", status())
        await until(lambda: len(stage.sender.sent) == 2)
    assert {one.topic for one in stage.sender.sent} == {state_topic(OVEN, "status")}


async def test_a_refused_state_stops_nothing_and_is_named() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}}})
    stage.states["oven-01"] = {"status": {"state": "idle"}}
    stage.sender.denied.add(STATUS)
    await stage.snapshots.publish_all(stage.sender)
    assert stage.counts.not_retained == {STATUS: "Not authorized"}
    assert stage.sender.on(state_topic(OVEN, "status"))
    stage.sender.denied.clear()
    await stage.snapshots.publish_all(stage.sender)
    assert stage.counts.not_retained == {}
    assert stage.counts.refused == 1


async def test_a_state_that_is_the_same_object_is_not_looked_at_again() -> None:
    looked: list[str] = []
    stage = Stage(states={"press-03": {"status": {"state": "idle"}}})
    stage.journal.durable["press-03"] = b"{}"
    snapshots_of = stage.snapshots._snapshots_of  # noqa: SLF001 - to see how often it is asked
    stage.snapshots._snapshots_of = lambda name: looked.append(name) or snapshots_of(name)  # type: ignore[func-returns-value]  # noqa: SLF001
    async with running(stage.snapshots.run(stage.sender)):
        for n in range(3):
            stage.journal.commit("press-03", count(n))
            await until(lambda: stage.waits.asked_s)
            stage.clock.advance(2)
        stage.journal.durable["press-03"] = b'{"changed": true}'
        stage.states["press-03"] = {"status": {"state": "running"}}
        stage.journal.commit("press-03", status())
        await until(lambda: stage.said() == ["idle", "running"])
    assert looked == ["press-03", "press-03"]


async def test_readings_do_not_make_the_next_state_wait() -> None:
    stage = Stage(states={"press-03": {"status": {"state": "idle"}}})
    stage.journal.durable["press-03"] = b"{}"
    await stage.snapshots.publish_all(stage.sender)
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: stage.waits.asked_s == [VALID_S / 2])
        stage.journal.commit("press-03", count(1))
        for _ in range(5):
            await asyncio.sleep(0)  # it would be looked at by now
        stage.journal.durable["press-03"] = b'{"changed": true}'
        stage.states["press-03"] = {"status": {"state": "running"}}
        stage.journal.commit("press-03", status())
        await until(lambda: stage.said() == ["idle", "running"])
    assert stage.waits.asked_s == [VALID_S / 2]


async def test_what_changes_for_the_first_time_while_another_is_sent_follows() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.states = {name: {"status": {"state": "idle"}} for name in PLACES.equipment}
    async with running(stage.snapshots.run(stage.sender)):
        await until(lambda: stage.waits.asked_s == [VALID_S / 2])
        stage.journal.commit("press-03", status())
        await until(lambda: len(stage.sender.sent) == 1)
        stage.journal.commit("oven-01", status())
        await asyncio.sleep(0)  # it is noted while the first is under way
        stage.sender.sent[0].confirmed.set_result(None)
        await until(lambda: stage.waits.asked_s == [VALID_S / 2, 0.0])
        stage.waits.wake()
        await until(lambda: stage.sender.on(state_topic(OVEN, "status")))
