import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.journal.row import Row
from gateway.ops.mqtt_terms import CLOSED, TOO_LARGE, ConnectionLost, Refused
from gateway.publish.counts import Counts
from gateway.publish.places import Places
from gateway.publish.pump import CURSOR, MAX_DEAD, Pump
from gateway.publish.timing import Timing
from gateway.wire.topics import event_topic
from tests.support.fake_journal import FakeJournal
from tests.support.fake_sender import FakeSender
from tests.support.publishing import PLACES, PRESS, TOPICS, count, status
from tests.support.until import until
from tests.unit.publish.running import Waits, running


@dataclass
class Stage:
    """A pump and what it stands between."""

    places: Places = PLACES
    window: int = 4
    journal: FakeJournal = field(default_factory=FakeJournal)
    sender: FakeSender = field(default_factory=FakeSender)
    counts: Counts = field(default_factory=Counts)
    waits: Waits = field(default_factory=Waits)
    dead: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        timing = Timing(sleep=self.waits.sleep, uniform=lambda _low, high: high)
        self.pump = Pump(
            self.journal,
            self.places,
            self.counts,
            window=self.window,
            max_rate_per_s=1e9,
            timing=timing,
            set_aside=self.set_aside,
        )

    async def set_aside(self, row: Row, reason: str) -> None:
        self.dead.append((row.seq, reason))

    def run(self, sender: FakeSender | None = None) -> Coroutine[Any, Any, Any]:
        return self.pump.run(sender or self.sender, self.journal.head())


async def test_rows_leave_in_order_and_only_a_window_of_them() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.journal.commit("press-03", *(count(n) for n in range(9)))
    async with running(stage.run()):
        await until(lambda: len(stage.sender.sent) == 4)
        stage.sender.sent[0].confirmed.set_result(None)
        await until(lambda: len(stage.sender.sent) == 5)
    assert stage.sender.seqs() == [1, 2, 3, 4, 5]
    assert stage.journal.cursor(CURSOR) == 1


async def test_the_cursor_moves_over_the_confirmed_prefix_only() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.journal.commit("press-03", *(count(n) for n in range(3)))
    async with running(stage.run()):
        await until(lambda: len(stage.sender.sent) == 3)
        stage.sender.sent[1].confirmed.set_result(None)
        stage.sender.sent[2].confirmed.set_result(None)
        await asyncio.sleep(0)
        assert stage.journal.advances == []
        stage.sender.sent[0].confirmed.set_result(None)
        await until(lambda: stage.journal.cursor(CURSOR) == 3)
    assert stage.journal.advances == [3]


async def test_after_a_loss_the_first_unconfirmed_row_comes_first() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.journal.commit("press-03", *(count(n) for n in range(3)))
    async with running(stage.run()) as (task,):
        await until(lambda: len(stage.sender.sent) == 3)
        stage.sender.sent[0].confirmed.set_result(None)
        stage.sender.sent[2].confirmed.set_result(None)
        await until(lambda: stage.journal.cursor(CURSOR) == 1)
        stage.sender.lose()
        with pytest.raises(ExceptionGroup) as caught:
            await task
    assert caught.group_contains(ConnectionLost)
    again = FakeSender()
    async with running(stage.run(again)):
        await stage.pump.reached(3)
    assert again.seqs() == [2, 3]


async def test_local_rows_never_leave_but_the_cursor_passes_them() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1), local=True)
    stage.journal.commit("oven-01", count(2))
    stage.journal.commit("press-03", count(3), local=True)
    async with running(stage.run()):
        await stage.pump.reached(3)
    assert stage.sender.seqs() == [2]
    assert stage.counts.published == 1


async def test_replay_means_committed_before_the_session() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1))
    async with running(stage.run()):
        await stage.pump.reached(1)
        stage.journal.commit("press-03", count(2))
        await stage.pump.reached(2)
    assert [one.content["replay"] for one in stage.sender.sent] == [True, False]


