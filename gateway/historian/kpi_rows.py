"""What the store of record has of a span of time, as the figures of production need it.

- A state that lasts is believed up to the newest fact of its gateway and no further: what
  came afterwards nobody knows.
- The reason of an interval is that of the last note about it, where there is one.
- Parts are booked by the difference of totals, minute by minute.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.domain.figures import Facts
from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import CounterKind, State
from gateway.domain.worktime import Interval
from gateway.historian.reading import Reader, as_json, reading

KNOWN_UNTIL = "SELECT known_until FROM gateway_known WHERE source = :source"
_INTERVALS = """
SELECT i.equipment, i.state, i.since, i.until, i.planned, i.reason_category, i.order_no, e.data
FROM status_interval AS i JOIN event AS e ON e.source = i.source AND e.id = i.id
WHERE i.source = :source AND i.since < :ends AND (i.until IS NULL OR i.until > :begins)
ORDER BY i.equipment, i.since, i.epoch, i.seq
"""
_PARTS = """
WITH booked AS (
  SELECT c.*, COALESCE(total - LAG(total) OVER (
    PARTITION BY epoch, equipment, counter ORDER BY seq), delta) AS quantity
  FROM count_event AS c
  WHERE c.source = :source AND c.time >= :begins AND c.time < :ends
)
SELECT equipment, kind, origin, order_no, {minute} AS minute, SUM(quantity) AS quantity
FROM booked WHERE kind IN ('good', 'reject', 'rework', 'total')
GROUP BY equipment, kind, origin, order_no, {minute} ORDER BY minute
"""
_KINDS = "SELECT DISTINCT equipment, kind FROM count_event WHERE source = :source"
_MINUTE: Mapping[str, str] = {
    "sqlite": "substr(time, 1, 16)",
    "postgresql": "to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')",
}


def read(url: str, source: str, span: Span, ideal_cycle_ms: Mapping[str, float | None]) -> Facts:
    """Return what ``source`` told of ``span``. Raises StoreError.

    ``ideal_cycle_ms`` is that of each equipment; an order's own comes before it.
    """
    with reading(url, source) as reader:
        known_until = next((reader.instant(row[0]) for row in reader.rows(KNOWN_UNTIL)), None)
        intervals: dict[str, list[Interval]] = {}
        ideal: dict[tuple[str, str | None], float] = {}
        for row in reader.rows(_INTERVALS, begins=span.begins, ends=span.ends):
            intervals.setdefault(row.equipment, []).append(
                Interval(
                    state=State(row.state),
                    since=reader.instant(row.since) or span.begins,
                    until=reader.instant(row.until) or known_until or span.begins,
                    planned=bool(row.planned),
                    category=row.reason_category or "none",
                    order_no=row.order_no,
                )
            )
            own = (as_json(row.data).get("order") or {}).get("ideal_cycle_ms")
            if own is not None:
                ideal[row.equipment, row.order_no] = own
        counted: dict[str, frozenset[CounterKind]] = {}
        for row in reader.rows(_KINDS):
            counted[row.equipment] = counted.get(row.equipment, frozenset()) | {row.kind}
        return Facts(intervals, _parts(reader, span, ideal, ideal_cycle_ms), counted)


def _parts(
    reader: Reader,
    span: Span,
    of_order: Mapping[tuple[str, str | None], float],
    of_equipment: Mapping[str, float | None],
) -> dict[str, list[Parts]]:
    parts: dict[str, list[Parts]] = {}
    query = _PARTS.format(minute=_MINUTE[reader.dialect])
    for row in reader.rows(query, begins=span.begins, ends=span.ends):
        ideal_ms = of_order.get((row.equipment, row.order_no), of_equipment.get(row.equipment))
        parts.setdefault(row.equipment, []).append(
            Parts(
                at=datetime.fromisoformat(row.minute).replace(tzinfo=UTC),
                kind=row.kind,
                quantity=max(0.0, float(row.quantity)),
                ideal_cycle_s=None if ideal_ms is None else ideal_ms / 1000,
                origin=row.origin,
                order_no=row.order_no,
            )
        )
    return parts
