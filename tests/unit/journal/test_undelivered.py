from pathlib import Path
from random import Random

import pytest

from gateway.journal.ledger import Ledger
from gateway.journal.numbering import prepare
from gateway.journal.opening import open_ledger
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.journal.undelivered import size_between, undelivered_share
from tests.support.clock import MORNING
from tests.support.journal import count, reading


def opened(path: Path) -> Ledger:
    limits = Limits(ballast_bytes=0)
    return open_ledger(path, at=MORNING, limits=limits, randbelow=Random(1).randrange)[0]


def share(ledger: Ledger, delivered: int) -> float:
    return undelivered_share(
        ledger.connection, first_seq=ledger.first_seq, delivered=delivered, head=ledger.head
    )


def test_nothing_and_few_rows_are_exact(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "j.db")
    assert share(ledger, 0) == 0
    ledger.commit([prepare([Entry("press-07", [count(1)] * 10)])], {}, MORNING)
    assert [share(ledger, delivered) for delivered in (0, 5, 10)] == [1, 0.5, 0]
    (exact,) = ledger.connection.execute("SELECT sum(length(data) + 100) FROM event").fetchone()
    assert size_between(ledger.connection, 0, 10).bytes == exact
    ledger.close(MORNING)


def test_many_rows_are_told_within_some_percent_though_old_readings_are_gone(
    tmp_path: Path,
) -> None:
    ledger, chance = opened(tmp_path / "j.db"), Random(7)
    for _ in range(100):
        rows = [reading(group="g" * chance.randrange(400)) for _ in range(90)]
        ledger.commit([prepare([Entry("press-07", [*rows, *[count()] * 10])])], {}, MORNING)
    ledger.connection.execute("DELETE FROM event WHERE seq <= 5000 AND type = 'reading'")
    exact = ledger.connection.execute(
        "SELECT sum(length(data) + 100) FILTER (WHERE seq > ?) * 1.0 / sum(length(data) + 100)"
        " FROM event",
        (8000,),
    ).fetchone()[0]
    assert share(ledger, 8000) == pytest.approx(exact, rel=0.1)
    ledger.close(MORNING)


def test_local_rows_wait_for_nobody(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "j.db")
    ledger.commit([prepare([Entry("press-07", [count(1)] * 10)])], {}, MORNING)
    ledger.connection.execute("UPDATE event SET local = 1 WHERE seq > 4")
    assert share(ledger, 0) == pytest.approx(0.4)
    ledger.close(MORNING)
