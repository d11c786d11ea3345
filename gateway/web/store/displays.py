"""Displays: paired televisions. Each has a secret of its own; only a hash is kept."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from gateway.web.store.database import from_unix_ms, unix_ms

UNUSED = timedelta(days=400)
"""A display is in force for as long as it is used; no browser keeps a cookie for longer."""
_SEEN_EVERY = timedelta(minutes=1)
_COLUMNS = "id, name, theme, language, lines, created_by, created_ms, seen_ms, seen_from"


class DisplayExists(Exception):
    """The name is taken."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How a display shows the board; no `lines` are all of them, each is ``area/line``."""

    name: str
    theme: str
    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """One row, without its secret."""

    id: int
    looks: Looks
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    seen_from: str | None


def add(
    connection: sqlite3.Connection, hash_: bytes, looks: Looks, by: str, at: datetime
) -> Display:
    """Create a display. Raises DisplayExists."""
    try:
        cursor = connection.execute(
            "INSERT INTO display (hash, name, theme, language, lines, created_by, created_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (hash_, *_values(looks), by, unix_ms(at)),
        )
    except sqlite3.IntegrityError as err:
        raise DisplayExists(looks.name) from err
    return Display(cursor.lastrowid or 0, looks, by, at, None, None)


def find(
    connection: sqlite3.Connection, hash_: bytes, address: str, at: datetime
) -> Display | None:
    """Return the display if it is in force, and note that it was seen."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM display WHERE hash = ? AND coalesce(seen_ms, created_ms) > ?",  # noqa: S608
        (hash_, unix_ms(at - UNUSED)),
    ).fetchone()
    if row is None:
        return None
    display = _display(row)
    seen_at = display.seen_at
    if seen_at is None or seen_at < at - _SEEN_EVERY or display.seen_from != address:
        connection.execute(
            "UPDATE display SET seen_ms = ?, seen_from = ? WHERE id = ?",
            (unix_ms(at), address, display.id),
        )
    return display


def get(connection: sqlite3.Connection, id_: int) -> Display | None:
    """Return a display by its number."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM display WHERE id = ?",  # noqa: S608
        (id_,),
    ).fetchone()
    return None if row is None else _display(row)


def everyone(connection: sqlite3.Connection) -> Sequence[Display]:
    """Return all displays by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM display ORDER BY name")  # noqa: S608
    return [_display(row) for row in rows]


def change(connection: sqlite3.Connection, id_: int, looks: Looks) -> None:
    """Change how a display shows the board. Raises DisplayExists."""
    try:
        connection.execute(
            "UPDATE display SET name = ?, theme = ?, language = ?, lines = ? WHERE id = ?",
            (*_values(looks), id_),
        )
    except sqlite3.IntegrityError as err:
        raise DisplayExists(looks.name) from err


def remove(connection: sqlite3.Connection, id_: int) -> None:
    """Revoke a display: what it has is worth nothing from now on."""
    connection.execute("DELETE FROM display WHERE id = ?", (id_,))


def _values(looks: Looks) -> tuple[str, str, str, str]:
    return looks.name, looks.theme, looks.language, orjson.dumps(looks.lines).decode()


def _display(
    row: tuple[int, str, str, str, str, str, int, int | None, str | None],
) -> Display:
    id_, name, theme, language, lines, created_by, created_ms, seen_ms, seen_from = row
    return Display(
        id=id_,
        looks=Looks(name, theme, language, tuple(orjson.loads(lines))),
        created_by=created_by,
        created_at=from_unix_ms(created_ms),
        seen_at=None if seen_ms is None else from_unix_ms(seen_ms),
        seen_from=seen_from,
    )
