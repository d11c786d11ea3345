from pathlib import Path

import pytest

from gateway.journal.errors import JournalInUse
from gateway.journal.lock import FileLock


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    first = FileLock(journal)
    with pytest.raises(JournalInUse) as refused:
        FileLock(journal)
    assert refused.value.path == journal
    assert "stop it first" in str(refused.value)
    first.release()
    FileLock(journal).release()
