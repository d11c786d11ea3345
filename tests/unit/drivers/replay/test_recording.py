from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.replay.recording import (
    Event,
    Failed,
    Head,
    Lines,
    Opened,
    Recording,
    Said,
    Unreadable,
    end_line,
    head_line,
    parse,
)

HEAD = Head("press.plc", "modbus-tcp", "h:502#1", datetime(2026, 3, 20, 1, 1, 29, 123000, UTC))
KEYS = st.sampled_from(["press/run", "press/温度", "press/parts"])
TIMES = st.datetimes(timezones=st.just(UTC))
VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=9),
)


@st.composite
def batches(draw: st.DrawFn) -> Said:
    covers = draw(st.frozensets(KEYS))
    listed = st.sampled_from(sorted(covers)) if covers else st.nothing()
    changed = draw(st.dictionaries(listed, VALUES))
    calm = sorted(covers - changed.keys())
    bad = draw(st.dictionaries(st.sampled_from(calm), st.just("no_link"))) if calm else {}
    return Said(
        t=0,
        covers=covers,
        at=draw(TIMES),
        changed=changed,
        bad=bad,
        source_times=draw(st.dictionaries(listed, TIMES)),
        uncertain=frozenset(changed) if draw(st.booleans()) else frozenset(),
        overflowed=draw(st.dictionaries(listed, st.integers(0, 9))),
        time_quality=draw(st.sampled_from(["gateway", "device"])),
        rtt_s=draw(st.none() | st.just(0.0) | st.just(0.25)),
    )


EVENTS = st.lists(
    st.one_of(
        st.just(Opened(0)),
        st.builds(Failed, st.just(0), st.sampled_from(["Unreachable", "Rejected"]), st.text()),
        batches(),
    ),
    max_size=8,
)


def lines_of(events: list[Event], end_s: float = 1.0) -> list[str]:
    lines = Lines()
    return [head_line(HEAD), *(one for e in events for one in lines.of(e)), end_line(end_s)]


@given(EVENTS)
def test_what_is_written_reads_back(events: list[Event]) -> None:
    assert parse(lines_of(events)) == Recording(HEAD, tuple(events), 1.0)


def test_a_covering_is_written_once() -> None:
    covers = frozenset({"a", "b"})
    batch = Said(0.5, covers, HEAD.recorded_at)
    assert sum('"keys"' in line for line in lines_of([batch, batch])) == 1


def test_a_last_line_cut_short_is_left_out() -> None:
    lines = lines_of([Opened(0.25)])
    assert parse([*lines[:2], lines[2][:9]]) == Recording(HEAD, (Opened(0.25),), 0.25)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "empty"),
        (["{}"], "line 1"),
        (["not json"], "line 1"),
        ([head_line(HEAD), '{"t": 1, "covers": 7}', "{}"], "line 2"),
        ([head_line(HEAD), "[]", "{}"], "line 2"),
        ([head_line(HEAD), '{"t": 1, "error": "Tired", "reason": "x"}', "{}"], "Tired"),
        ([head_line(HEAD), '{"t": 1, "opened": true}', '{"t": 0, "opened": true}'], "backwards"),
        ([head_line(HEAD), '{"covers": 0, "keys": []}', '{"t": 0, "covers": 0}'], "line 3"),
        (
            [
                head_line(HEAD),
                '{"covers": 0, "keys": []}',
                '{"t": 0, "covers": 0, "at": "2026-03-20T01:01:29Z", "changed": {"a": 1}}',
            ],
            "does not cover",
        ),
        (
            [
                head_line(HEAD),
                '{"covers": 0, "keys": ["a"]}',
                '{"t": 0, "covers": 0, "at": "2026-03-20T01:01:29Z", "changed": {"a": NaN}}',
            ],
            "NaN",
        ),
        (
            [
                head_line(HEAD),
                '{"covers": 0, "keys": ["a"]}',
                '{"t": 0, "covers": 0, "at": "2026-03-20T01:01:29Z", "changed": {"a": [1]}}',
            ],
            "a value is a number",
        ),
        (
            [
                head_line(HEAD),
                '{"covers": 0, "keys": ["a"]}',
                '{"t": 0, "covers": 0, "at": "2026-03-20T01:01:29Z", "changed": {"a": "\\ud800"}}',
            ],
            "a value is a number",
        ),
        (
            [
                head_line(HEAD),
                '{"covers": 0, "keys": ["a"]}',
                '{"t": 0, "covers": 0, "at": "2026-03-20T01:01:29"}',
            ],
            "without a zone",
        ),
    ],
)
def test_what_is_no_recording_is_said_with_its_line(lines: list[str], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        parse(lines)


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_the_lines_hold_it_is_a_recording_or_unreadable(lines: list[str]) -> None:
    for text in (lines, [head_line(HEAD), *lines]):
        try:
            parse(text)
        except Unreadable:
            continue
