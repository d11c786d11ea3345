"""The connection to the database, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, exc
from sqlalchemy import event as listen

from gateway.historian.store import StoreError, StoreUnavailable, StoreUnusable, Unstorable

BUSY_TIMEOUT_MS = 5000

# Most specific first. A refused connection and a locked file are OperationalErrors.
_ERRORS: tuple[tuple[type[Exception], type[StoreError]], ...] = (
    (exc.OperationalError, StoreUnavailable),
    (exc.DataError, Unstorable),
    (exc.IntegrityError, Unstorable),
    (exc.ProgrammingError, Unstorable),
    (exc.NotSupportedError, Unstorable),
    (exc.DBAPIError, StoreUnavailable),
    (exc.TimeoutError, StoreUnavailable),
    (exc.StatementError, Unstorable),
    (OverflowError, Unstorable),
    (exc.SQLAlchemyError, StoreUnusable),
    (OSError, StoreUnavailable),
)


@contextmanager
def as_store_errors(store: str) -> Iterator[None]:
    """Re-raise what the database's libraries raise as the StoreError it means."""
    try:
        yield
    except tuple(theirs for theirs, _ in _ERRORS) as err:
        ours = next(ours for theirs, ours in _ERRORS if isinstance(err, theirs))
        reason = str(getattr(err, "orig", None) or err)
        raise ours(store, reason) from err


def open_engine(url: str, busy_timeout_ms: int) -> Engine:
    """Return an engine of one connection that is used by one thread at a time."""
    engine = create_engine(
        url, pool_size=1, max_overflow=0, pool_pre_ping=True, json_serializer=_as_it_is
    )
    if engine.dialect.name == "sqlite":
        listen.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_ms))
        listen.listen(engine, "begin", _begin_sqlite)
    return engine


def _as_it_is(value: str) -> str:
    return value


def _prepare_sqlite(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that turns from reading to writing fails at once when another one wrote.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
