from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Batch
from drivers.opcua.batches import (
    Arrival,
    Change,
    Picture,
    credible_age_s,
    in_source_order,
    split,
)
from drivers.opcua.convert import Sample

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
OPENED_S = 100.0


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def arrival(seconds: float) -> Arrival:
    """A message that came so long after opening."""
    return Arrival(at(seconds), OPENED_S + seconds)


def change(key: str, value: int | str | None, seconds: float | None = None) -> Change:
    """``value`` None: the value went bad."""
    sample = Sample(None, "bad_status") if value is None else Sample(value)
    return Change(key, sample, None if seconds is None else at(seconds))


def picture(*keys: str, max_skew_s: float | None = None) -> Picture:
    return Picture(keys, opened_mono_s=OPENED_S, max_skew_s=max_skew_s)


CHANGES = st.lists(
    st.builds(
        change,
        st.sampled_from("abc"),
        st.one_of(st.none(), st.integers(0, 9)),
        st.one_of(st.none(), st.integers(-20, 20).map(float)),
    ),
    max_size=30,
)


@given(CHANGES)
def test_ordering_keeps_every_value_and_each_tags_own_order(changes: list[Change]) -> None:
    ordered = in_source_order(changes)
    for key in "abc":
        assert [c for c in ordered if c.key == key] == [c for c in changes if c.key == key]


def test_values_of_different_tags_go_by_the_devices_stamps() -> None:
    changes = [change("a", 1, 1.0), change("a", 2, 3.0), change("b", 1, 2.0), change("c", 9)]
    ordered = in_source_order(changes)
    assert [(c.key, c.sample.value) for c in ordered] == [("c", 9), ("a", 1), ("b", 1), ("a", 2)]


@given(CHANGES, st.booleans())
def test_splitting_loses_nothing_and_repeats_no_tag(changes: list[Change], by_stamp: bool) -> None:
    runs = split(changes, by_stamp=by_stamp)
    assert [c for run in runs for c in run] == changes
    for run in runs:
        assert len({c.key for c in run}) == len(run)
        assert not by_stamp or len({c.source_at for c in run}) == 1
    for run, following in pairwise(runs):
        foreign = by_stamp and following[0].source_at != run[0].source_at
        assert foreign or following[0].key in {c.key for c in run}


def test_a_state_shorter_than_the_interval_is_a_batch_of_its_own() -> None:
    batches = picture("a", "b").batches(
        [change("a", 1, 0.1), change("a", 0, 0.2), change("b", 5, 0.15)], arrival(0.5)
    )
    assert [b.changed for b in batches] == [{"a": 1, "b": 5}, {"a": 0}]
    assert {b.read_at for b in batches} == {at(0.5)}


def test_every_batch_covers_every_tag_with_one_object() -> None:
    known = picture("a", "b")
    batches = known.batches([change("a", 1)], arrival(1)) + known.batches([], arrival(2))
    assert batches[0].covers == {"a", "b"}
    assert batches[1].covers is batches[0].covers
    assert batches[1].changed == {}


def test_a_tag_is_listed_as_bad_for_as_long_as_it_is_bad() -> None:
    known = picture("a", "b", "c")
    known.refuse({"c": "missing_node"})
    [first] = known.batches([change("a", 1)], arrival(1))
    assert first.bad == {"b": "never_read", "c": "missing_node"}
    [second] = known.batches([change("b", 2), change("a", None)], arrival(2))
    assert second.bad == {"a": "bad_status", "c": "missing_node"}
    [sign_of_life] = known.batches([], arrival(3))
    assert sign_of_life.bad == {"a": "bad_status", "c": "missing_node"}
    [last] = known.batches([change("a", 3), change("c", 3)], arrival(4))
    assert last.bad == {}
    assert first.bad == {"b": "never_read", "c": "missing_node"}


def test_a_tag_that_falls_and_rises_in_one_message_does_both() -> None:
    known = picture("a")
    batches = known.batches([change("a", 1), change("a", None), change("a", 2)], arrival(1))
    assert [b.changed for b in batches] == [{"a": 1}, {}, {"a": 2}]
    assert [b.bad for b in batches] == [{}, {"a": "bad_status"}, {}]


def test_only_the_last_batch_of_a_message_acknowledges_it() -> None:
    acknowledged: list[int] = []
    batches = picture("a").batches(
        [change("a", 1), change("a", 2)],
        arrival(1),
        acknowledge=lambda: acknowledged.append(1),
    )
    batches[0].committed()
    assert acknowledged == []
    batches[1].committed()
    assert acknowledged == [1]


def test_what_was_dropped_is_named() -> None:
    dropped = Change("a", Sample(1, overflowed=True))
    [batch] = picture("a", "b").batches([dropped], arrival(1))
    assert batch.overflowed == {"a": 1}
    [batch] = picture("a", "b").batches([dropped], arrival(1), skipped=2)
    assert batch.overflowed == {"a": 3, "b": 2}
    [batch] = picture("a").batches([], arrival(1))
    assert batch.overflowed == {}


