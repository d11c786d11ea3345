"""What a recording says of a moment."""

from drivers.replay.playback import absence
from drivers.replay.recording import Event, Failed, Opened, Recording
from tests.unit.drivers.replay.test_recording import HEAD

GONE = Failed(1.0, "Unreachable", "gone")


def at_5(*events: Event) -> Failed | None:
    return absence(Recording(HEAD, events, 9.0), 5.0)


def test_a_device_is_away_from_its_loss_until_the_next_session() -> None:
    assert at_5(Opened(0.0), GONE) is GONE
    assert at_5(GONE, Opened(2.0)) is None
    assert at_5(GONE, Opened(6.0)) is GONE
    assert at_5() is None


def test_a_refused_question_ends_no_session_and_begins_none() -> None:
    refused = Failed(2.0, "Rejected", "busy")
    assert at_5(GONE, refused) is GONE
    assert at_5(refused) is None
