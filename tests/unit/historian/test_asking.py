"""The asker against a world that loses, repeats and denies; time is a number."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.historian.asking import Asker, Request
from gateway.historian.ledger import Ledger, Series
from gateway.historian.missing import Report, read_report
from gateway.wire.cloudevent import Envelope
from tests.support.stores import EPOCH, SOURCE, count_data, envelope

SERIES = Series(SOURCE, EPOCH)


def counts(seqs: Iterable[int]) -> list[Envelope]:
    return [envelope("count", n, n, count_data(1, n)) for n in seqs]


class World:
    """A gateway's journal (seq 1..head, all counts), our ledger, and the asker between."""

    def __init__(self, head: int, first: int = 1) -> None:
        self.now_s = 0.0
        self.head = head
        self.first = first
        self.ledger = Ledger()
        ids = iter(range(10_000))
        self.asker = Asker(lambda: f"c{next(ids)}", settle_s=1, patience_s=10)
        self.asker.connected(self.now_s)
        self.now_s = 2.0
        self.asked: list[tuple[int, int]] = []
        self.lost = 0

    def receive(self, seqs: Iterable[int]) -> None:
        events = counts(seqs)
        self.ledger.adopt(self.ledger.plan(events))
        self.asker.stored(events, self.now_s)

    def report(self, sent: int | None = None) -> None:
        sent = self.head if sent is None else sent
        body = {"epoch": EPOCH, "last_seq": {"count": self.head}, "sent_seq": sent}
        report = read_report(SOURCE, body)
        assert report is not None
        self.asker.report(report)

    def turn(self) -> Request | None:
        self.asker.learn(self.ledger)
        positions, losses = self.asker.settled(self.ledger, self.now_s)
        for series, seq in positions:
            self.ledger.adopt(self.ledger.plan_position(series, seq))
        if losses:
            self.lost += sum(loss.hole.last - loss.hole.first + 1 for loss in losses)
            self.ledger.adopt(self.ledger.plan_loss(losses))
        due = self.asker.due(self.ledger, self.now_s)
        assert len(due) <= 1
        if not due:
            return None
        self.asked.append((due[0].from_seq, due[0].to_seq))
        return due[0]

    def answer(self, request: Request, **body: Any) -> str | None:
        return self.asker.answer({"command_id": request.command_id} | body, self.now_s)

    def serve(self, request: Request, drop: frozenset[int] = frozenset()) -> None:
        if request.from_seq < self.first:
            error = {"error": "OUT_OF_RANGE", "first_seq": self.first, "last_seq": self.head}
            self.answer(request, accepted=False, epoch=EPOCH, **error)
            return
        rows = range(request.from_seq, min(request.to_seq, self.head) + 1)
        self.receive(n for n in rows if n not in drop)
        self.answer(request, accepted=True, count=len(rows), upto_seq=request.to_seq)


def test_nothing_is_asked_before_the_queue_had_time_to_come() -> None:
    world = World(9)
    world.report()
    world.now_s = 0.5
    assert world.turn() is None
    world.now_s = 1.5
    assert world.turn() is not None


def test_what_came_by_itself_is_not_asked_for() -> None:
    world = World(9)
    world.receive(range(1, 10))
    world.report()
    assert world.turn() is None


def test_what_is_not_sent_yet_is_not_asked_for() -> None:
    world = World(100)
    world.receive(range(1, 41))
    world.report(sent=40)
    assert world.turn() is None


def test_one_request_at_a_time_and_a_chunk_at_most() -> None:
    world = World(25_000)
    world.report()
    first = world.turn()
    assert first is not None
    assert world.turn() is None
    for _ in range(3):
        world.serve(first)
        first = world.turn() or first
    assert world.asked == [(1, 10_000), (10_001, 20_000), (20_001, 25_000)]
    assert world.ledger.position(SERIES) == 25_000


def test_a_replay_that_lost_rows_on_its_way_is_asked_again() -> None:
    world = World(9)
    world.report()
    request = world.turn()
    assert request is not None
    world.serve(request, drop=frozenset({9}))
    assert world.turn() is None
    world.now_s += 11
    assert world.turn() is None  # the delay after a failure
    world.now_s += 2
    assert world.turn() is not None
    assert world.asked == [(1, 9), (9, 9)]


