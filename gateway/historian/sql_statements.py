"""The statements that write: what each does with a row that is there already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table, and_, case, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

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
