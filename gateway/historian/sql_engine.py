"""The connection to the database, and what its errors mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, exc, make_url
from sqlalchemy import event as listen

from gateway.historian.store import StoreError, StoreUnavailable, StoreUnusable, Unstorable

BUSY_TIMEOUT_MS = 5000
PATIENCE_S = 15
_PATIENCE: Mapping[str, str] = {
    "connect_timeout": str(PATIENCE_S),
    "tcp_user_timeout": str(PATIENCE_S * 1000),
    "keepalives_idle": str(PATIENCE_S),
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
"""Of libpq: without these a server that lost its power is waited for during hours."""

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
    """Return an engine of one connection that is used by one thread at a time.

    What others hold locked is waited for ``busy_timeout_ms``; a server that does not answer any
    more is given up after some `PATIENCE_S`.
    """
    engine = create_engine(
        patient(make_url(url)),
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        json_serializer=_as_it_is,
    )
    if engine.dialect.name == "sqlite":
        listen.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_ms))
        listen.listen(engine, "begin", _begin_sqlite)
    else:
        listen.listen(engine, "connect", partial(_prepare_postgresql, busy_timeout_ms))
    return engine


def patient(url: URL) -> URL:
    """Return the URL with limits to waiting for a server; what it says itself comes first."""
    if url.get_backend_name() != "postgresql":
        return url
    return url.set(query={**_PATIENCE, **url.query})


def _as_it_is(value: str) -> str:
    return value


def _prepare_sqlite(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _prepare_postgresql(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {busy_timeout_ms}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that turns from reading to writing fails at once when another one wrote.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
