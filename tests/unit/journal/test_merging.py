from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import Count, Gap
from gateway.domain.vocabulary import Order, packed
from gateway.journal.merging import CountRow, Merged, merge
from gateway.journal.numbering import unix_ms
from gateway.journal.retention import QUARTER_MS
from tests.support.clock import MORNING

ORDERS = (None, Order("WO-1"), Order("WO-2"))


def row(seq: int, total: float, *, delta: float = 1, streamseq: int = 0, **more: Any) -> CountRow:
    at = more.pop("at", MORNING + timedelta(seconds=seq))
    kind: dict[str, Any] = {"counter": "good", "kind": "good", "raw": total} | more
    begin = at - timedelta(seconds=1)
    count = Count(at=at, delta=delta, total=total, window_from=begin, **kind)
    return CountRow(seq, "press-07", streamseq or seq, unix_ms(at), packed(count.data()))


def data_of(rows: list[CountRow], merged: Merged) -> list[dict[str, Any]]:
    """What is left of the rows, in order."""
    gone, changed = {row.seq for row in merged.gone}, dict(merged.changed)
    return [orjson.loads(changed.get(r.seq, r.data)) for r in rows if r.seq not in gone]


def merged(rows: list[CountRow], slot_ms: int | None = None) -> list[dict[str, Any]]:
    return data_of(rows, merge(rows, slot_ms=slot_ms, at=MORNING))


def test_neighbours_become_the_newest_of_them() -> None:
    rows = [row(n, 500 + n, cycle_time_ms=1000 * n) for n in range(1, 4)]
    first, _, last = (orjson.loads(row.data) for row in rows)
    assert merged(rows) == [
        last
        | {
            "delta": 3,
            "cycle_time_ms": 2000,
            "window": {"from": first["window"]["from"], "to": last["window"]["to"]},
        }
    ]
    result = merge(rows, slot_ms=None, at=MORNING)
    assert [seq for seq, _ in result.changed] == [3]
    (entry,) = result.gaps
    gap = Gap(
        at=MORNING, stream="count", reason="merged", count=2, from_streamseq=1, to_streamseq=2
    )
    assert list(entry.events) == [gap]


@pytest.mark.parametrize(
    "differs",
    [
        {"order": Order("WO-2")},
        {"order": Order("WO-1", operator="li")},
        {"unit": "kg"},
        {"time_quality": "unsynced"},
        {"order_ambiguous": True},
        {"anomaly": "reset"},
        {"refused": 1},
        {"origin": "manual", "by": "li"},
    ],
)
def test_what_a_consumer_books_differently_stays_apart(differs: dict[str, Any]) -> None:
    order: dict[str, Any] = {"order": Order("WO-1")}
    rows = [row(1, 1, **order), row(2, 2, **order | differs), row(3, 3, **order)]
    assert len(merged(rows)) == 3


def test_a_total_that_does_not_go_on_ends_what_is_merged() -> None:
    assert [one["total"] for one in merged([row(1, 1), row(2, 2), row(4, 4), row(5, 5)])] == [2, 5]


def test_no_hour_gets_the_parts_of_another() -> None:
    start = MORNING.replace(minute=14)
    rows = [row(n, n, at=start + timedelta(seconds=20 * n)) for n in range(1, 7)]
    assert [one["delta"] for one in merged(rows, QUARTER_MS)] == [2, 4]


def test_tenths_add_up() -> None:
    rows = [row(n, round(n / 10, 1), delta=0.1) for n in range(1, 101)]
    assert [(one["delta"], one["total"]) for one in merged(rows)] == [(10.0, 10.0)]


def test_what_is_not_understood_is_left_alone() -> None:
    odd = CountRow(2, "press-07", 2, 0, b"{not json")
    rows = [row(1, 1), odd, row(3, 3)]
    result = merge(rows, slot_ms=None, at=MORNING)
    assert not result.gone
    assert not result.changed
    assert not result.gaps


STEPS = st.tuples(
    st.sampled_from(["good", "reject"]),
    st.integers(0, 9),
    st.sampled_from(ORDERS),
    st.sampled_from(["none", "none", "none", "jump", "baseline"]),
    st.integers(1, 600),
)


@given(st.lists(STEPS, max_size=40), st.sampled_from([QUARTER_MS, None]))
def test_sums_totals_and_times_are_what_they_were(
    steps: list[tuple[str, int, Order | None, Any, int]], slot_ms: int | None
) -> None:
    totals, at, rows = {"good": 70, "reject": 3}, MORNING, []
    for seq, (counter, delta, order, anomaly, wait_s) in enumerate(steps, 1):
        at += timedelta(seconds=wait_s)
        totals[counter] += delta
        more = {"counter": counter, "order": order, "anomaly": anomaly, "at": at}
        rows.append(row(2 * seq, totals[counter], delta=delta, streamseq=seq, **more))
    result = merge(rows, slot_ms=slot_ms, at=MORNING)
    before, after = [orjson.loads(row.data) for row in rows], data_of(rows, result)

    def booked(counts: list[dict[str, Any]]) -> dict[Any, Fraction]:
        """What a consumer sums up, by what it books on."""
        sums: dict[Any, Fraction] = {}
        for one in counts:
            end_ms = unix_ms(datetime.fromisoformat(one["window"]["to"]))
            slot = None if slot_ms is None else end_ms // slot_ms
            key = (one["counter"], orjson.dumps(one["order"]), one["anomaly"], slot)
            sums[key] = sums.get(key, Fraction(0)) + Fraction(one["delta"])
        return sums

    assert booked(after) == booked(before)
    for counter, total in totals.items():
        own = [one for one in after if one["counter"] == counter]
        for last, one in pairwise(own):
            assert last["total"] + one["delta"] == one["total"]
            assert last["window"]["to"] <= one["window"]["from"]
        assert own[-1:] == [] or own[-1]["total"] == total
    untouched = {row.data for row in rows} | {data for _, data in result.changed}
    assert {packed(one) for one in after} <= untouched
    named = {
        number
        for entry in result.gaps
        for gap in entry.events
        if isinstance(gap, Gap)
        for number in range(gap.from_streamseq or 0, (gap.to_streamseq or 0) + 1)
    }
    assert named == {row.streamseq for row in result.gone}
