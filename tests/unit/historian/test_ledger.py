import random
from dataclasses import replace

import pytest

from gateway.historian.ledger import Ledger, Loss, Series, Stream
from gateway.historian.runs import Hole
from gateway.wire.cloudevent import Envelope
from tests.support.stores import EPOCH, SOURCE, START, count_data, envelope, status_data

COUNTS = Stream(SOURCE, EPOCH, "press-03", "count")
SERIES = Series(SOURCE, EPOCH)


def count(seq: int, streamseq: int) -> Envelope:
    return envelope("count", seq, streamseq, count_data(1, streamseq))


def gap(seq: int, streamseq: int, first: int | None, last: int | None) -> Envelope:
    data = {"stream": "count", "from_streamseq": first, "to_streamseq": last, "count": 1}
    return envelope("gap", seq, streamseq, data | {"reason": "retention"})


def given_rows(*events: Envelope) -> Ledger:
    ledger = Ledger()
    ledger.adopt(ledger.plan(events))
    return ledger


def test_a_plan_changes_nothing_until_it_is_adopted() -> None:
    ledger = Ledger()
    changes = ledger.plan([count(1, 1)])
    assert ledger.marks == {}
    ledger.adopt(changes)
    assert ledger.marks[COUNTS].last == 1


def test_the_mark_waits_at_a_hole_and_moves_over_what_was_stored_ahead() -> None:
    ledger = given_rows(count(1, 1), count(5, 3), count(6, 4))
    assert ledger.marks[COUNTS].last == 1
    assert ledger.holes(SERIES) == [(COUNTS, Hole(2, 2, 2, 4))]
    ledger.adopt(ledger.plan([count(3, 2)]))
    assert (ledger.marks[COUNTS].last, ledger.marks[COUNTS].last_seq) == (4, 6)
    assert ledger.holes(SERIES) == []


def test_a_gap_event_accounts_for_the_hole_it_names() -> None:
    ledger = given_rows(count(1, 1), count(9, 5))
    ledger.adopt(ledger.plan([gap(10, 1, 2, 4)]))
    assert ledger.marks[COUNTS].last == 5


@pytest.mark.parametrize(("target", "mark"), [("mqtt", 5), ("push/mes", 1)])
def test_a_gap_of_a_push_target_is_none_of_what_came_over_mqtt(target: str, mark: int) -> None:
    ledger = given_rows(count(1, 1), count(9, 5))
    named = gap(10, 1, 2, 4)
    ledger.adopt(ledger.plan([replace(named, data=named.data | {"target": target})]))
    assert ledger.marks[COUNTS].last == mark


@pytest.mark.parametrize(("first", "last"), [(None, None), (3, 2), (0, 4)])
def test_a_gap_event_without_a_range_accounts_for_nothing(
    first: int | None, last: int | None
) -> None:
    ledger = given_rows(count(1, 1), count(9, 5), gap(10, 1, first, last))
    assert ledger.marks[COUNTS].last == 1


def test_a_written_off_loss_lets_the_mark_move() -> None:
    ledger = given_rows(count(1, 1), count(9, 5))
    (stream, hole), *_ = ledger.holes(SERIES)
    changes = ledger.plan_loss([Loss(stream, hole, "gone")])
    ledger.adopt(changes)
    assert ledger.marks[COUNTS].last == 5
    assert changes.losses


def test_streams_and_epochs_do_not_mix() -> None:
    other = envelope("count", 2, 2, count_data(1, 2), epoch="t5k2m1-0000")
    status = envelope("status", 3, 2, status_data("idle", START))
    ledger = given_rows(count(1, 1), other, status)
    assert ledger.marks[COUNTS].last == 1
    assert len(ledger.holes(SERIES)) == 1
    assert len(ledger.holes(Series(SOURCE, "t5k2m1-0000"))) == 1


def test_the_position_is_the_seq_without_a_hole_below() -> None:
    ledger = given_rows(count(1, 1), count(2, 2), count(4, 3))
    assert ledger.position(SERIES) == 2
    ledger.adopt(ledger.plan_position(SERIES, 3))
    assert ledger.position(SERIES) == 4
    assert Ledger(ledger.marks, {SERIES: 4}).position(SERIES) == 4


def test_far_more_holes_than_it_keeps_cost_only_the_short_cut() -> None:
    ledger = Ledger()
    for n in range(1, 400):
        ledger.adopt(ledger.plan([count(2 * n, n)]))
    assert len(ledger.positions[SERIES].runs) <= 101
    assert ledger.marks[COUNTS].last == 399


def test_any_order_gives_the_same_marks() -> None:
    events = [count(n, n) for n in range(1, 50)]
    shuffled = random.Random(7).sample(events, len(events))
    assert given_rows(*events).marks == given_rows(*shuffled).marks
