"""Time by shift, in SQL: the same minutes as ``millgate kpi --by shift``."""

from collections.abc import Mapping

from gateway.historian.sql_dialect import Dialect

_OF = "s.source = w.source AND s.equipment = w.equipment AND NOT s.repeat"
_LOOKED_FROM = f"""COALESCE((
    SELECT MAX(s.since) FROM status_event AS s WHERE {_OF} AND s.since <= w.begins), w.begins)"""  # noqa: S608
# From each window by index to its states, never the other way round: who asks for one production
# date must not read years of states. SQLite joins no other way; PostgreSQL would, but for the
# fence of OFFSET 0.
_STATES: Mapping[Dialect, str] = {
    "sqlite": f"JOIN status_event AS s ON {_OF} AND s.since < w.ends AND s.since >= {_LOOKED_FROM}",
    "postgresql": f"""CROSS JOIN LATERAL (
    SELECT s.* FROM status_event AS s
    WHERE {_OF} AND s.since < w.ends AND s.since >= {_LOOKED_FROM} OFFSET 0) AS s""",  # noqa: S608
}

_STATE_IN_SHIFT = """
WITH begun AS NOT MATERIALIZED (
  SELECT w.source, w.equipment, w.shift, w.production_date, w.planned, w.begins,
    LEAST(w.ends, NOW()) AS ends, k.known_until
  FROM shift_window AS w JOIN gateway_known AS k ON k.source = w.source
  WHERE w.begins < NOW()
),
piece AS (
  SELECT w.source, w.equipment, w.shift, w.production_date, w.planned AS is_planned, w.begins,
    s.id, s.since AS told_at, s.state, s.reason_code, s.reason_category, s.planned, s.order_no,
    s.product, s.batch,
    GREATEST(s.since, w.begins) AS since,
    LEAST(COALESCE(LEAD(s.since) OVER (
      PARTITION BY w.source, w.equipment, w.production_date, w.shift, w.begins
      ORDER BY s.since, s.epoch, s.seq), w.known_until), w.ends) AS until
  FROM begun AS w {states}
),
begins_at AS (
  SELECT p.*, COALESCE(c.about, p.id) AS about, COALESCE(c.since, p.told_at) AS part_since
  FROM piece AS p LEFT JOIN (
    SELECT source, id, since, about FROM interval_part
    UNION ALL
    SELECT source, id, NULLIF(MIN(since), MIN(since)), id FROM interval_part GROUP BY source, id
  ) AS c ON c.source = p.source AND c.id = p.id AND (
    c.since IS NULL OR (c.since > p.told_at AND c.since < p.until))
),
part AS (
  SELECT b.*, LEAD(b.part_since) OVER (
    PARTITION BY b.source, b.equipment, b.production_date, b.shift, b.begins, b.id
    ORDER BY b.part_since) AS part_until
  FROM begins_at AS b
),
cut AS (
  SELECT p.source, p.equipment, p.shift, p.production_date, p.is_planned, p.begins, p.about,
    p.state, p.reason_code, p.reason_category, p.planned, p.order_no, p.product, p.batch,
    GREATEST(p.since, p.part_since) AS since,
    LEAST(p.until, COALESCE(p.part_until, p.until)) AS until
  FROM part AS p
),
told AS (
  SELECT p.source, p.equipment, p.shift, p.production_date, p.is_planned, p.begins, p.state,
    CASE WHEN n.about IS NULL THEN p.reason_code ELSE n.reason_code END AS reason_code,
    CASE WHEN n.about IS NULL THEN p.reason_category ELSE n.reason_category END
      AS reason_category,
    CASE WHEN n.about IS NULL THEN p.planned ELSE n.planned END AS planned,
    p.order_no, p.product, p.batch, p.since, p.until, MS(p.since, p.until) AS duration_ms
  FROM cut AS p LEFT JOIN noted_reason AS n ON n.source = p.source AND n.about = p.about
  WHERE p.since < p.until
),
heard AS (
  SELECT w.*, LEAST(GREATEST(COALESCE((
      SELECT MIN(s.since) FROM status_event AS s
      WHERE s.source = w.source AND s.equipment = w.equipment AND NOT s.repeat
    ), w.ends), w.begins), w.ends) AS from_at
  FROM begun AS w
),
unheard AS (
  SELECT h.*, LEAST(GREATEST(h.known_until, h.from_at), h.ends) AS to_at FROM heard AS h
),
silent AS (
  SELECT u.source, u.equipment, u.shift, u.production_date, u.planned AS is_planned,
    MS(u.begins, u.from_at) + MS(u.to_at, u.ends) AS duration_ms
  FROM unheard AS u
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


def shift_views(dialect: Dialect) -> Mapping[str, str]:
    """Return name -> SELECT."""
    return {
        "state_in_shift": _STATE_IN_SHIFT.format(states=_STATES[dialect]),
        "state_by_shift": _STATE_BY_SHIFT,
        "times_by_shift": _TIMES_BY_SHIFT,
    }
