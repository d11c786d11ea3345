"""The views a MES developer asks for: names and columns are part of the contract (§8).

Each is one SELECT that SQLite (3.28+) and PostgreSQL both understand, but for the
milliseconds between two instants.
"""

from collections.abc import Mapping
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

_MS_BETWEEN: Mapping[Dialect, str] = {
    "sqlite": "CAST(ROUND((julianday({end}) - julianday({start})) * 86400000) AS INTEGER)",
    "postgresql": "CAST(ROUND(EXTRACT(EPOCH FROM ({end} - {start})) * 1000) AS BIGINT)",
}

# An interval ends where the next one of the equipment begins, also across epochs: a journal
# that was lost or copied does not leave its last state open for ever. The next event's own
# prev_duration_ms is preferred, because it was measured by a monotonic clock.
_STATUS_INTERVAL = """
WITH ordered AS (
  SELECT s.*, LEAD(since) OVER w AS next_since, LEAD(prev_duration_ms) OVER w AS measured_ms
  FROM status_event AS s WHERE NOT s.repeat
  WINDOW w AS (PARTITION BY source, equipment ORDER BY epoch, seq)
)
SELECT source, id, epoch, seq, equipment, state, state_code, since, next_since AS until,
  COALESCE(measured_ms, {ms}) AS duration_ms, cause, mode, reason_code, reason_category,
  order_no, product, batch, day_local
FROM ordered
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
_PRODUCTION_PER_HOUR = """
WITH booked AS (
  SELECT c.*, COALESCE(total - LAG(total) OVER (
    PARTITION BY source, epoch, equipment, counter ORDER BY seq), delta) AS quantity
  FROM count_event AS c
)
SELECT source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit, SUM(quantity) AS quantity, SUM(refused) AS refused,
  SUM(CASE WHEN anomaly IN ('none', 'baseline', 'rollover') THEN 0 ELSE 1 END) AS anomalies
FROM booked
GROUP BY source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit
"""

_TIME_PER_STATE = """
SELECT source, equipment, day_local, state, SUM(duration_ms) AS duration_ms, COUNT(*) AS intervals
FROM status_interval WHERE until IS NOT NULL
GROUP BY source, equipment, day_local, state
"""

_FAULT_PARETO = """
SELECT source, equipment, code, MAX(text_zh) AS text_zh, MAX(text_en) AS text_en,
  MAX(severity) AS severity, COUNT(*) AS occurrences, SUM(raises) AS raises,
  SUM(duration_ms) AS duration_ms,
  SUM(CASE WHEN cleared_at IS NULL THEN 1 ELSE 0 END) AS active, MAX(raised_at) AS last_raised_at
FROM fault_occurrence
GROUP BY source, equipment, code
"""


def views(dialect: Dialect) -> Mapping[str, str]:
    """Return name -> SELECT, in an order in which they can be created."""
    ms = _MS_BETWEEN[dialect].format(start="since", end="next_since")
    return {
        "status_interval": _STATUS_INTERVAL.format(ms=ms),
        "current_state": _CURRENT_STATE,
        "production_per_hour": _PRODUCTION_PER_HOUR,
        "time_per_state": _TIME_PER_STATE,
        "fault_pareto": _FAULT_PARETO,
    }