@pytest.mark.fault(
    53,
    injection="a broker confirms one topic with quota exceeded (0x97), twice",
    expectation="held and named with its code, neither set aside nor overtaken; then all in order",
)
@pytest.mark.parametrize(("code", "name"), [(0x87, "Not authorized"), (0x97, "Quota exceeded")])
async def test_a_refused_row_is_held_and_sent_again_with_what_follows(code: int, name: str) -> None:
    stage = Stage()
    stage.sender.reason_code = code
    denied = event_topic(PRESS, "status")
    stage.sender.denied.add(denied)
    stage.journal.commit("press-03", count(1), status(), count(2))
    async with running(stage.run()):
        await until(lambda: stage.waits.asked_s == [1.0])
        assert stage.journal.cursor(CURSOR) == 1
        held = stage.counts.held
        assert held is not None
        assert held.data() == {
            "seq": 2,
            "topic": denied,
            "reason": name,
            "reason_code": code,
            "times": 1,
        }
        stage.waits.wake()
        await until(lambda: stage.waits.asked_s == [1.0, 2.0])
        stage.sender.denied.clear()
        stage.waits.wake()
        await stage.pump.reached(3)
    assert stage.sender.seqs()[-2:] == [2, 3]
    assert (stage.dead, stage.counts.held) == ([], None)
    assert (stage.counts.refused, stage.counts.published) == (2, 3)


async def test_a_hold_is_logged_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.journal.commit("press-03", status())
    async with running(stage.run()):
        for times in range(1, 4):
            await until(lambda times=times: len(stage.waits.asked_s) == times)  # type: ignore[misc]
            stage.waits.wake()
        await until(lambda: len(stage.waits.asked_s) == 4)
        stage.sender.denied.clear()
        stage.waits.wake()
        await stage.pump.reached(1)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "held at seq 1",
        "seq 1 was accepted after 4 refusals",
    ]


async def test_after_five_refusals_the_session_is_given_up() -> None:
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.journal.commit("press-03", status())
    async with running(stage.run()) as (task,):
        while not task.done():
            stage.waits.wake()
            await asyncio.sleep(0)
        with pytest.raises(ConnectionLost, match="refused"):
            await task
    assert stage.counts.refused == 5


async def test_refused_apart_from_order_is_still_in_order() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.journal.commit("press-03", count(1), count(2), count(3))
    async with running(stage.run()):
        await until(lambda: len(stage.sender.sent) == 3)
        stage.sender.sent[2].confirmed.set_result(None)
        stage.sender.sent[1].confirmed.set_exception(Refused("quota", 0x97))
        stage.sender.sent[0].confirmed.set_result(None)
        await until(lambda: stage.waits.asked_s == [1.0])
        assert stage.journal.cursor(CURSOR) == 1
        stage.sender.confirms = True
        stage.waits.wake()
        await stage.pump.reached(3)
    assert stage.sender.seqs() == [1, 2, 3, 2, 3]


async def test_equipment_that_left_the_configuration_still_delivers() -> None:
    stage = Stage(places=Places(TOPICS, {}))
    stage.journal.commit("press-09", count(1))
    async with running(stage.run()):
        await stage.pump.reached(1)
    assert [one.topic for one in stage.sender.sent] == ["mg/v1/suzhou/_/_/press-09/evt/count"]


async def test_what_has_moved_is_sent_where_it_is_now() -> None:
    stage = Stage(places=replace(PLACES))
    stage.journal.commit("press-03", count(1))
    async with running(stage.run()):
        await stage.pump.reached(1)
        stage.places.become(Places(TOPICS, {"press-03": replace(PRESS, line="line-9")}))
        stage.journal.commit("press-03", count(2))
        await stage.pump.reached(2)
    assert [one.topic for one in stage.sender.sent] == [
        "mg/v1/suzhou/stamping/line-2/press-03/evt/count",
        "mg/v1/suzhou/stamping/line-9/press-03/evt/count",
    ]
    assert stage.sender.sent[1].content["subject"] == "suzhou/stamping/line-9/press-03"


