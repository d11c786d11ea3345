"""The statements that write: what each does with a row that is there already."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, and_, case, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from gateway.domain.vocabulary import stamp
from gateway.historian import sql_schema as schema
from gateway.historian.rows import Row

_OF_THE_RAISE = frozenset({"order_no", "product", "batch", "shift", "production_date"})
"""What was in force when the fault was raised, not when it was cleared."""


def insert(connection: Connection, table: Table) -> Any:
    """Return the dialect's INSERT, which can say what to do on a conflict."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def insert_fact(connection: Connection, table: Table) -> Insert:
    """Return the INSERT of a fact: stored once; of a fault its newest step."""
    if table is schema.fault_occurrence:
        return _fault_upsert(connection)
    statement: Insert = insert(connection, table).on_conflict_do_nothing()
    return statement


def insert_facts(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the facts' rows of one table."""
    statement = insert_fact(connection, table)
    if table is schema.reading:
        _insert_readings(connection, statement, rows)
    else:
        connection.execute(statement, rows)


def _insert_readings(connection: Connection, statement: Insert, rows: Sequence[Row]) -> None:
    """Hand them to the driver as it wants them: of these there are 68 for one event.

    All their columns are text and numbers, but for ``time``.
    """
    names = [column.name for column in schema.reading.c]
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(compiled.string, list(rows))
        return
    texts = {at: stamp(at) for at in {row["time"] for row in rows}}
    in_order = itemgetter(*names)
    values = [in_order(row | {"time": texts[row["time"]]}) for row in rows]
    connection.exec_driver_sql(compiled.string, values)


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows, or replace those with their keys."""
    if not rows:
        return
    new = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    values = {
        column.name: new.excluded[column.name] for column in table.c if column.name not in keys
    }
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _fault_upsert(connection: Connection) -> Insert:
    table = schema.fault_occurrence
    statement = insert(connection, table)
    new = statement.excluded
    is_newer = or_(
        new.epoch > table.c.epoch, and_(new.epoch == table.c.epoch, new.seq > table.c.seq)
    )
    keys = [column.name for column in table.primary_key]
    values: dict[str, ColumnElement[Any]] = {}
    for column in table.c:
        if column.name not in keys:
            wins = new.transition == "raised" if column.name in _OF_THE_RAISE else is_newer
            values[column.name] = case((wins, new[column.name]), else_=column)
    updating: Insert = statement.on_conflict_do_update(index_elements=keys, set_=values)
    return updating
