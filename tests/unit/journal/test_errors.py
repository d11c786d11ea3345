import sqlite3
from pathlib import Path

import pytest

from gateway.journal import errors
from gateway.journal.errors import (
    FileDamaged,
    FileFull,
    JournalError,
    JournalFailed,
    as_journal_errors,
)


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("it")
    error.sqlite_errorcode, error.sqlite_errorname = code, "NAME"
    return error


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), FileFull),
        (sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), FileFull),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_VTAB), FileDamaged),
        (sqlite_error(sqlite3.SQLITE_NOTADB), FileDamaged),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), JournalFailed),
        (sqlite3.ProgrammingError("closed"), JournalFailed),
        (PermissionError("no"), JournalFailed),
    ],
)
def test_what_sqlite_and_the_system_raise_is_translated(
    raised: Exception, expected: type[JournalError]
) -> None:
    with pytest.raises(expected) as caught, as_journal_errors():
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_a_defect_passes_untouched() -> None:
    with pytest.raises(ZeroDivisionError), as_journal_errors():
        _ = 1 / 0


def test_all_errors_are_under_the_root() -> None:
    ours = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert len(ours) == 8
    assert all(issubclass(error, JournalError) for error in ours)


def test_the_operator_reads_which_file_it_is() -> None:
    assert str(errors.JournalUnusable(Path("/j.db"), "it is red")) == "/j.db: it is red"
