"""Time by shift, in SQL: the same minutes as ``millgate kpi --by shift``."""

from collections.abc import Mapping

# Intervals are found by index from each window, not the other way round: a client that asks
# for one production date does not read years of states.
_STATE_IN_SHIFT = """
WITH begun AS (
  SELECT w.source, w.equipment, w.shift, w.production_date, w.planned, w.begins,
    LEAST(w.ends, NOW()) AS ends, k.known_until
  FROM shift_window AS w JOIN gateway_known AS k ON k.source = w.source
  WHERE w.begins < NOW()
),
entered AS (
  SELECT b.*, COALESCE((
    SELECT MAX(s.since) FROM status_event AS s
    WHERE s.source = b.source AND s.equipment = b.equipment AND NOT s.repeat
      AND s.since <= b.begins), b.begins) AS looked_from
  FROM begun AS b
),
piece AS (
  SELECT w.source, w.equipment, w.shift, w.production_date, w.planned AS is_planned, w.begins,
    w.ends, s.id, s.state, s.reason_code, s.reason_category, s.planned, s.order_no, s.product,
    s.batch, GREATEST(s.since, w.begins) AS since,
    LEAST(COALESCE(LEAD(s.since) OVER (
      PARTITION BY w.source, w.equipment, w.production_date, w.shift, w.begins
      ORDER BY s.since, s.epoch, s.seq), w.known_until), w.ends) AS until
  FROM entered AS w JOIN status_event AS s
    ON s.source = w.source AND s.equipment = w.equipment AND NOT s.repeat
      AND s.since >= w.looked_from AND s.since < w.ends
),
told AS (
  SELECT p.source, p.equipment, p.shift, p.production_date, p.is_planned, p.begins, p.state,
    CASE WHEN n.about IS NULL THEN p.reason_code ELSE n.reason_code END AS reason_code,
    CASE WHEN n.about IS NULL THEN p.reason_category ELSE n.reason_category END
      AS reason_category,
    CASE WHEN n.about IS NULL THEN p.planned ELSE n.planned END AS planned,
    p.order_no, p.product, p.batch, p.since, p.until, MS(p.since, p.until) AS duration_ms
  FROM piece AS p LEFT JOIN noted_reason AS n ON n.source = p.source AND n.about = p.id
  WHERE p.since < p.until
),
silent AS (
  SELECT b.source, b.equipment, b.shift, b.production_date, b.planned AS is_planned, b.begins,
    b.ends, MS(b.begins, b.ends) - COALESCE(SUM(t.duration_ms), 0) AS duration_ms
  FROM begun AS b LEFT JOIN told AS t
    ON t.source = b.source AND t.equipment = b.equipment AND t.begins = b.begins
  GROUP BY b.source, b.equipment, b.shift, b.production_date, b.planned, b.begins, b.ends
)
SELECT source, equipment, production_date, shift,
  CASE WHEN state = 'running' THEN 'production'
    WHEN NOT is_planned OR planned OR reason_category IN ('break', 'no_order')
      OR state = 'maintenance' THEN 'planned_stop'
    WHEN state IN ('idle', 'stopped') THEN 'delay'
    WHEN state = 'fault' THEN 'down'
    WHEN state = 'setup' THEN 'setup'
    ELSE 'unknown' END AS spent,
  state, reason_code, reason_category, order_no, product, batch, since, until,
  CAST(duration_ms AS BIGINT) AS duration_ms, is_planned AS planned
FROM told
UNION ALL
SELECT source, equipment, production_date, shift,
  CASE WHEN is_planned THEN 'unknown' ELSE 'planned_stop' END, 'offline', NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, CAST(duration_ms AS BIGINT), is_planned
FROM silent WHERE duration_ms > 0
"""

_STATE_BY_SHIFT = """
SELECT source, equipment, production_date, shift, spent, state, reason_code, reason_category,
  order_no, CAST(SUM(duration_ms) AS BIGINT) AS duration_ms, COUNT(since) AS intervals
FROM state_in_shift
GROUP BY source, equipment, production_date, shift, spent, state, reason_code, reason_category,
  order_no
"""

_TIMES_BY_SHIFT = """
SELECT source, equipment, production_date, shift,
  CAST(SUM(CASE WHEN spent = 'production' THEN duration_ms ELSE 0 END) AS BIGINT) AS production_ms,
  CAST(SUM(CASE WHEN spent = 'setup' THEN duration_ms ELSE 0 END) AS BIGINT) AS setup_ms,
  CAST(SUM(CASE WHEN spent = 'delay' THEN duration_ms ELSE 0 END) AS BIGINT) AS delay_ms,
  CAST(SUM(CASE WHEN spent = 'down' THEN duration_ms ELSE 0 END) AS BIGINT) AS down_ms,
  CAST(SUM(CASE WHEN spent = 'planned_stop' THEN duration_ms ELSE 0 END) AS BIGINT)
    AS planned_stop_ms,
  CAST(SUM(CASE WHEN spent = 'unknown' THEN duration_ms ELSE 0 END) AS BIGINT) AS unknown_ms,
  CAST(SUM(CASE WHEN spent IN ('production', 'setup', 'delay', 'down') THEN duration_ms ELSE 0 END)
    AS BIGINT) AS planned_busy_ms,
  CAST(SUM(duration_ms) AS BIGINT) AS total_ms
FROM state_in_shift
GROUP BY source, equipment, production_date, shift
"""

SHIFT_VIEWS: Mapping[str, str] = {
    "state_in_shift": _STATE_IN_SHIFT,
    "state_by_shift": _STATE_BY_SHIFT,
    "times_by_shift": _TIMES_BY_SHIFT,
}
