"""The views that departments ask for: names and columns are part of the contract (§8).

A view that is there already gets new columns behind those it has, never between them: then
views that others made on top of it stay.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.historian.sql_dialect import Dialect, adapted
from gateway.historian.sql_fault_views import FAULT_VIEWS
from gateway.historian.sql_shift_views import shift_views

# What a gateway says of itself ends with its newest fact; what came afterwards nobody knows.
_GATEWAY_KNOWN = """
SELECT m.source, MAX(e.time) AS known_until
FROM mark AS m JOIN event AS e ON e.source = m.source AND e.id = m.epoch || '-' || m.seq
GROUP BY m.source
"""

# Of several notes about one fact the last that gives a reason counts.
_NOTED_REASON = """
SELECT source, about, reason_code, reason_category, planned FROM (
  SELECT n.*, ROW_NUMBER() OVER (
    PARTITION BY source, about ORDER BY epoch DESC, seq DESC) AS place
  FROM note_event AS n WHERE n.reason_code IS NOT NULL
) AS numbered WHERE place = 1
"""

# A part of an interval is in force as long as the last note about it gives a reason.
_INTERVAL_PART = """
SELECT source, part_of AS id, part_since AS since, about FROM (
  SELECT n.*, ROW_NUMBER() OVER (
    PARTITION BY source, about ORDER BY epoch DESC, seq DESC) AS place
  FROM note_event AS n WHERE n.part_of IS NOT NULL
) AS numbered WHERE place = 1 AND reason_code IS NOT NULL
"""

# An interval ends where the next one of the equipment begins, also across epochs: a journal
# that was lost or copied does not leave its last state open for ever. The next event's own
# prev_duration_ms is preferred, because it was measured by a monotonic clock; parts of an interval
# share it as they share the time on the wall, and add up to it.
_STATUS_INTERVAL = """
WITH ordered AS (
  SELECT s.*, LEAD(since) OVER w AS next_since, LEAD(prev_duration_ms) OVER w AS measured_ms
  FROM status_event AS s WHERE NOT s.repeat
  WINDOW w AS (PARTITION BY source, equipment ORDER BY epoch, seq)
), begun AS (
  SELECT o.*, COALESCE(p.about, o.id) AS about, COALESCE(p.since, o.since) AS part_since
  FROM ordered AS o LEFT JOIN (
    SELECT source, id, since, about FROM interval_part
    UNION ALL
    SELECT source, id, NULLIF(MIN(since), MIN(since)), id FROM interval_part GROUP BY source, id
  ) AS p ON p.source = o.source AND p.id = o.id AND (
    p.since IS NULL OR (p.since > o.since AND (o.next_since IS NULL OR p.since < o.next_since)))
), part AS (
  SELECT b.*, LEAD(part_since) OVER (
    PARTITION BY source, id ORDER BY part_since) AS part_until FROM begun AS b
), told AS (
  SELECT p.*, COALESCE(p.part_until, p.next_since) AS until,
    COALESCE(p.measured_ms, MS(p.since, p.next_since)) AS whole_ms,
    MS(p.since, p.next_since) AS wall_ms, MS(p.since, p.part_since) AS from_ms,
    MS(p.since, p.part_until) AS to_ms
  FROM part AS p
)
SELECT o.source, o.id, o.epoch, o.seq, o.equipment, o.state, o.state_code, o.part_since AS since,
  o.until, CASE
    WHEN o.from_ms = 0 AND o.to_ms IS NULL THEN o.whole_ms
    WHEN o.next_since IS NULL THEN o.to_ms - o.from_ms
    ELSE CASE WHEN o.to_ms IS NULL THEN o.whole_ms
        ELSE CAST(CAST(o.whole_ms AS DOUBLE PRECISION) * o.to_ms / o.wall_ms AS BIGINT) END
      - CAST(CAST(o.whole_ms AS DOUBLE PRECISION) * o.from_ms / o.wall_ms AS BIGINT)
    END AS duration_ms,
  o.cause, o.mode, CASE WHEN n.about IS NULL THEN o.reason_code ELSE n.reason_code END
    AS reason_code,
  CASE WHEN n.about IS NULL THEN o.reason_category ELSE n.reason_category END AS reason_category,
  o.order_no, o.product, o.batch, o.day_local,
  CASE WHEN n.about IS NULL THEN o.planned ELSE n.planned END AS planned, o.about
