"""What the store of record has of faults and states, as the figures about them need it.

- Nothing is believed beyond the newest fact of the gateway: ``until`` ends the figures there.
- What lies around the span is read with it: what was raised up to `BEFORE` earlier, because
  it may be the same failure, and states up to `AFTER` later, because a restart may be there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.domain.fault_stats import Occurrence
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import State, Text
from gateway.domain.worktime import Interval
from gateway.historian.kpi_rows import KNOWN_UNTIL
from gateway.historian.reading import Reader, reading

BEFORE = timedelta(days=1)
AFTER = timedelta(days=7)

_OCCURRENCES = """
SELECT equipment, code, text_zh, text_en, raised_at, cleared_at, acked_at, stops_machine, raises
FROM fault_occurrence
WHERE source = :source AND raised_at < :ends AND (
  raised_at >= :before OR cleared_at IS NULL OR cleared_at > :begins)
ORDER BY equipment, raised_at, fault_id
"""
_STATES = """
SELECT equipment, state, since, until FROM status_interval
WHERE source = :source AND since < :after AND (until IS NULL OR until > :before)
ORDER BY equipment, since, epoch, seq
"""


@dataclass(frozen=True, slots=True)
class FaultHistory:
    """Faults and states by equipment, in the order of time."""

    until: datetime | None = None
    """When the newest fact was told; None if there is none."""
    occurrences: Mapping[str, list[Occurrence]] = field(default_factory=dict)
    intervals: Mapping[str, list[Interval]] = field(default_factory=dict)
    texts: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    """equipment, code -> what the code means; that of the newest occurrence."""


def read(url: str, source: str, span: Span) -> FaultHistory:
    """Return what ``source`` told of ``span``. Raises StoreError."""
    with reading(url, source) as reader:
        until = next((reader.instant(row[0]) for row in reader.rows(KNOWN_UNTIL)), None)
        if until is None:
            return FaultHistory()
        occurrences, texts = _occurrences(reader, span)
        return FaultHistory(until, occurrences, _intervals(reader, span, until), texts)


def _occurrences(
    reader: Reader, span: Span
) -> tuple[dict[str, list[Occurrence]], dict[tuple[str, str], Text]]:
    found: dict[str, list[Occurrence]] = {}
    texts: dict[tuple[str, str], Text] = {}
    around = {"begins": span.begins, "ends": span.ends, "before": span.begins - BEFORE}
    for row in reader.rows(_OCCURRENCES, **around):
        found.setdefault(row.equipment, []).append(
            Occurrence(
                code=row.code,
                raised_at=reader.instant(row.raised_at) or span.begins,
                cleared_at=reader.instant(row.cleared_at),
                acked_at=reader.instant(row.acked_at),
                stops_machine=bool(row.stops_machine),
                raises=row.raises,
                equipment=row.equipment,
            )
        )
        words = {"zh": row.text_zh, "en": row.text_en}
        texts[row.equipment, row.code] = {name: word for name, word in words.items() if word}
    return found, texts


def _intervals(reader: Reader, span: Span, until: datetime) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = {}
    around = {"before": span.begins - BEFORE, "after": span.ends + AFTER}
    for row in reader.rows(_STATES, **around):
        since = reader.instant(row.since) or until
        ended = reader.instant(row.until) or until
        found.setdefault(row.equipment, []).append(Interval(State(row.state), since, ended))
    return found
