from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import Event
from gateway.journal.epoch import MAX_STREAMSEQ
from gateway.journal.errors import JournalFailed
from gateway.journal.numbering import Numbered, Stream, from_unix_ms, number, prepare, unix_ms
from gateway.journal.row import CommandRecord, Entry, StreamHead
from tests.support.clock import MORNING
from tests.support.journal import count, entry, reading

entries = st.builds(
    Entry,
    st.sampled_from(["press-07", "oven-1"]),
    st.lists(st.sampled_from([count(), reading()]), max_size=4),
    local=st.booleans(),
)


def numbers(calls: list[list[Entry]], after: int, heads: dict[Stream, StreamHead]) -> Numbered:
    appends = [prepare(call) for call in calls]
    return number(appends, after=after, heads=heads, at=MORNING, epoch="e-1")


@given(st.lists(st.lists(entries, max_size=3), max_size=5), st.integers(0, 1000))
def test_seqs_grow_by_one_and_streams_have_no_hole(calls: list[list[Entry]], after: int) -> None:
    head = StreamHead(7, 3)
    numbered = numbers(calls, after, {("oven-1", "count"): head})
    assert [seq for seqs in numbered.seqs for seq in seqs] == [row.seq for row in numbered.rows]
    assert [row.seq for row in numbered.rows] == list(
        range(after + 1, after + 1 + len(numbered.rows))
    )
    streams = defaultdict(list)
    for row in numbered.rows:
        assert (row.epoch, row.recorded_ms) == ("e-1", unix_ms(MORNING))
        if row.local:
            assert row.streamseq == 0
        else:
            streams[row.equipment, row.type].append(StreamHead(row.streamseq, row.seq))
    for stream, heads in streams.items():
        first = 8 if stream == ("oven-1", "count") else 1
        assert [h.streamseq for h in heads] == list(range(first, first + len(heads)))
        assert numbered.heads[stream] == heads[-1]
    assert numbered.heads.keys() == streams.keys()


def test_a_streamseq_never_leaves_32_bits() -> None:
    heads = {("press-07", "count"): StreamHead(MAX_STREAMSEQ - 1, 1)}
    assert numbers([[entry()]], 1, heads).rows[0].streamseq == 2**31 - 1
    with pytest.raises(JournalFailed, match="used up"):
        numbers([[entry(counts=2)]], 1, heads)


def test_the_last_state_of_an_equipment_wins() -> None:
    append = prepare([Entry("a", state=b"1"), Entry("a", state=b"2"), Entry("b")])
    assert append.states == {"a": b"2"}
    assert append.drafts == []


def test_a_reply_must_be_json() -> None:
    with pytest.raises(TypeError):
        prepare([], CommandRecord("c", {"at": object()}))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_milliseconds_are_rounded_down_as_in_the_events(at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    back = from_unix_ms(unix_ms(at))
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)
    assert unix_ms(at.astimezone(timezone(timedelta(hours=8)))) == unix_ms(at)


def test_the_time_of_a_row_is_that_of_its_event() -> None:
    event: Event = count(at=datetime(2026, 3, 20, 1, 1, 29, 123999, tzinfo=UTC))
    (row,) = numbers([[Entry("a", [event])]], 0, {}).rows
    assert from_unix_ms(row.time_ms).isoformat() == "2026-03-20T01:01:29.123000+00:00"
