from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.domain.events import STREAMS, Event
from gateway.domain.vocabulary import stamp
from tests.support.examples import EXAMPLES


def test_a_stamp_is_utc_with_milliseconds() -> None:
    beijing = timezone(timedelta(hours=8))
    assert stamp(datetime(2026, 3, 20, 9, 1, 29, 123_999, beijing)) == "2026-03-20T01:01:29.123Z"
    assert stamp(datetime.min.replace(tzinfo=UTC)) == "0001-01-01T00:00:00.000Z"


def test_every_stream_has_an_event() -> None:
    assert {event.type for event in EXAMPLES} == set(STREAMS)


def test_an_event_of_no_stream_has_no_data() -> None:
    with pytest.raises(NotImplementedError):
        Event(at=datetime.now(UTC)).data()
