from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import notes
from gateway.domain.commands import NoteCommand
from gateway.domain.facts import Commanded
from gateway.domain.vocabulary import Reason
from tests.unit.domain.scene import Play, at, of_type


def test_a_note_is_an_event_and_changes_nothing_else() -> None:
    play = Play().awake()
    before = play.state.durable
    why = Reason("R7", "material", {"zh": "等料"})
    events = play.feed(
        Commanded(at(5), 5, NoteCommand("n-1", "t5k2m0-9f3a-12", "li", why, "coil was late"))
    )
    assert of_type(events, "note") == [
        {
            "about": "t5k2m0-9f3a-12",
            "by": "li",
            "comment": "coil was late",
            "reason": {
                "code": "R7",
                "category": "material",
                "text": {"zh": "等料"},
                "planned": False,
            },
            "timequality": "gateway",
        }
    ]
    assert [event.at for event in events] == [at(5)]
    assert play.state.durable is before


def test_an_equipment_never_read_can_be_noted_about() -> None:
    play = Play()
    (event,) = play.feed(
        Commanded(at(5), 5, NoteCommand("n-1", "press-07.alarm.1", "li", comment="seen"))
    )
    assert event.data()["reason"] is None


def test_what_a_note_is_about_may_be_a_part() -> None:
    about = notes.part_about("t5k2m0-9f3a-12", at(5))
    assert about == "t5k2m0-9f3a-12@2026-03-20T01:00:05.000Z"
    assert notes.part_of(about) == ("t5k2m0-9f3a-12", at(5))


@pytest.mark.parametrize(
    "about",
    ["t5k2m0-9f3a-12", "", "a@", "a@2026-02-30T01:00:05.000Z", "a@2026-03-20T01:00:05Z", "a@b@c"],
)
def test_anything_else_is_no_part(about: str) -> None:
    assert notes.part_of(about) is None


moments = st.integers(-100, 1100).map(lambda ms: at(0) + timedelta(milliseconds=ms))


@given(st.lists(moments, max_size=8), st.booleans())
def test_parts_abut_and_together_are_the_interval(cuts: list[datetime], lasts: bool) -> None:
    since, until = at(0), None if lasts else at(1)
    parts = list(notes.split("e-1", since, until, cuts))
    assert (parts[0].about, parts[0].since, parts[-1].until) == ("e-1", since, until)
    assert [one.until for one in parts[:-1]] == [one.since for one in parts[1:]]
    ends = [one.until or at(2) for one in parts]
    spans = [end - one.since for one, end in zip(parts, ends, strict=True)]
    assert all(span > timedelta() for span in spans)
    assert sum(spans, timedelta()) == (until or at(2)) - since
    assert len({one.about for one in parts}) == len(parts)
    again = list(notes.split("e-1", since, until, [*cuts, *cuts]))
    assert again == parts