def test_stamps_and_doubts_are_passed_on() -> None:
    doubtful = Change("a", Sample(1, uncertain=True), at(0.2))
    [batch] = picture("a", "b").batches([doubtful, change("b", 1)], arrival(1))
    assert batch.source_times == {"a": at(0.2)}
    assert batch.uncertain == {"a"}
    assert batch.time_quality == "gateway"


def dates(batches: list[Batch]) -> list[tuple[float, str]]:
    return [((b.read_at - NOON).total_seconds(), b.time_quality) for b in batches]


def test_a_trusted_clock_dates_each_stamp_by_itself() -> None:
    known = picture("a", "b", max_skew_s=5)
    batches = known.batches(
        [change("a", 1, 10.1), change("b", 1, 10.1), change("a", 2, 10.3), change("b", 2, 10.2)],
        arrival(11),
    )
    assert [b.changed for b in batches] == [{"a": 1, "b": 1}, {"b": 2}, {"a": 2}]
    assert dates(batches) == [(10.1, "device"), (10.2, "device"), (10.3, "device")]
    assert [b.mono_s - OPENED_S for b in batches] == pytest.approx([10.1, 10.2, 10.3])


@pytest.mark.parametrize(
    ("stamp_s", "dated"),
    [
        (None, (20.0, "gateway")),
        (15.0, (15.0, "device")),
        (8.0, (10.0, "device")),  # a little behind: not before the batch before
        (22.0, (20.0, "device")),  # a little ahead: not after the arrival
        (4.9, (20.0, "gateway")),
        (25.1, (20.0, "gateway")),
        (-86_400.0, (20.0, "gateway")),  # unchanged since yesterday
    ],
)
def test_only_a_credible_stamp_dates_a_batch(
    stamp_s: float | None, dated: tuple[float, str]
) -> None:
    known = picture("a", max_skew_s=5)
    known.batches([], arrival(10))
    assert dates(known.batches([change("a", 1, stamp_s)], arrival(20))) == [dated]


def test_a_backlog_keeps_its_stamps_however_long_it_waited() -> None:
    known = picture("a", max_skew_s=5)
    backlog = [change("a", n, float(n)) for n in range(1, 60)]
    batches = known.batches(backlog, arrival(60))
    assert dates(batches) == [(float(n), "device") for n in range(1, 60)]


@given(
    st.lists(st.tuples(CHANGES, st.integers(0, 15)), max_size=6),
    st.sampled_from([None, 0.5, 5.0]),
)
def test_the_monotonic_clock_never_goes_backwards(
    messages: list[tuple[list[Change], int]], max_skew_s: float | None
) -> None:
    known = picture(*"abc", max_skew_s=max_skew_s)
    elapsed, last_s = 0, OPENED_S
    for changes, gap in messages:
        elapsed += gap
        for batch in known.batches(changes, arrival(elapsed)):
            assert last_s - 1e-9 <= batch.mono_s <= OPENED_S + elapsed
            assert (batch.read_at - NOON).total_seconds() == pytest.approx(
                batch.mono_s - OPENED_S, abs=1e-5
            )
            last_s = batch.mono_s


def test_a_wall_clock_that_is_set_back_moves_only_the_wall_time() -> None:
    known = picture("a", max_skew_s=5)
    known.batches([], arrival(10))
    [batch] = known.batches([change("a", 1, 11.0)], Arrival(at(-7200), OPENED_S + 12))
    assert (batch.read_at, batch.mono_s) == (at(-7200), OPENED_S + 12)
    assert batch.time_quality == "gateway"


@pytest.mark.parametrize("skew_s", [0.5, 5.0])
@pytest.mark.parametrize("window_s", [0.0, 3.0])
def test_an_age_is_within_the_window(skew_s: float, window_s: float) -> None:
    age: Callable[[float], float | None] = lambda seconds: credible_age_s(  # noqa: E731
        at(-seconds), arrival(0), last_mono_s=OPENED_S - window_s, max_skew_s=skew_s
    )
    assert age(-skew_s) == 0
    assert age(window_s + skew_s) == window_s
    assert age(-skew_s - 0.1) is None
    assert age(window_s + skew_s + 0.1) is None


def test_values_without_stamps_make_as_many_batches_as_one_tag_has_values() -> None:
    known = picture("a", "b", "c")
    known.batches([change("a", 0), change("b", 0), change("c", 0)], arrival(1))
    queued = [change(key, value) for key in "abc" for value in (1, 2, 3)]
    batches = known.batches(queued, arrival(2))
    assert [b.changed for b in batches] == [dict.fromkeys("abc", value) for value in (1, 2, 3)]


@pytest.mark.parametrize("max_skew_s", [None, 5.0])
def test_first_values_are_one_batch_whatever_their_stamps(max_skew_s: float | None) -> None:
    known = picture("a", "b", "c", max_skew_s=max_skew_s)
    queued = [
        change("a", 1, 1),
        change("a", 2, 2),
        change("b", 1, 3),
        change("c", 1, 4),
    ]
    first, second = known.batches(queued, arrival(5))
    assert (first.changed, first.bad) == ({"a": 1, "b": 1, "c": 1}, {})
    assert (first.read_at, first.time_quality) == (arrival(5).at, "gateway")
    assert second.changed == {"a": 2}