async def test_rows_keep_the_epoch_they_were_committed_in() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1))
    stage.journal.new_epoch("t5k2m1-0000")
    stage.journal.commit("press-03", count(2))
    async with running(stage.run()):
        await stage.pump.reached(2)
    ids = [one.content["id"] for one in stage.sender.sent]
    assert ids == ["t5k2m0-9f3a-1", "t5k2m1-0000-2"]


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x90, "Topic name invalid"), (0x95, "Packet too large"), (0x99, "Payload format invalid")],
)
async def test_what_no_broker_takes_is_set_aside_and_the_rest_goes_on(code: int, name: str) -> None:
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.sender.reason_code = code
    stage.journal.commit("press-03", count(1), status(), count(2))
    async with running(stage.run()):
        await stage.pump.reached(3)
    assert stage.dead == [(2, name)]
    assert (stage.counts.held, stage.counts.dead_letters, stage.counts.published) == (None, 1, 2)


@pytest.mark.parametrize("code", [0x80, 0x87, 0x97])
async def test_what_a_person_can_put_right_is_never_set_aside(code: int) -> None:
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.sender.reason_code = code
    stage.journal.commit("press-03", status())
    async with running(stage.run()):
        for times in range(1, 5):
            await until(lambda times=times: len(stage.waits.asked_s) == times)  # type: ignore[misc]
            stage.waits.wake()
    assert (stage.dead, stage.journal.cursor(CURSOR)) == ([], 0)


async def test_a_refusal_that_says_nothing_is_believed_the_third_time() -> None:
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.sender.reason_code = 0x83
    stage.journal.commit("press-03", status(), count(1))
    async with running(stage.run()):
        for times in (1, 2):
            await until(lambda times=times: len(stage.waits.asked_s) == times)  # type: ignore[misc]
            assert stage.dead == []
            stage.waits.wake()
        await stage.pump.reached(2)
    assert [seq for seq, _ in stage.dead] == [1]


async def test_a_broker_that_takes_nothing_at_all_is_not_believed() -> None:
    stage = Stage()
    stage.sender.denied.add(event_topic(PRESS, "count"))
    stage.sender.reason_code = 0x90
    stage.journal.commit("press-03", *(count(n) for n in range(MAX_DEAD + 5)))
    async with running(stage.run()):
        await until(lambda: stage.waits.asked_s == [1.0])
        held = stage.counts.held
    assert len(stage.dead) == stage.journal.cursor(CURSOR) == MAX_DEAD
    assert held is not None


async def ended(stage: Stage, code: int, sent: list[int]) -> None:
    """Let a session end so that nothing it sent was confirmed."""
    silent = FakeSender(confirms=False)
    async with running(stage.run(silent)):
        await until(lambda: silent.seqs() == sent)
    stage.pump.session_ended(code)


async def test_what_alone_ends_the_connection_three_times_is_too_large() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1), status())
    await ended(stage, TOO_LARGE, [1, 2])  # it may have been either
    for _ in range(3):
        await ended(stage, TOO_LARGE, [1])
        assert stage.dead == []
    async with running(stage.run(FakeSender())):
        await stage.pump.reached(2)
    assert [seq for seq, _ in stage.dead] == [1]


async def test_what_is_closed_without_a_word_gives_an_alarm_and_is_kept() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1), status())
    await ended(stage, CLOSED, [1, 2])
    for times in range(1, 4):
        await ended(stage, CLOSED, [1])
        assert (stage.counts.held is None) is (times < 3)
    async with running(stage.run()):
        stage.journal.commit("press-03", *(count(n) for n in range(2, 12)))
        await stage.pump.reached(12)
    assert (stage.dead, stage.counts.held, stage.sender.seqs()) == ([], None, list(range(1, 13)))


async def test_a_pause_lets_what_is_under_way_arrive() -> None:
    stage = Stage(sender=FakeSender(confirms=False))
    stage.journal.commit("press-03", *(count(n) for n in range(9)))
    async with running(stage.run()):
        await until(lambda: len(stage.sender.sent) == 4)
        pausing = asyncio.create_task(stage.pump.pause(5))
        await asyncio.sleep(0)
        for one in stage.sender.sent[:4]:
            one.confirmed.set_result(None)
        await pausing
    assert stage.sender.seqs() == [1, 2, 3, 4]
    assert stage.journal.cursor(CURSOR) == 4
