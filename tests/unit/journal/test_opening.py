import os
import sqlite3
from pathlib import Path
from random import Random

import orjson
import pytest

from gateway.journal.errors import JournalUnusable
from gateway.journal.ledger import Ledger
from gateway.journal.numbering import prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.schema import MIGRATIONS
from tests.support.clock import MORNING
from tests.support.journal import entry


def opened(path: Path, *, seed: int = 1) -> Ledger:
    limits = Limits(ballast_bytes=0)
    return open_ledger(path, at=MORNING, limits=limits, randbelow=Random(seed).randrange)[0]


def killed_after_appends(path: Path) -> str:
    ledger = opened(path)
    for total in range(200):
        ledger.commit([prepare([entry(total=total)])], {}, MORNING)
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.abandon()
    return ledger.epoch


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096 * 4))


def test_the_settings_that_keep_the_promises(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "j.db")
    query = ledger.connection.execute
    names = ("journal_mode", "synchronous", "auto_vacuum", "mmap_size")
    assert [query(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 2, 0]
    ledger.close(MORNING)


@pytest.mark.fault(
    19,
    injection="four pages of 4 kB overwritten after an unclean end",
    expectation="the file is put aside with its log, a new epoch begins behind the old seqs, what"
    " can be read is delivered under its old ids, the rest told by number, critical lines say so",
)
def test_after_an_unclean_end_a_damaged_file_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j.db"
    epoch = killed_after_appends(path)
    damage(path)
    size = path.stat().st_size
    ledger = opened(path, seed=2)
    assert ledger.epoch != epoch
    gaps = ledger.head - 200
    assert gaps == 1
    assert ledger.epochs == (epoch, ledger.epoch)
    ledger.close(MORNING)
    with JournalReader(path) as beside:
        rows = beside.rows(0, 1000)
    (gap,) = [orjson.loads(row.data) for row in rows if row.seq > 200]
    assert gap["reason"] == "corruption"
    assert 150 < len(rows) == 200 - gap["count"] + gaps
    assert (tmp_path / "j.db.damaged-20260320T010000Z").stat().st_size == size
    assert {record.levelname for record in caplog.records if "damaged" in record.message} == {
        "CRITICAL"
    }


def test_a_sound_file_is_kept_after_an_unclean_end(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    epoch = killed_after_appends(path)
    ledger = opened(path)
    assert (ledger.epoch, ledger.head) == (epoch, 200)
    ledger.close(MORNING)


def test_what_is_no_database_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    ledger = opened(path)
    assert ledger.head == 0
    ledger.close(MORNING)
    assert len(list(tmp_path.glob("j.db.damaged-*"))) == 1


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    ledger = opened(path)
    ledger.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    ledger.close(MORNING)
    content = path.read_bytes()
    with pytest.raises(JournalUnusable, match="newer version"):
        opened(path)
    with JournalReader(path) as beside, pytest.raises(JournalUnusable, match="newer version"):
        beside.head()
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE song (title TEXT)")
    theirs.close()
    content = path.read_bytes()
    with pytest.raises(JournalUnusable, match="not a journal"):
        opened(path)
    assert path.read_bytes() == content


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "j.db").mkdir()
    with pytest.raises(JournalUnusable, match=r"j\.db: "):
        opened(tmp_path / "j.db")
