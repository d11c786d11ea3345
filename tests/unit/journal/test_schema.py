import sqlite3
from pathlib import Path

import pytest

from gateway.journal import schema
from gateway.journal.schema import connect_reader, connect_writer, migrate


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


def test_a_step_that_fails_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (a)")
        connection.execute("CREATE TABLE half (a)")

    before = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    connection = connect_writer(tmp_path / "j.db")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (before,)
    assert "event" in tables(connection)
    assert "half" not in tables(connection)
    connection.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    writer = connect_writer(path)
    migrate(writer)
    reader = connect_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM event")
    reader.close()
    writer.close()


def test_a_reader_does_not_create_a_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect_reader(tmp_path / "j.db")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_the_first_version_is_brought_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "j.db", schema.MIGRATIONS
    with monkeypatch.context() as past:
        past.setattr(schema, "MIGRATIONS", now[:1])
        connection = connect_writer(path)
        migrate(connection)
        connection.execute("INSERT INTO state VALUES ('press-07', x'7b7d')")
        connection.close()
    connection = connect_writer(path)
    migrate(connection)
    assert connection.execute("SELECT equipment FROM state").fetchall() == [("press-07",)]
    assert connection.execute("SELECT * FROM place").fetchall() == []
    assert connection.execute("PRAGMA user_version").fetchone() == (len(now),)
    connection.close()
