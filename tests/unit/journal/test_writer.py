"""What happens when the disk refuses."""

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.errors import JournalFailed
from gateway.journal.journal import Journal
from gateway.journal.ledger import Ledger
from gateway.journal.reader import JournalReader
from gateway.journal.row import Entry
from tests.support.clock import MORNING
from tests.support.journal import SMALL, entry, open_journal, utc_now


@contextmanager
def files_end_at(size_bytes: int) -> Iterator[None]:
    """Let the system refuse (EFBIG) to write beyond this size, as a broken disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_an_io_error_ends_the_writer_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path) as journal:
        await journal.append([entry(total=1)])
        with files_end_at(path.with_name("j.db-wal").stat().st_size):
            waiting = [
                asyncio.create_task(journal.append([entry(f"m-{n}", counts=50)])) for n in range(3)
            ]
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [JournalFailed] * 3
        with pytest.raises(JournalFailed, match="SQLITE_IOERR_WRITE"):
            await asyncio.shield(journal.failed)
        with pytest.raises(JournalFailed, match="SQLITE_IOERR_WRITE"):
            await journal.append([entry()])
        with pytest.raises(JournalFailed):
            journal.heartbeat(utc_now())
    with JournalReader(path) as beside:
        assert beside.states() == {"press-07": b'{"total": 1}'}
    async with open_journal(path) as journal:
        assert await journal.append([entry(total=2)]) == [2]


async def test_nobody_waits_for_a_writer_with_a_defect(tmp_path: Path) -> None:
    seen: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, seen.append
    clock = iter([MORNING])
    try:
        async with open_journal(tmp_path / "j.db", now=lambda: next(clock)) as journal:
            with pytest.raises(JournalFailed, match="defect"):
                await journal.append([entry()])
    finally:
        threading.excepthook = before
    assert len(seen) == 1


async def test_under_load_many_appends_share_one_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0
    commit = Ledger.commit

    def counted(ledger: Ledger, *arguments: Any) -> Any:
        nonlocal commits
        commits += 1
        return commit(ledger, *arguments)

    async with open_journal(tmp_path / "j.db") as journal:
        await journal.append([entry()])
        monkeypatch.setattr(Ledger, "commit", counted)
        await asyncio.gather(*(journal.append([entry(f"m-{n}")]) for n in range(200)))
    assert 0 < commits < 20


async def test_close_writes_what_is_still_waiting(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with open_journal(path) as journal:
        await journal.append([entry(counts=3)])
        await journal.advance("publish", 3)
        late = asyncio.create_task(journal.append([Entry("oven-1", state=b"late")]))
        await asyncio.sleep(0)
    assert await late == []
    with JournalReader(path) as beside:
        assert beside.states()["oven-1"] == b"late"
        assert beside.cursor("publish") == 3


async def test_a_journal_nobody_used_closes(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j.db", now=utc_now, limits=SMALL)
    await journal.close()
    await journal.close()
