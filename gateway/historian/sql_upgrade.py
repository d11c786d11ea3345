"""Tables of an earlier version become those of this one; nothing that was stored is lost.

- All of it in one transaction: an upgrade that is broken off has not begun.
- New columns are filled from the whole facts in ``event``. Not so those of ``reading``: there
  are too many, and they stay NULL for what was stored before.
- Running it again changes nothing.
"""

import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Table, exists, inspect, or_, select, text
from sqlalchemy.schema import CreateColumn

from gateway.historian import sql_schema as schema
from gateway.historian.rows import MalformedFact, Row, detail_rows
from gateway.historian.sql_statements import insert_fact, upsert
from gateway.wire.cloudevent import Envelope

CHUNK = 1000
REFILLED = ("fault", "note")
"""Types of facts whose tables got columns; a status got one only where it has a reason."""

_log = logging.getLogger(__name__)


def upgrade(
    connection: Connection, version: int, zone: tzinfo, read: Callable[[Any], Envelope]
) -> None:
    """Bring the tables from ``version`` to `VERSION`; ``read`` makes a fact of an ``event`` row."""
    _log.warning("upgrading the history from version %d to %d", version, schema.VERSION)
    for table in schema.metadata.sorted_tables:
        _add_columns(connection, table)
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    connection.execute(schema.fault_occurrence.delete())
    _refill(connection, zone, read)
    connection.execute(schema.schema_version.insert(), {"version": schema.VERSION})


def _add_columns(connection: Connection, table: Table) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.c:
        if column.name not in there:
            written = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {written}"))


def _refill(connection: Connection, zone: tzinfo, read: Callable[[Any], Envelope]) -> None:
    event, status = schema.event.c, schema.status_event.c
    has_reason = exists().where(
        status.source == event.source, status.id == event.id, status.reason_code.is_not(None)
    )
    number = 0
    while True:
        query = (
            select(schema.event)
            .where(event.number > number, or_(event.type.in_(REFILLED), has_reason))
            .order_by(event.number)
            .limit(CHUNK)
        )
        found = connection.execute(query).all()
        if not found:
            return
        number = found[-1].number
        tables: dict[str, list[Row]] = {}
        for row in found:
            for name, detail in _details(read(row), zone):
                tables.setdefault(name, []).append(detail)
        for name, rows in tables.items():
            table = schema.metadata.tables[name]
            if table is schema.fault_occurrence:
                connection.execute(insert_fact(connection, table), rows)
            else:
                upsert(connection, table, rows)


def _details(event: Envelope, zone: tzinfo) -> list[tuple[str, Row]]:
    try:
        return detail_rows(event, zone)
    except MalformedFact:
        return []  # it became a dead letter when it came