def test_delays_grow_without_an_answer() -> None:
    world = World(9)
    world.report()
    times: list[float] = []
    while len(times) < 9:
        if world.turn() is not None:
            times.append(world.now_s)
        world.now_s += 0.5
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert 10 <= waits[0] <= 12
    assert waits[-1] >= 70


def test_a_gateway_that_is_offline_is_not_asked() -> None:
    world = World(9)
    world.report()
    world.asker.online(SOURCE, is_online=False)
    assert world.turn() is None
    world.asker.online(SOURCE, is_online=True)
    assert world.turn() is not None


def test_a_refusal_is_told_and_retried_later() -> None:
    world = World(9)
    world.report()
    request = world.turn()
    assert request is not None
    assert world.answer(request, accepted=False, error="BUSY") == "BUSY"
    assert world.turn() is None
    world.now_s += 2
    assert world.turn() is not None


def test_an_answer_to_somebody_else_changes_nothing() -> None:
    world = World(9)
    world.report()
    assert world.turn() is not None
    assert world.asker.answer({"command_id": "other", "accepted": True, "count": 0}, 0) is None
    assert world.turn() is None


def test_a_gateway_that_went_less_far_is_asked_for_the_rest() -> None:
    world = World(9)
    world.report()
    request = world.turn()
    assert request is not None
    world.receive(range(1, 5))
    world.answer(request, accepted=True, count=4, upto_seq=4)
    assert world.turn() is None
    world.now_s += 2
    assert world.turn() is not None
    assert world.asked == [(1, 9), (5, 9)]


def test_an_unknown_epoch_is_written_off_only_when_nothing_of_it_is_there() -> None:
    world = World(9)
    world.receive([1, 5])
    world.report(sent=5)
    request = world.turn()
    assert request is not None
    refusal = {"error": "OUT_OF_RANGE", "first_seq": 1, "last_seq": 9, "epoch": "other-0000"}
    world.answer(request, accepted=False, **refusal)
    assert world.turn() is None
    assert world.lost == 0
    world.report(sent=5)
    assert world.turn() is None
    assert world.lost == 3


def test_a_loss_waits_for_a_report_that_is_younger_than_the_replay() -> None:
    world = World(20, first=11)
    world.receive([1, *range(11, 21)])
    world.report()
    request = world.turn()
    assert request is not None
    world.serve(request)
    assert world.turn() is None
    assert world.lost == 0
    world.report()
    world.turn()
    assert world.lost == 9
    assert world.ledger.holes(SERIES) == []


def test_a_report_from_before_we_were_slow_proves_nothing() -> None:
    """What was dropped is hidden by newer words; only a newer report can tell."""
    world = World(9)
    world.receive(range(1, 10))
    world.report()
    assert world.turn() is None
    world.asker.suspect()
    assert world.turn() is None
    world.head = 12
    world.ledger.adopt(world.ledger.plan([envelope("count", 12, 1, {}, equipment="oven-01")]))
    world.report()
    assert world.turn() is not None
    assert world.asked == [(10, 12)]


def test_being_slow_makes_the_broker_suspect() -> None:
    """The newest of one stream was dropped, newer ones of another equipment hide it."""
    world = World(9)
    world.receive(range(1, 10))
    world.report()
    assert world.turn() is None
    world.head = 12
    hidden = envelope("count", 12, 1, count_data(0, 0), equipment="oven-01")
    world.ledger.adopt(world.ledger.plan([*counts([10]), hidden]))
    world.asker.suspect()
    world.report()
    assert world.turn() is not None
    assert world.asked == [(11, 12)]


def test_being_fast_is_proof_enough_of_what_no_number_tells() -> None:
    """A seq that never left the gateway (an equipment in commissioning) is no hole for ever."""
    world = World(9)
    world.receive(range(1, 10))
    world.report()
    world.turn()
    world.head = 12
    other = envelope("count", 12, 1, count_data(0, 0), equipment="oven-01")
    world.ledger.adopt(world.ledger.plan([*counts([10]), other]))
    world.report()
    assert world.turn() is None
    assert world.ledger.position(SERIES) == 12


