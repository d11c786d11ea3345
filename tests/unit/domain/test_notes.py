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
