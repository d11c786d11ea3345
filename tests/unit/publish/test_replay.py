from dataclasses import dataclass, field
from datetime import timedelta

import orjson

from gateway.domain.vocabulary import Json, stamp
from gateway.ops.mqtt_terms import Message
from gateway.publish.counts import Counts
from gateway.publish.pump import CURSOR
from gateway.publish.replay import MAX_WAITING, Replays
from gateway.publish.replies import Replies
from gateway.publish.sending import Oversize
from gateway.publish.timing import Timing
from gateway.wire.topics import event_topic
from tests.support.clock import MORNING, FakeClock
from tests.support.fake_journal import EPOCH, FakeJournal
from tests.support.fake_sender import FakeSender
from tests.support.publishing import PLACES, PRESS, TOPICS, count, status
from tests.support.until import until
from tests.unit.publish.running import running


@dataclass
class Stage:
    journal: FakeJournal = field(default_factory=FakeJournal)
    sender: FakeSender = field(default_factory=FakeSender)
    counts: Counts = field(default_factory=Counts)
    clock: FakeClock = field(default_factory=FakeClock)
    rate_per_s: float = 1e9

    def __post_init__(self) -> None:
        self.replies = Replies(self.sender, TOPICS, self.counts)
        timing = Timing(clock=self.clock, sleep=self._sleep)
        self.replays = Replays(
            self.journal,
            PLACES,
            self.counts,
            max_rate_per_s=self.rate_per_s,
            timing=timing,
            oversize=Oversize(),
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def filled(self, rows: int) -> None:
        self.journal.commit("press-03", *(count(n) for n in range(1, rows + 1)))
        await self.journal.advance(CURSOR, rows)

    async def ask(self, id_: str, **content: object) -> None:
        payload = orjson.dumps({"command_id": id_} | content)
        command = Message(topic=TOPICS.cmd_replay, payload=payload, qos=1, retain=False, mid=1)
        await self.replays.handle(command, self.replies)

    async def served(self, *ids: str) -> list[Json]:
        """Run until each of these was answered; return the answers."""
        async with running(self.replays.run(self.sender, self.replies)):
            await until(lambda: all(self.sender.on(TOPICS.reply(id_)) for id_ in ids))
        return [self.sender.on(TOPICS.reply(id_))[0] for id_ in ids]


async def test_a_range_goes_out_marked_as_replay_and_is_counted() -> None:
    stage = Stage()
    await stage.filled(200)
    await stage.ask("r-1", from_seq=20, to_seq=180)
    (answer,) = await stage.served("r-1")
    assert stage.sender.seqs() == list(range(20, 181))
    assert all(one.content.get("replay", True) for one in stage.sender.sent)
    assert answer == {
        "command_id": "r-1",
        "accepted": True,
        "first_seq": 20,
        "last_seq": 180,
        "count": 161,
        "upto_seq": 180,
        "epoch": EPOCH,
    }
    assert stage.counts.replayed == 161
    assert stage.sender.sent[-1].topic == TOPICS.reply("r-1")


async def test_a_replay_takes_a_tenth_of_the_rate() -> None:
    stage = Stage(rate_per_s=1000.0)
    await stage.filled(300)
    began_s = stage.clock.mono_s()
    await stage.ask("r-1", from_seq=1)
    await stage.served("r-1")
    assert 2.9 < stage.clock.mono_s() - began_s < 3.1


async def test_requests_take_turns() -> None:
    stage = Stage()
    await stage.filled(500)
    await stage.ask("long", from_seq=1)
    await stage.ask("short", from_seq=490, to_seq=491)
    await stage.served("long", "short")
    answers = [one.topic for one in stage.sender.sent if "/reply/" in one.topic]
    assert answers == [TOPICS.reply("short"), TOPICS.reply("long")]


async def test_it_never_runs_ahead_of_the_pump() -> None:
    stage = Stage()
    await stage.filled(10)
    stage.journal.commit("press-03", *(count(n) for n in range(11, 21)))
    await stage.ask("r-1", from_seq=5, to_seq=20)
    await stage.ask("r-2", from_seq=15)
    first, second = await stage.served("r-1", "r-2")
    assert stage.sender.seqs() == [5, 6, 7, 8, 9, 10]
    assert (first["last_seq"], first["upto_seq"]) == (10, 10)
    assert (second["accepted"], second["count"]) == (True, 0)


async def test_nothing_new_is_no_loss() -> None:
    stage = Stage()
    await stage.filled(10)
    await stage.ask("r-1", from_seq=11)
    (answer,) = await stage.served("r-1")
    assert (answer["accepted"], answer["count"], answer["first_seq"]) == (True, 0, None)


async def test_what_is_not_there_is_out_of_range() -> None:
    stage = Stage()
    await stage.filled(10)
    stage.journal.forget_before(4)
    await stage.ask("gone", from_seq=3)
    await stage.ask("future", from_seq=12)
    await stage.ask("other", from_seq=5, epoch="t5k2m9-0000")
    for answer in await stage.served("gone", "future", "other"):
        assert answer["error"] == "OUT_OF_RANGE"
        assert (answer["first_seq"], answer["last_seq"]) == (4, 10)
    assert stage.sender.seqs() == []


async def test_a_range_of_time_and_of_kind() -> None:
    stage = Stage()
    await stage.filled(10)
    stage.journal.commit("oven-01", count(5))
    stage.journal.commit("press-03", status(), count(6), local=True)
    await stage.journal.advance(CURSOR, 13)
    start, end = stamp(MORNING + timedelta(seconds=4)), stamp(MORNING + timedelta(seconds=6))
    await stage.ask("r-1", **{"from": start, "to": end}, equipment="press-03", types=["count"])
    await stage.served("r-1")
    assert stage.sender.seqs() == [4, 5, 6]


async def test_an_older_epoch_is_sent_under_its_own_name() -> None:
    stage = Stage()
    await stage.filled(3)
    stage.journal.new_epoch("t5k2m1-0000")
    stage.journal.commit("press-03", count(4))
    await stage.journal.advance(CURSOR, 4)
    await stage.ask("r-1", from_seq=1, epoch=EPOCH)
    await stage.served("r-1")
    ids = [one.content["id"] for one in stage.sender.sent if "/evt/" in one.topic]
    assert ids == [f"{EPOCH}-{seq}" for seq in (1, 2, 3)]


async def test_the_same_id_twice_is_one_request() -> None:
    stage = Stage()
    await stage.filled(10)
    await stage.ask("r-1", from_seq=1)
    await stage.ask("r-1", from_seq=1)
    await stage.served("r-1")
    await stage.ask("r-1", from_seq=1)
    assert len(stage.sender.on(TOPICS.reply("r-1"))) == 2
    assert stage.sender.seqs() == list(range(1, 11))


async def test_too_many_are_told_so() -> None:
    stage = Stage()
    await stage.filled(1)
    for number in range(MAX_WAITING + 1):
        await stage.ask(f"r-{number}", from_seq=1)
    assert stage.sender.on(TOPICS.reply(f"r-{MAX_WAITING}"))[0]["error"] == "BUSY"


async def test_malformed_is_refused_with_the_reason() -> None:
    stage = Stage()
    await stage.ask("r-1")
    await stage.ask("r-2", from_seq="1")
    assert stage.sender.on(TOPICS.reply("r-1"))[0]["error"] == "MALFORMED"
    assert "from_seq" in stage.sender.on(TOPICS.reply("r-2"))[0]["reason"]


async def test_a_refused_row_ends_the_request_honestly() -> None:
    stage = Stage()
    await stage.filled(3)
    stage.sender.denied.add(event_topic(PRESS, "count"))
    await stage.ask("r-1", from_seq=1)
    (answer,) = await stage.served("r-1")
    assert (answer["accepted"], answer["error"]) == (False, "NOT_SENT")


async def test_a_row_the_broker_never_takes_is_left_out() -> None:
    stage = Stage()
    await stage.filled(3)
    stage.journal.commit("press-03", status())
    await stage.journal.advance(CURSOR, 4)
    stage.sender.denied.add(event_topic(PRESS, "status"))
    stage.sender.reason_code = 0x95
    await stage.ask("r-1", from_seq=1)
    (answer,) = await stage.served("r-1")
    assert (answer["accepted"], answer["count"], answer["last_seq"]) == (True, 3, 3)


async def test_who_asks_for_some_places_gets_those_and_hears_what_is_newest_there() -> None:
    stage = Stage()
    stage.journal.commit("press-03", count(1))
    stage.journal.commit("oven-01", count(2))
    stage.journal.commit("press-03", count(3), status())
    await stage.journal.advance(CURSOR, 3)
    await stage.ask("r-1", from_seq=1, places=["stamping/#"])
    await stage.ask("r-2", from_seq=5, places=["stamping/line-2/press-03"])
    first, second = await stage.served("r-1", "r-2")
    assert stage.sender.seqs() == [1, 3]
    assert (first["count"], first["newest"]) == (2, {"count": 3})
    assert (second["count"], second["newest"]) == (0, {"count": 3})  # the status waits for its turn


async def test_a_filter_nobody_understands_is_malformed() -> None:
    stage = Stage()
    await stage.filled(1)
    await stage.ask("r-1", from_seq=1, places=["#"])
    assert stage.sender.on(TOPICS.reply("r-1"))[0]["error"] == "MALFORMED"
