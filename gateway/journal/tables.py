"""What a transaction puts into the tables of the journal, statement by statement.

The caller owns the transaction, but for `transaction`, which is one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain

from gateway.domain.events import Gap
from gateway.journal.errors import CommandRepeated, as_journal_errors
from gateway.journal.lineage import LIVES_KEPT, Life
from gateway.journal.numbering import Append, Obeyed, Stream, unix_ms
from gateway.journal.row import Entry, Row, StreamHead

COMMANDS_KEPT = 10_000

_AT_ONCE = 16
"""Rows of one statement: between two of them others may run, and each looks up the newest seq."""
# As a `Row` stands, with the number of its epoch in place of the name.
_INSERT = (
    "INSERT INTO event (seq, equipment, type, part, streamseq, time_ms, recorded_ms, local, data,"
    " epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_SEVERAL = _INSERT + ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" * (_AT_ONCE - 1)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done within, or nothing of it."""
    with as_journal_errors():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            # SQLite ends the transaction by itself after some errors.
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def insert_events(connection: sqlite3.Connection, epoch: int, rows: Iterable[Row]) -> None:
    """Insert rows, all of the epoch of that number."""
    values = [(*row[:-1], epoch) for row in rows]
    whole = len(values) - len(values) % _AT_ONCE
    for first in range(0, whole, _AT_ONCE):
        several = values[first : first + _AT_ONCE]
        connection.execute(_INSERT_SEVERAL, tuple(chain.from_iterable(several)))
    connection.executemany(_INSERT, values[whole:])


def change_events(connection: sqlite3.Connection, changed: Iterable[tuple[int, bytes]]) -> None:
    """Replace the data of rows, by seq."""
    connection.executemany(
        "UPDATE event SET data = ? WHERE seq = ?", [(data, seq) for seq, data in changed]
    )


def delete_events(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """Remove rows."""
    connection.executemany("DELETE FROM event WHERE seq = ?", [(seq,) for seq in seqs])


def note_heads(connection: sqlite3.Connection, after: int) -> None:
    """Note the newest of each stream as the rows beyond ``after`` have moved it."""
    connection.execute(
        "INSERT OR REPLACE INTO stream SELECT equipment, type, streamseq, seq FROM event"
        " WHERE seq > ? AND NOT local ORDER BY seq",
        (after,),
    )


def insert_heads(connection: sqlite3.Connection, heads: Mapping[Stream, StreamHead]) -> None:
    """Note the newest of each of these streams, where no row in the file says it."""
    connection.executemany(
        "INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?)",
        [(*stream, *head) for stream, head in heads.items()],
    )


def insert_states(connection: sqlite3.Connection, states: Mapping[str, bytes]) -> None:
    """Note the newest state of equipment."""
    connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", states.items())


def insert_commands(connection: sqlite3.Connection, commands: Iterable[Obeyed]) -> None:
    """Note the commands that appends come from."""
    connection.executemany("INSERT INTO command VALUES (?, ?, ?)", commands)


def forget_old_commands(connection: sqlite3.Connection) -> None:
    """Keep the newest `COMMANDS_KEPT`."""
    connection.execute(
        "DELETE FROM command WHERE rowid <= (SELECT max(rowid) FROM command) - ?",
        (COMMANDS_KEPT,),
    )


def repeated(
    connection: sqlite3.Connection, appends: Sequence[Append]
) -> dict[int, CommandRepeated]:
    """Return which of the appends, by index, come from a command that was obeyed before."""
    found: dict[int, CommandRepeated] = {}
    seen: set[str] = set()
    for index, append in enumerate(appends):
        if append.command_id is None:
            continue
        if append.command_id in seen or _is_known(connection, append.command_id):
            found[index] = CommandRepeated(append.command_id)
        seen.add(append.command_id)
    return found


def _is_known(connection: sqlite3.Connection, command_id: str) -> bool:
    found = connection.execute("SELECT 1 FROM command WHERE command_id = ?", (command_id,))
    return found.fetchone() is not None


def insert_cursors(connection: sqlite3.Connection, cursors: Mapping[str, int]) -> None:
    """Note how far consumers are."""
    connection.executemany("INSERT OR REPLACE INTO cursor VALUES (?, ?)", cursors.items())


def delete_cursors(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Forget consumers."""
    connection.executemany("DELETE FROM cursor WHERE name = ?", [(name,) for name in names])


def write_marks(connection: sqlite3.Connection, **marks: int) -> dict[str, int]:
    """Note single numbers; return them."""
    connection.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", marks.items())
    return marks


def insert_life(connection: sqlite3.Connection, life: Life) -> None:
    """Note a life of the journal, and forget those of long ago."""
    connection.execute("INSERT INTO life VALUES (?, ?, ?)", (life.number, life.name, life.after))
    connection.execute("DELETE FROM life WHERE number <= ?", (life.number - LIVES_KEPT,))


def insert_epoch(
    connection: sqlite3.Connection, number: int, epoch: str, reason: str, at: datetime
) -> None:
    """Note an epoch; the streams of the one before are over."""
    connection.execute(
        "INSERT INTO epoch VALUES (?, ?, ?, ?)", (number, epoch, reason, unix_ms(at))
    )
    connection.execute("DELETE FROM stream")
    connection.execute("DELETE FROM promise")


def disown(connection: sqlite3.Connection, after: int, at: datetime) -> list[Entry]:
    """Keep the rows beyond ``after`` to ourselves; return what tells of them."""
    found = connection.execute(
        "SELECT equipment, type, count(*) FROM event WHERE seq > ? AND NOT local GROUP BY 1, 2",
        (after,),
    ).fetchall()
    connection.execute("UPDATE event SET local = 1, streamseq = 0 WHERE seq > ?", (after,))
    return [
        Entry(equipment, [Gap(at=at, stream=kind, reason="not_observed", count=count)])
        for equipment, kind, count in found
    ]
