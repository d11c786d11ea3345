"""Failures, their means and their Pareto, in SQL: the same numbers as ``millgate faults``.

`gateway.domain.fault_stats` says what each figure is; its rules stand here once more, as a
SQL client cannot call it. Neighbouring states are found by index.
"""

from collections.abc import Mapping

from gateway.domain.fault_stats import MERGE_S

_OF = "s.source = f.source AND s.equipment = f.equipment AND NOT s.repeat"
_FAR = "'9999-12-31T00:00:00.000Z'"


def _met(state: str, begins: str, ends: str) -> str:
    """Whether the machine was in ``state`` between two instants of ``f``, ends included."""
    return f"""(EXISTS (
    SELECT 1 FROM status_event AS s WHERE {_OF} AND s.state = '{state}'
      AND s.since >= f.{begins} AND s.since <= COALESCE(f.{ends}, {_FAR})
  ) OR COALESCE((
    SELECT s.state FROM status_event AS s WHERE {_OF} AND s.since < f.{begins}
    ORDER BY s.since DESC, s.epoch DESC, s.seq DESC LIMIT 1), '') = '{state}')"""  # noqa: S608


_FAULT_FAILURE = f"""
WITH stopping AS (
  SELECT f.*, COALESCE(f.cleared_at, {_FAR}) AS over FROM fault_occurrence AS f
  WHERE f.stops_machine AND {_met("fault", "raised_at", "cleared_at")}
),
followed AS (
  SELECT o.*, MAX(over) OVER (
    PARTITION BY source, equipment, code ORDER BY raised_at, over, fault_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM stopping AS o
),
numbered AS (
  SELECT o.*, SUM(CASE WHEN before IS NULL OR MS(before, raised_at) >= {MERGE_S * 1000:.0f}
    THEN 1 ELSE 0 END) OVER (
    PARTITION BY source, equipment, code ORDER BY raised_at, over, fault_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
  FROM followed AS o
),
merged AS (
  SELECT source, equipment, code, number, MAX(text_zh) AS text_zh, MAX(text_en) AS text_en,
    MAX(severity) AS severity, MIN(raised_at) AS began_at,
    CASE WHEN COUNT(cleared_at) = COUNT(*) THEN MAX(cleared_at) END AS ended_at,
    MIN(acked_at) AS acked_at, COUNT(*) AS occurrences, CAST(SUM(raises) AS BIGINT) AS raises
  FROM numbered GROUP BY source, equipment, code, number
),
judged AS (
  SELECT f.*, NOT {_met("offline", "began_at", "ended_at")} AS known FROM merged AS f
),
after AS (
  SELECT f.*,
    (SELECT s.state FROM status_event AS s WHERE {_OF} AND s.since <= f.ended_at
      ORDER BY s.since DESC, s.epoch DESC, s.seq DESC LIMIT 1) AS state_at_end,
    (SELECT s.state FROM status_event AS s WHERE {_OF} AND s.since > f.ended_at
      AND s.state IN ('running', 'offline') ORDER BY s.since LIMIT 1) AS next_state,
    (SELECT s.since FROM status_event AS s WHERE {_OF} AND s.since > f.ended_at
      AND s.state IN ('running', 'offline') ORDER BY s.since LIMIT 1) AS next_since
  FROM judged AS f
)
SELECT source, equipment, code, text_zh, text_en, severity, began_at, ended_at, acked_at,
  occurrences, raises, known,
  CASE WHEN known THEN MS(began_at, ended_at) END AS down_ms,
  MS(began_at, acked_at) AS response_ms,
  CASE WHEN known AND acked_at <= ended_at THEN MS(acked_at, ended_at) END AS repair_ms,
  CASE WHEN NOT known OR ended_at IS NULL THEN NULL WHEN state_at_end = 'running' THEN 0
    WHEN next_state = 'running' THEN MS(ended_at, next_since) END AS restart_ms
FROM after
"""  # noqa: S608 - of words of this file only

_SUMS = """
  CAST(COUNT(f.began_at) AS BIGINT) AS failures, CAST(COUNT(f.down_ms) AS BIGINT) AS repaired,
  CAST(COUNT(f.response_ms) AS BIGINT) AS acknowledged,
  CAST(COUNT(f.restart_ms) AS BIGINT) AS restarted,
  AVG(CAST(f.down_ms AS DOUBLE PRECISION)) AS mttr_ms,
  AVG(CAST(f.response_ms AS DOUBLE PRECISION)) AS response_ms,
  AVG(CAST(f.repair_ms AS DOUBLE PRECISION)) AS repair_ms,
  AVG(CAST(f.restart_ms AS DOUBLE PRECISION)) AS restart_ms"""
_FIGURES = """operating_ms, unknown_ms, failures, repaired, acknowledged, restarted,
  CASE WHEN failures > 0 AND operating_ms > 0
    THEN CAST(operating_ms AS DOUBLE PRECISION) / failures END AS mtbf_ms,
  mttr_ms, response_ms, repair_ms, restart_ms,
  CASE WHEN failures > 0 AND operating_ms > 0 AND mttr_ms IS NOT NULL
    THEN operating_ms / (operating_ms + mttr_ms * failures) END AS availability"""

