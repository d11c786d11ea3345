import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.historian.lines import Occupied, Point, lines, points
from tests.support.stores import (
    START,
    count_data,
    envelope,
    fault_data,
    reading_data,
    status_data,
)

START_MS = round(START.timestamp() * 1000)
PLACE = "site=plant,area=stamping,line=line-2,equipment=press-03,gateway=gw-01"


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        (
            "status",
            status_data("running", START, prev_duration_ms=7),
            f'status,{PLACE} state_code=1i,state="running",prev_duration_ms=7i',
        ),
        (
            "count",
            count_data(2, 40),
            f'count,{PLACE},counter=good total=40.0,delta=2.0,refused=0.0,anomaly="none"',
        ),
        (
            "fault",
            fault_data("f1", "raised"),
            (
                f"fault,{PLACE},code=E17 active=1i,severity=700i,raises=1i,"
                'fault_id="f1",transition="raised"'
            ),
        ),
        (
            "reading",
            reading_data({"a b": 1.5, "run": True, "n": 3, "s": 'x"y', "no": None}, bad={"p": "t"}),
            f'reading,{PLACE},group=plc _bad=1i,a\\ b=1.5,run=true,n=3i,s="x\\"y"',
        ),
        (
            "health",
            {"link": "plc", "state": "degraded", "failures": 2, "rtt_ms": 4},
            f'health,{PLACE},link=plc up=1i,failures=2i,rtt_ms=4.0,state="degraded"',
        ),
    ],
)
def test_a_fact_becomes_one_line(type_: str, data: dict[str, Any], expected: str) -> None:
    event = envelope(type_, 1, 1, data, at=START)
    assert lines(event) == [f"{expected} {START_MS}"]


def test_gaps_and_notes_have_no_measurement() -> None:
    assert lines(envelope("gap", 1, 1, {})) == []


words = st.text(max_size=20)
json_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words, st.lists(words)
)
KEY = r"(\\[,= ]|[^,= \\\n])+"
VALUE = r'(-?[0-9.e+-]+i?|inf|-inf|true|false|"(\\["\\]|[^"\\\n])*")'
LINE = re.compile(rf"[a-z]+(,{KEY}={KEY})* (?P<fields>{KEY}={VALUE}(,{KEY}={VALUE})*) -?[0-9]+")
FIELD = re.compile(rf"{KEY}={VALUE}(,|$)")


@given(st.dictionaries(words, json_values), words, st.dictionaries(words, words, max_size=2))
def test_no_text_of_a_fact_breaks_its_line(
    values: dict[str, Any], group: str, bad: dict[str, str]
) -> None:
    event = envelope("reading", 1, 1, reading_data(values, group=group, bad=bad), at=START)
    (line,) = lines(event)
    assert "\n" not in line
    match = LINE.fullmatch(line)
    assert match is not None, line
    fields = match["fields"]
    assert fields.startswith(f"_bad={len(bad)}i")
    kept = [name for name, value in values.items() if name and _is_scalar(value)]
    assert len(FIELD.findall(fields)) == 1 + len(kept)


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float))


@given(
    st.dictionaries(words, json_values, max_size=8),
    st.sampled_from(["status", "count", "fault", "health"]),
)
def test_data_that_breaks_the_contract_still_gives_lines_or_none(
    data: dict[str, Any], type_: str
) -> None:
    for line in lines(envelope(type_, 1, 1, data, at=START)):
        assert "\n" not in line


def test_the_later_of_two_in_one_millisecond_moves_on() -> None:
    occupied = Occupied()
    point = Point("a", "x=1", 5)
    assert [occupied.place(point, number).time_ms for number in range(3)] == [5, 6, 7]
    assert occupied.place(Point("b", "x=1", 5), 3).time_ms == 5
    assert occupied.place(point._replace(time_ms=4), 4).time_ms == 4


def test_who_is_placed_again_finds_its_own() -> None:
    occupied = Occupied()
    point = Point("a", "x=1", 5)
    placed = [occupied.place(point, number) for number in range(3)]
    assert [occupied.place(point, number) for number in range(3)] == placed
    assert occupied.place(point, 3).time_ms == 8


def test_it_forgets_the_oldest() -> None:
    occupied = Occupied(size=2)
    for time_ms in (1, 2, 3):
        occupied.place(Point("a", "x=1", time_ms), time_ms)
    assert occupied.place(Point("a", "x=1", 1), 4).time_ms == 1


def test_the_stamp_is_in_milliseconds() -> None:
    event = envelope("count", 1, 1, count_data(1, 1), at=START + timedelta(microseconds=1999))
    assert points(event)[0].time_ms == START_MS + 1
