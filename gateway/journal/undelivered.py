"""How much of the journal its consumers do not have yet: an estimate from a few rows.

Counting them all would read the whole file.
"""

import math
import sqlite3
from typing import NamedTuple

from gateway.journal.retention import row_bytes

FILLING, FILLING_NO_MORE = 0.7, 0.6
"""Of the quota taken by what was not delivered: the alarm begins, and ends."""
_STRETCHES = 16
_ROWS = 32  # of each stretch are looked at


class Size(NamedTuple):
    """What rows take, by the estimate of `row_bytes`."""

    bytes: float
    waiting_bytes: float
    """Without local rows, which leave for nobody."""


def size_between(connection: sqlite3.Connection, after: int, upto: int) -> Size:
    """Return about what the rows with after < seq <= upto take."""
    step = max(_ROWS, math.ceil((upto - after) / _STRETCHES))
    total = waiting = 0.0
    for begins in range(after, upto, step):
        ends = min(begins + step, upto)
        rows = connection.execute(
            "SELECT seq, length(data), local FROM event WHERE seq > ? AND seq <= ?"
            " ORDER BY seq LIMIT ?",
            (begins, ends, _ROWS),
        ).fetchall()
        seen = (ends - begins) / (rows[-1][0] - begins) if len(rows) == _ROWS else 1.0
        total += seen * sum(row_bytes(size) for _, size, _ in rows)
        waiting += seen * sum(row_bytes(size) for _, size, local in rows if not local)
    return Size(total, waiting)


def undelivered_share(
    connection: sqlite3.Connection, *, first_seq: int, delivered: int, head: int
) -> float:
    """Return about which share of what the rows take was not delivered."""
    old = size_between(connection, first_seq - 1, delivered)
    new = size_between(connection, max(delivered, first_seq - 1), head)
    return new.waiting_bytes / (old.bytes + new.bytes) if new.waiting_bytes else 0.0
