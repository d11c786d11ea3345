"""Spans of time that people compare: local hours and production days."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from gateway.domain.shifts import DAY, MIDNIGHT, Span

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def hours(zone: tzinfo, span: Span) -> Iterator[tuple[str, Span]]:
    """Yield the local hours of ``span`` with their names, the first and the last cut to it."""
    local = span.begins.astimezone(zone)
    begins = span.begins - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    while begins < span.ends:
        name = begins.astimezone(zone).isoformat(timespec="minutes")
        yield name, _cut(begins, begins + HOUR, span)
        begins += HOUR


def days(zone: tzinfo, span: Span, day_starts: time = MIDNIGHT) -> Iterator[tuple[str, Span]]:
    """Yield the production days of ``span`` with their dates, the ends cut to it."""
    day = span.begins.astimezone(zone).date() - DAY
    while True:
        begins = datetime.combine(day, day_starts, zone).astimezone(UTC)
        day += DAY
        ends = datetime.combine(day, day_starts, zone).astimezone(UTC)
        if begins >= span.ends:
            return
        if ends > span.begins:
            yield (day - DAY).isoformat(), _cut(begins, ends, span)


def _cut(begins: datetime, ends: datetime, span: Span) -> Span:
    return Span(max(begins, span.begins), min(ends, span.ends))
