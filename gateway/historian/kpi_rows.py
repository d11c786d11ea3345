"""What the store of record has of a span of time, as the figures of production need it.

Reads only, in one snapshot; the historian may be writing meanwhile.

- A state that lasts is believed up to the newest fact of its gateway and no further: what
  came afterwards nobody knows.
- Of several notes about an interval the reason of the last one counts.
- Parts are booked by the difference of totals, minute by minute.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import CounterKind, Json, State
from gateway.domain.worktime import Interval
from gateway.historian.sql_engine import as_store_errors
from gateway.historian.sql_schema import Stamp
from gateway.historian.store import StoreUnavailable

_NEWEST = """
SELECT MAX(e.time) AS newest FROM mark AS m
JOIN event AS e ON e.source = m.source AND e.id = m.epoch || '-' || m.seq
WHERE m.source = :source
"""
_INTERVALS = """
SELECT i.equipment, i.id, i.state, i.since, i.until, i.order_no, e.data
FROM status_interval AS i JOIN event AS e ON e.source = i.source AND e.id = i.id
WHERE i.source = :source AND i.since < :ends AND (i.until IS NULL OR i.until > :begins)
ORDER BY i.equipment, i.since, i.epoch, i.seq
"""
_REASONS = """
SELECT n.about, e.data FROM note_event AS n
JOIN event AS e ON e.source = n.source AND e.id = n.id
WHERE n.source = :source AND n.reason_code IS NOT NULL ORDER BY n.epoch, n.seq
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
_STAMP = Stamp()
_KINDS = "SELECT DISTINCT equipment, kind FROM count_event WHERE source = :source"
_MINUTE: Mapping[str, str] = {
    "sqlite": "substr(time, 1, 16)",
    "postgresql": "to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')",
}


@dataclass(frozen=True, slots=True)
class History:
    """Facts by equipment, in the order of time."""

    intervals: Mapping[str, list[Interval]] = field(default_factory=dict)
    parts: Mapping[str, list[Parts]] = field(default_factory=dict)
    counted: Mapping[str, frozenset[CounterKind]] = field(default_factory=dict)
    """The kinds that were ever counted."""


def read(url: str, source: str, span: Span, ideal_cycle_ms: Mapping[str, float | None]) -> History:
    """Return what ``source`` told of ``span``. Raises StoreError.

    ``ideal_cycle_ms`` is that of each equipment; an order's own comes before it.
    """
    parsed = make_url(url)
    name = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        if not path.is_file():
            raise StoreUnavailable(name, "there is no such file")
        parsed = parsed.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    with as_store_errors(name):
        engine = create_engine(parsed, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                return _Reading(connection, source, span).history(ideal_cycle_ms)
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class _Reading:
    """The queries over one connection."""

    connection: Connection
    source: str
    span: Span

    def history(self, ideal_cycle_ms: Mapping[str, float | None]) -> History:
        (newest,) = self._rows(_NEWEST)
        known_until = self._time(newest.newest) or self.span.begins
        reasons = {row.about: _json(row.data)["reason"] for row in self._rows(_REASONS)}
        intervals: dict[str, list[Interval]] = {}
        ideal: dict[tuple[str, str | None], float] = {}
        for row in self._rows(_INTERVALS):
            data = _json(row.data)
            reason = reasons.get(row.id) or data.get("reason") or {}
            intervals.setdefault(row.equipment, []).append(
                Interval(
                    state=State(row.state),
                    since=self._time(row.since) or known_until,
                    until=self._time(row.until) or known_until,
                    planned=bool(reason.get("planned")),
                    category=reason.get("category", "none"),
                    order_no=row.order_no,
                )
            )
            own = (data.get("order") or {}).get("ideal_cycle_ms")
            if own is not None:
                ideal[row.equipment, row.order_no] = own
        counted: dict[str, frozenset[CounterKind]] = {}
        for row in self._rows(_KINDS):
            counted[row.equipment] = counted.get(row.equipment, frozenset()) | {row.kind}
        return History(intervals, self._parts(ideal, ideal_cycle_ms), counted)

    def _parts(
        self,
        of_order: Mapping[tuple[str, str | None], float],
        of_equipment: Mapping[str, float | None],
    ) -> dict[str, list[Parts]]:
        parts: dict[str, list[Parts]] = {}
        minute = _MINUTE[self.connection.dialect.name]
        for row in self._rows(_PARTS.format(minute=minute)):
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

    def _rows(self, query: str) -> Iterator[Row[Any]]:
        span = {"begins": self.span.begins, "ends": self.span.ends}
        bound = {name: at for name, at in span.items() if f":{name}" in query}
        typed = text(query).bindparams(*(bindparam(name, type_=Stamp) for name in bound))
        yield from self.connection.execute(typed, {"source": self.source, **bound})

    def _time(self, value: object) -> datetime | None:
        return _STAMP.process_result_value(value, self.connection.dialect)


def _json(data: Any) -> Json:
    """Return a JSON column, which SQLite hands over as text."""
    found: Json = orjson.loads(data) if isinstance(data, str) else data
    return found
