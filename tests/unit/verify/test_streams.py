from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.verify import streams
from gateway.verify.findings import Flaw
from gateway.verify.streams import Streams, without
from gateway.wire.cloudevent import Envelope
from tests.support.clock import MORNING

EPOCH = "t5k2m0-9f3a"
PLACE = "suzhou/stamping/line-2/press-03"


def event(number: int, seq: int | None = None, **other: Any) -> Envelope:
    seq = 10 * number if seq is None else seq
    plain = Envelope(
        id=f"{other.get('epoch', EPOCH)}-{seq}",
        source="/suzhou/gateways/gw-01",
        epoch=EPOCH,
        seq=seq,
        type="count",
        subject=PLACE,
        time=MORNING,
        recordedtime=MORNING,
        streamseq=number,
        replay=False,
        data={},
    )
    return replace(plain, **other)


def gap(number: int, first: int | None, last: int | None, **other: Any) -> Envelope:
    data = {"stream": "count", "from_streamseq": first, "to_streamseq": last}
    return event(number, type="gap", data=data, **other)


def judged(events: Iterable[Envelope]) -> tuple[list[str], list[str]]:
    """Return the codes of the flaws, and the holes at the end."""
    watched = Streams()
    flaws = [flaw.code for one in events for flaw in watched.take(f"t/evt/{one.type}", one)]
    return flaws, [flaw.detail for _, flaw in watched.holes()]


def test_in_order_and_complete() -> None:
    assert judged(event(number) for number in range(7, 12)) == ([], [])


def test_the_same_twice() -> None:
    assert judged([event(1), event(1)]) == (["repeated"], [])
    assert judged([event(1), event(1, replay=True)]) == ([], [])


def test_another_fact_under_the_same_id() -> None:
    for other in ({"data": {"total": 1}}, {"time": MORNING + timedelta(1)}, {"streamseq": 2}):
        assert judged([event(1), event(1, replay=True, **other)])[0] == ["changed"]


def test_identities_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "REMEMBERED", 2)
    assert judged([event(1), event(2), event(3), event(1, replay=True, data={"x": 1})])[0] == []
    assert judged([event(1), event(2), event(2)])[0] == ["repeated"]


def test_out_of_the_order_of_seq() -> None:
    assert judged([event(1, 20), event(2, 10)])[0] == ["order"]
    assert judged([event(1, 20), event(2, 10, type="status")])[0] == ["order"]
    assert judged([event(1, 20), event(2, 10, source="/suzhou/gateways/gw-02")])[0] == []
    assert judged([event(1, 20), event(2, 10, replay=True)])[0] == []


def test_an_older_epoch_after_a_newer_one() -> None:
    assert judged([event(1), event(1, 5, epoch="t5k2m9-0000")])[0] == []
    assert judged([event(1, 5, epoch="t5k2m9-0000"), event(1)])[0] == ["order"]


def test_a_hole() -> None:
    assert judged([event(1), event(5)]) == ([], [f"streamseq 2 to 4 of epoch {EPOCH}"])


def test_a_replay_fills_a_hole() -> None:
    again = [event(number, replay=True) for number in (3, 2, 4)]
    assert judged([event(1), event(5), *again]) == ([], [])
    assert judged([event(1), *again, event(5)])[1] == []


def test_a_replay_alone_is_no_beginning() -> None:
    assert judged([event(3, replay=True), event(9)])[1] == []


@pytest.mark.parametrize("early", [True, False])
def test_a_gap_names_a_hole(early: bool) -> None:
    named = gap(1, 2, 3, seq=45 if early else 55)
    events = [event(1), named, event(5)] if early else [event(1), event(5), named]
    assert judged(events) == ([], [f"streamseq 4 to 4 of epoch {EPOCH}"])


def test_a_gap_without_numbers_names_none() -> None:
    assert len(judged([event(1), event(5), gap(1, None, None, seq=60)])[1]) == 1


def test_a_gap_is_of_its_own_equipment() -> None:
    other = gap(1, 2, 4, seq=60, subject="suzhou/stamping/line-2/press-04")
    assert len(judged([event(1), event(5), other])[1]) == 1


def test_what_was_missed_while_away_is_no_hole() -> None:
    watched = Streams()
    watched.take("t", event(1))
    watched.interrupted()
    assert watched.take("t", event(9)) == []
    assert list(watched.holes()) == []
    watched.take("t", event(11))
    assert list(watched.holes()) == [("t", Flaw("hole", f"streamseq 10 to 10 of epoch {EPOCH}"))]


ranges = st.lists(st.integers(1, 60), unique=True, max_size=12).map(
    lambda bounds: list(zip(sorted(bounds)[::2], sorted(bounds)[1::2], strict=False))
)


@given(ranges, st.integers(1, 60), st.integers(0, 60))
def test_ranges_are_sets(before: list[tuple[int, int]], first: int, length: int) -> None:
    def numbers(spans: list[tuple[int, int]]) -> set[int]:
        return {n for low, high in spans for n in range(low, high + 1)}

    after = without(before, first, first + length)
    assert numbers(after) == numbers(before) - set(range(first, first + length + 1))


@given(st.sets(st.integers(1, 40)), st.data())
def test_whatever_came_once_is_missed_by_nobody(lost: set[int], data: st.DataObject) -> None:
    live = [event(n) for n in range(1, 42) if n not in lost or n in (1, 41)]
    refilled = data.draw(st.sets(st.sampled_from(sorted(lost - {1})))) if lost - {1} else set()
    again = [event(n, replay=True) for n in data.draw(st.permutations(sorted(refilled)))]
    _, holes = judged([*live, *again])
    missing = {n for hole in holes for n in range(int(hole.split()[1]), int(hole.split()[3]) + 1)}
    assert missing == lost - refilled - {1}
