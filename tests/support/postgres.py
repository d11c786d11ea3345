"""A real PostgreSQL, and the two databases a history can be in.

Ask for ``database`` in a test: it runs once over SQLite and once over PostgreSQL, each time
with an empty database. A module that uses it imports ``database`` and ``postgres``.
"""

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from gateway.domain.vocabulary import stamp
from tests.support.ports import HOST, free_port

READY_S = 120.0
PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Database:
    """One empty database of its own."""

    url: str
    """As in ``gateway.yaml``."""

    @property
    def is_sqlite(self) -> bool:
        """A file; else a PostgreSQL."""
        return self.url.startswith("sqlite")

    def query(self, sql: str) -> list[Any]:
        """Return the rows as SQLite shows them: instants as text, numbers as int or float."""
        with self._connected() as connection:
            return [
                tuple(_plain(value) for value in row) for row in connection.exec_driver_sql(sql)
            ]

    def execute(self, *statements: str) -> None:
        """Change it behind the historian's back."""
        with self._connected() as connection, connection.begin():
            for statement in statements:
                connection.execute(text(statement))

    def run_script(self, script: str) -> None:
        """Run many statements; the file of a SQLite need not be there yet."""
        if self.is_sqlite:
            path = Path(self.url.removeprefix("sqlite:///"))
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as file:
                file.executescript(script)
            return
        with self._connected() as connection, connection.begin():
            connection.exec_driver_sql(script)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody write meanwhile."""
        with self._connected() as connection:
            lock = "BEGIN IMMEDIATE" if self.is_sqlite else "LOCK TABLE event IN EXCLUSIVE MODE"
            connection.exec_driver_sql(lock)
            yield
            connection.rollback()

    def _connected(self) -> Connection:
        return create_engine(self.url, poolclass=NullPool).connect()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return bytes(value) if isinstance(value, memoryview) else value


def programs() -> Path:
    """Where the newest server is installed; a missing one fails the test with a sentence."""
    found = [path.parent for path in PROGRAMS.glob("*/bin/initdb")]
    if not found:
        pytest.fail("PostgreSQL is not installed; `make test` installs it (Debian: postgresql)")
    return max(found, key=lambda path: int(path.parent.name))


@dataclass
class Postgres:
    """One server; nothing in it outlives the test."""

    base: Path
    sync: bool = False
    """Whether what is committed survives `kill`; slower."""
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://postgres@{HOST}:{self.port}/{name}"

    def create(self) -> str:
        """Make an empty database and return its name."""
        name = f"t{uuid4().hex[:12]}"
        self._say(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, and whoever is still in it."""
        self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def prepare(self) -> None:
        """Make its files."""
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [str(programs() / "initdb"), "-D", str(self.base / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, **self._as_a_user())

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-h", HOST, "-p", str(self.port), "-k", str(self.base)]
        command = [str(programs() / "postgres"), "-D", str(self.base / "data"), *options]
        if not self.sync:
            command.append("-F")
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_a_user())
        deadline_s = time.monotonic() + READY_S
        asking = [str(programs() / "pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        while subprocess.run(asking, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                pytest.fail(f"PostgreSQL does not start: {(self.base / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; its clients are cut off."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End all of it at once, as a crash would: its next start recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(READY_S)
            self._process = None

    def _as_a_user(self) -> dict[str, Any]:
        """Return how to run it: it refuses to be root."""
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if os.getuid() != 0:
            return {"env": env, "cwd": self.base}
        user = pwd.getpwnam("nobody")
        os.chown(self.base, user.pw_uid, user.pw_gid)
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        return {"env": env, "cwd": self.base, **ids}

    def _say(self, statement: str) -> None:
        engine = create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        with engine.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def postgres_server(*, sync: bool = False) -> Iterator[Postgres]:
    """Run one server with empty files of its own."""
    programs()
    base = Path(tempfile.mkdtemp(prefix="pg-"))  # those of pytest are closed to other users
    server = Postgres(base, sync)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run one server for the tests of a session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give the test an empty database of each kind."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'data' / 'history.db'}")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield Database(server.url(name))
    server.drop(name)