_FAULT_RELIABILITY = f"""
WITH lasting AS (
  SELECT i.source, i.equipment, i.state, i.since, COALESCE(i.until, k.known_until) AS until
  FROM status_interval AS i JOIN gateway_known AS k ON k.source = i.source
),
lived AS (
  SELECT source, equipment,
    CAST(SUM(CASE WHEN state = 'running' THEN MS(since, until) ELSE 0 END) AS BIGINT)
      AS operating_ms,
    CAST(SUM(CASE WHEN state = 'offline' THEN MS(since, until) ELSE 0 END) AS BIGINT)
      AS unknown_ms
  FROM lasting WHERE since < until GROUP BY source, equipment
),
failed AS (
  SELECT f.source, f.equipment, {_SUMS} FROM fault_failure AS f GROUP BY f.source, f.equipment
),
joined AS (
  SELECT l.source, l.equipment, l.operating_ms, l.unknown_ms, COALESCE(f.failures, 0) AS failures,
    COALESCE(f.repaired, 0) AS repaired, COALESCE(f.acknowledged, 0) AS acknowledged,
    COALESCE(f.restarted, 0) AS restarted, f.mttr_ms, f.response_ms, f.repair_ms, f.restart_ms
  FROM lived AS l LEFT JOIN failed AS f ON f.source = l.source AND f.equipment = l.equipment
)
SELECT source, equipment, {_FIGURES} FROM joined
"""  # noqa: S608

_RELIABILITY_BY_SHIFT = f"""
WITH lived AS (
  SELECT source, equipment, production_date, shift,
    CAST(SUM(CASE WHEN state = 'running' THEN duration_ms ELSE 0 END) AS BIGINT) AS operating_ms,
    CAST(SUM(CASE WHEN state = 'offline' THEN duration_ms ELSE 0 END) AS BIGINT) AS unknown_ms
  FROM state_in_shift GROUP BY source, equipment, production_date, shift
),
failed AS (
  SELECT w.source, w.equipment, w.production_date, w.shift, {_SUMS}
  FROM shift_window AS w JOIN fault_failure AS f ON f.source = w.source
    AND f.equipment = w.equipment AND f.began_at >= w.begins AND f.began_at < w.ends
  GROUP BY w.source, w.equipment, w.production_date, w.shift
),
joined AS (
  SELECT l.source, l.equipment, l.production_date, l.shift, l.operating_ms, l.unknown_ms,
    COALESCE(f.failures, 0) AS failures, COALESCE(f.repaired, 0) AS repaired,
    COALESCE(f.acknowledged, 0) AS acknowledged, COALESCE(f.restarted, 0) AS restarted,
    f.mttr_ms, f.response_ms, f.repair_ms, f.restart_ms
  FROM lived AS l LEFT JOIN failed AS f ON f.source = l.source AND f.equipment = l.equipment
    AND f.production_date = l.production_date AND f.shift = l.shift
)
SELECT source, equipment, production_date, shift, {_FIGURES} FROM joined
"""  # noqa: S608

_FAULT_PARETO = """
WITH lasting AS (
  SELECT f.*, CASE WHEN f.cleared_at IS NOT NULL THEN f.cleared_at
    WHEN k.known_until > f.raised_at THEN k.known_until ELSE f.raised_at END AS until
  FROM fault_occurrence AS f LEFT JOIN gateway_known AS k ON k.source = f.source
),
summed AS (
  SELECT source, equipment, code, MAX(text_zh) AS text_zh, MAX(text_en) AS text_en,
    MAX(severity) AS severity, COUNT(*) AS occurrences, SUM(raises) AS raises,
    SUM(MS(raised_at, until)) AS duration_ms,
    SUM(CASE WHEN cleared_at IS NULL THEN 1 ELSE 0 END) AS active,
    MAX(raised_at) AS last_raised_at
  FROM lasting GROUP BY source, equipment, code
)
SELECT s.*,
  CAST(duration_ms AS DOUBLE PRECISION)
    / NULLIF(SUM(duration_ms) OVER (PARTITION BY source), 0) AS share,
  CAST(SUM(duration_ms) OVER (PARTITION BY source
    ORDER BY duration_ms DESC, occurrences DESC, equipment, code
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DOUBLE PRECISION)
    / NULLIF(SUM(duration_ms) OVER (PARTITION BY source), 0) AS cumulative
FROM summed AS s
"""

FAULT_VIEWS: Mapping[str, str] = {
    "fault_failure": _FAULT_FAILURE,
    "fault_reliability": _FAULT_RELIABILITY,
    "fault_reliability_by_shift": _RELIABILITY_BY_SHIFT,
    "fault_pareto": _FAULT_PARETO,
}
