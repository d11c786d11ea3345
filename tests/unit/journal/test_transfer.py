import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from gateway.journal import transfer
from gateway.journal.archive import ArchiveRefused
from gateway.journal.errors import FileDamaged, JournalInUse, JournalUnusable
from gateway.journal.lock import FileLock
from gateway.journal.reader import JournalReader
from tests.support.clock import MORNING
from tests.support.journal import entry, open_journal

LATER = MORNING + timedelta(hours=3)


def export(journal: Path, target: Path) -> None:
    transfer.export(
        journal,
        target,
        site="suzhou",
        gateway="gw-01",
        files={},
        left_out=[],
        program="0.1.0",
        at=MORNING,
    )


def adopt(source: Path, journal: Path) -> str:
    with transfer.opened(source, source.parent) as (_, place):
        return transfer.adopt(
            place / "journal.db", journal, reason="import", at=LATER, randbelow=Random(7).randrange
        )


async def test_states_go_on_and_ids_begin_anew(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "a.db", now=lambda: MORNING) as journal:
        await journal.append([entry(counts=5)])
        await journal.advance("mqtt", 3)
        await journal.append([entry(total=6)])
        export(tmp_path / "a.db", tmp_path / "a.mgj")
        await journal.append([entry(total=7)])  # after the export: only the old box knows it
        old = journal.epoch
    epoch = adopt(tmp_path / "a.mgj", tmp_path / "spare/b.db")
    async with open_journal(tmp_path / "spare/b.db", now=lambda: LATER) as copy:
        assert (copy.epoch, copy.previous_epochs) == (epoch, (old,))
        assert epoch > old
        assert copy.last_alive == MORNING
        assert copy.states() == {"press-07": b'{"total": 6}'}
        assert copy.cursor("mqtt") == 3
        assert [row.epoch for row in await copy.rows(copy.cursor("mqtt"), 10)] == [old] * 3
        assert await copy.append([entry(total=8)]) == [7]
        (row,) = await copy.rows(6, 10)
        assert (row.epoch, row.streamseq) == (epoch, 1)
    with JournalReader(tmp_path / "spare/b.db") as beside:
        assert [one.reason for one in beside.epochs()] == ["created", "import"]


async def test_a_journal_in_its_place_is_not_overwritten(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "a.db") as journal:
        await journal.append([entry()])
        export(tmp_path / "a.db", tmp_path / "a.mgj")
    before = (tmp_path / "a.db").read_bytes()
    with pytest.raises(FileExistsError):
        adopt(tmp_path / "a.mgj", tmp_path / "a.db")
    lock = FileLock(tmp_path / "b.db")
    with pytest.raises(JournalInUse):
        adopt(tmp_path / "a.mgj", tmp_path / "b.db")
    lock.release()
    assert (tmp_path / "a.db").read_bytes() == before
    assert not (tmp_path / "b.db").exists()


async def test_a_database_with_a_trigger_is_no_journal(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "a.db") as journal:
        await journal.append([entry()])
    transfer.check(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER surprise AFTER INSERT ON epoch BEGIN DELETE FROM state; END"
        )
    with pytest.raises(JournalUnusable, match="tables"):
        transfer.check(tmp_path / "a.db")
    export(tmp_path / "a.db", tmp_path / "a.mgj")
    with pytest.raises(ArchiveRefused, match="tables"):
        adopt(tmp_path / "a.mgj", tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()


async def test_a_torn_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with open_journal(path) as journal:
        for total in range(1, 200):
            await journal.append([entry(total=total)])
    content = bytearray(path.read_bytes())
    content[-3 * 4096 : -4096] = b"\x5a" * (2 * 4096)
    path.write_bytes(content)
    with pytest.raises(FileDamaged):
        transfer.check(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"hello" * 1000)
    with pytest.raises(FileDamaged):
        transfer.check(tmp_path / "a.db")


def test_an_export_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unable to open"):
        export(tmp_path / "none.db", tmp_path / "a.mgj")
    assert list(tmp_path.iterdir()) == []