@pytest.mark.parametrize(
    "health",
    [{}, {"epoch": EPOCH}, {"epoch": EPOCH, "last_seq": 5, "sent_seq": 1}, {"epoch": 1}],
)
def test_a_health_that_says_nothing_is_no_report(health: dict[str, Any]) -> None:
    assert read_report(SOURCE, health) is None


def test_a_report_speaks_of_what_was_sent() -> None:
    body = {"epoch": EPOCH, "last_seq": {"count": 9, "status": 4, "x": None}, "sent_seq": 6}
    assert read_report(SOURCE, body) == Report(SERIES, {"status": 4}, 6)


@settings(max_examples=60, deadline=None)
@given(
    head=st.integers(1, 60),
    first=st.integers(1, 30),
    came=st.sets(st.integers(1, 60)),
    drops=st.lists(st.sets(st.integers(1, 60)), max_size=4),
)
def test_in_the_end_all_that_exists_is_here_and_the_rest_is_written_off(
    head: int, first: int, came: set[int], drops: list[set[int]]
) -> None:
    first = min(first, head)
    world = World(head, first)
    world.receive(sorted(n for n in came if n <= head))
    losses = iter(drops)
    for _ in range(400):
        request = world.turn()
        if request is not None:
            world.serve(request, drop=frozenset(next(losses, set())))
        else:
            world.report()
            world.now_s += 5
    (runs,) = [runs for stream, runs in world.ledger.marks.items() if stream.type == "count"]
    assert runs.last == head
    assert world.ledger.position(SERIES) == head
    assert world.lost == len(set(range(1, first)) - came)
    assert len(world.asked) < 40


class Half(World):
    """Of the journal's rows the even ones are of our part of the plant."""

    def __init__(self, head: int) -> None:
        super().__init__(head)
        ids = iter(range(10_000))
        self.asker = Asker(lambda: f"c{next(ids)}", settle_s=1, patience_s=10, is_part=True)
        self.asker.connected(0.0)

    def receive(self, seqs: Iterable[int]) -> None:
        events = [envelope("count", n, n // 2, count_data(1, n)) for n in seqs]
        self.ledger.adopt(self.ledger.plan(events))
        self.asker.stored(events, self.now_s)

    def surveyed(self, newest: int) -> None:
        """Report, be asked what is newest of our part, and say it."""
        self.report()
        survey = self.turn()
        assert survey is not None
        assert survey.is_survey
        self.say(survey, newest)

    def say(self, survey: Request, newest: int) -> None:
        self.answer(survey, accepted=True, count=0, upto_seq=self.head, newest={"count": newest})


def content_half() -> Half:
    """One that has all ten rows up to 10 and knows it."""
    world = Half(11)
    world.receive(range(2, 11, 2))
    world.surveyed(newest=10)
    asked = world.turn()
    assert asked is not None
    assert (asked.from_seq, asked.to_seq) == (1, 10)
    world.answer(asked, accepted=True, count=0, upto_seq=10)
    assert world.turn() is None
    world.surveyed(newest=10)
    assert world.turn() is None
    return world


def test_who_reads_a_part_is_content_when_it_has_what_is_newest_there() -> None:
    world = content_half()
    world.report()
    assert world.turn() is None  # nothing has moved
    world.head = 15  # of the others
    world.surveyed(newest=10)
    assert world.turn() is None
    assert world.ledger.position(SERIES) == 10


def test_who_reads_a_part_asks_for_a_tail_the_broker_dropped() -> None:
    world = content_half()
    world.head = 20
    world.receive([12, 14, 16, 18])
    world.surveyed(newest=20)
    missing = world.turn()
    assert missing is not None
    assert (missing.from_seq, missing.to_seq, missing.is_survey) == (11, 20, False)


def test_a_survey_answered_after_something_may_have_been_dropped_proves_nothing() -> None:
    world = Half(4)
    world.receive([2, 4])
    world.report()
    survey = world.turn()
    assert survey is not None
    world.asker.suspect()
    world.say(survey, newest=4)
    assert world.turn() is None
    world.report()
    again = world.turn()
    assert again is not None
    assert again.is_survey
