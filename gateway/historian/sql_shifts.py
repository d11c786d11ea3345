"""The windows of the shifts, written ahead of time."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from gateway.historian import sql_schema as schema
from gateway.historian.shift_windows import AHEAD, ShiftPlan, first_moment, windows


def plan_shifts(connection: Connection, plan: ShiftPlan, now: datetime) -> None:
    """Make the windows that begin at ``now`` or later those of ``plan``, and fill up to them."""
    table, columns = schema.shift_window, schema.shift_window.c
    connection.execute(table.delete().where(columns.source == plan.source, columns.begins >= now))
    planned_until = _newest(connection, plan)
    told_since = _oldest_states(connection, plan)
    rows = []
    for equipment, calendar in plan.calendars.items():
        begins = planned_until.get(equipment) or first_moment(now, told_since.get(equipment))
        rows += [
            {
                "source": plan.source,
                "equipment": equipment,
                "begins": window.begins,
                "ends": window.ends,
                "shift": window.shift,
                "production_date": window.production_date,
                "planned": window.planned,
            }
            for window in windows(calendar, begins, now + AHEAD)
        ]
    if rows:
        connection.execute(table.insert(), rows)


def _newest(connection: Connection, plan: ShiftPlan) -> dict[str, datetime]:
    columns = schema.shift_window.c
    newest = func.max(columns.ends, type_=columns.ends.type)
    query = select(columns.equipment, newest).where(columns.source == plan.source)
    return {row[0]: row[1] for row in connection.execute(query.group_by(columns.equipment))}


def _oldest_states(connection: Connection, plan: ShiftPlan) -> dict[str, datetime]:
    columns = schema.status_event.c
    oldest = func.min(columns.since, type_=columns.since.type)
    query = select(columns.equipment, oldest).where(columns.source == plan.source)
    return {row[0]: row[1] for row in connection.execute(query.group_by(columns.equipment))}
