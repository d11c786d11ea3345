"""Questions to the store of record: reads only, in one snapshot; the historian may be writing.

- A SQLite file that is not there is not made.
- Every error is a StoreError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, create_engine, func, make_url, select, text
from sqlalchemy.pool import NullPool

from gateway.domain.vocabulary import Json
from gateway.historian.sql_engine import as_store_errors, patient
from gateway.historian.sql_schema import VERSION, schema_version
from gateway.historian.sql_types import Stamp
from gateway.historian.store import StoreUnavailable, StoreUnusable

_STAMP = Stamp()


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks about one gateway."""

    connection: Connection
    source: str

    @property
    def dialect(self) -> str:
        """Which SQL it speaks: ``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name

    def rows(self, query: str, **instants: datetime) -> Iterator[Row[Any]]:
        """Yield the rows; ``:source`` is the gateway, the other parameters are instants."""
        typed = text(query).bindparams(*(bindparam(name, type_=Stamp) for name in instants))
        yield from self.connection.execute(typed, {"source": self.source, **instants})

    def instant(self, value: object) -> datetime | None:
        """Return a column that holds an instant as one."""
        return _STAMP.process_result_value(value, self.connection.dialect)


@contextmanager
def reading(url: str, source: str) -> Iterator[Reader]:
    """Open the store for reading. Raises StoreError."""
    with as_store_errors(url):
        parsed = make_url(url)
        name = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        if not path.is_file():
            raise StoreUnavailable(name, "there is no such file")
        parsed = parsed.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    with as_store_errors(name):
        engine = create_engine(patient(parsed), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(_ONE_SNAPSHOT)
                else:
                    connection.exec_driver_sql("BEGIN")
                _check_version(connection, name)
                yield Reader(connection, source)
        finally:
            engine.dispose()


def _check_version(connection: Connection, name: str) -> None:
    version = connection.execute(select(func.max(schema_version.c.version))).scalar_one()
    if version != VERSION:
        reason = f"its tables are of version {version}, not {VERSION}"
        raise StoreUnusable(name, f"{reason}; the historian brings older ones up when it starts")


_ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def as_json(data: Any) -> Json:
    """Return a JSON column, which SQLite hands over as text."""
    found: Json = orjson.loads(data) if isinstance(data, str) else data
    return found
