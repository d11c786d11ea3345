from datetime import UTC, datetime

from gateway.domain.events import Gap
from gateway.journal.retention import (
    QUARTER_MS,
    Cut,
    Limits,
    Merge,
    Step,
    Victim,
    cuts,
    name_gaps,
)
from tests.support.clock import MORNING

LIMITS = Limits(max_bytes=6400, readings_max_bytes=3200)


def wanted(live_bytes: int, reading_bytes: int) -> list[Step]:
    return cuts(
        live_bytes=live_bytes, reading_bytes=reading_bytes, limits=LIMITS, delivered=50, head=90
    )


def victim(
    seq: int, streamseq: int, *, kind: str = "reading", epoch: int = 2, local: int = 0
) -> Victim:
    return Victim(seq, epoch, "press-07", kind, streamseq, local, 100)


def test_within_the_quotas_nothing_goes() -> None:
    assert wanted(6400, 3200) == []


def test_readings_over_their_quota_go_first() -> None:
    assert wanted(9000, 3300) == [Cut(readings=True, upto=90, need_bytes=150)]


def test_what_a_consumer_has_goes_before_what_none_has_and_readings_before_the_rest() -> None:
    assert wanted(6500, 0) == [
        Cut(readings=True, upto=50, need_bytes=200),
        Cut(readings=False, upto=50, need_bytes=200),
        Cut(readings=True, upto=90, need_bytes=200),
        Merge(QUARTER_MS),
        Merge(None),
        Cut(readings=False, upto=90, need_bytes=200),
    ]


def test_what_goes_undelivered_is_named_by_stream() -> None:
    at = datetime(2026, 3, 20, tzinfo=UTC)
    victims = [victim(9, 4), victim(11, 5), victim(12, 2, kind="count"), victim(13, 6)]
    (entry,) = name_gaps(victims, delivered=10, epoch=2, at=at)
    assert entry.equipment == "press-07"
    assert list(entry.events) == [
        Gap(at=at, stream="reading", reason="retention", count=2, from_streamseq=5, to_streamseq=6),
        Gap(at=at, stream="count", reason="retention", count=1, from_streamseq=2, to_streamseq=2),
    ]


def test_what_was_delivered_or_never_leaves_goes_silently() -> None:
    victims = [victim(9, 4), victim(11, 0, local=1)]
    assert name_gaps(victims, delivered=10, epoch=2, at=MORNING) == []


def test_of_an_earlier_epoch_only_the_count_is_told() -> None:
    (entry,) = name_gaps([victim(11, 5, epoch=1)], delivered=10, epoch=2, at=MORNING)
    (gap,) = entry.events
    assert isinstance(gap, Gap)
    assert (gap.from_streamseq, gap.to_streamseq, gap.count) == (None, None, 1)