FROM told AS o LEFT JOIN noted_reason AS n ON n.source = o.source AND n.about = o.about
"""

_CURRENT_STATE = """
WITH newest AS (
  SELECT s.*, ROW_NUMBER() OVER (
    PARTITION BY source, equipment ORDER BY epoch DESC, seq DESC) AS place
  FROM status_event AS s
)
SELECT n.source, n.equipment, e.name_zh, e.name_en, n.state, n.state_code, n.since, n.mode,
  n.reason_code, n.reason_category, n.order_no, n.product, n.batch
FROM newest AS n
LEFT JOIN equipment AS e ON e.source = n.source AND e.equipment = n.equipment
WHERE n.place = 1
"""

# Booked by the difference of totals, so that one lost count does not lose parts. The first
# count of a series books its delta: zero for a baseline.
_COUNT_BOOKED = """
SELECT c.*, COALESCE(total - LAG(total) OVER (
  PARTITION BY source, epoch, equipment, counter ORDER BY seq), delta) AS quantity
FROM count_event AS c
"""

_PRODUCTION_PER_HOUR = """
SELECT source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit, SUM(quantity) AS quantity, SUM(refused) AS refused,
  SUM(CASE WHEN anomaly IN ('none', 'baseline', 'rollover') THEN 0 ELSE 1 END) AS anomalies
FROM count_booked
GROUP BY source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit
"""

_PRODUCTION_PER_ORDER = """
SELECT source, order_no, product, batch, equipment, counter, kind, origin, unit,
  SUM(quantity) AS quantity, SUM(refused) AS refused, MIN(time) AS first_at, MAX(time) AS last_at
FROM count_booked WHERE order_no IS NOT NULL
GROUP BY source, order_no, product, batch, equipment, counter, kind, origin, unit
"""

_TIME_PER_STATE = """
SELECT source, equipment, day_local, state, SUM(duration_ms) AS duration_ms,
  COUNT(DISTINCT id) AS intervals
FROM status_interval WHERE until IS NOT NULL
GROUP BY source, equipment, day_local, state
"""

_TIME_PER_ORDER = """
SELECT source, order_no, product, batch, equipment, state, SUM(duration_ms) AS duration_ms,
  COUNT(DISTINCT id) AS intervals, MIN(since) AS first_at, MAX(until) AS last_at
FROM status_interval WHERE until IS NOT NULL AND order_no IS NOT NULL
GROUP BY source, order_no, product, batch, equipment, state
"""

_VIEWS: Mapping[str, str] = {
    "gateway_known": _GATEWAY_KNOWN,
    "noted_reason": _NOTED_REASON,
    "interval_part": _INTERVAL_PART,
    "status_interval": _STATUS_INTERVAL,
    "current_state": _CURRENT_STATE,
    "count_booked": _COUNT_BOOKED,
    "production_per_hour": _PRODUCTION_PER_HOUR,
    "production_per_order": _PRODUCTION_PER_ORDER,
    "time_per_state": _TIME_PER_STATE,
    "time_per_order": _TIME_PER_ORDER,
}


def views(dialect: Dialect) -> Mapping[str, str]:
    """Return name -> SELECT, in an order in which they can be created."""
    every = {**_VIEWS, **shift_views(dialect), **FAULT_VIEWS}
    return {name: adapted(query, dialect) for name, query in every.items()}


def create_views(connection: Connection) -> None:
    """Make every view what this version says it is."""
    if connection.dialect.name == "sqlite":
        for name, query in views("sqlite").items():
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
    else:
        for name, query in views("postgresql").items():
            connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {name} AS {query}")
