import errno
from pathlib import Path

import pytest

from gateway.app.told import told
from gateway.journal.errors import JournalUnusable


def end_with(err: BaseException) -> None:
    raise err


def test_what_a_person_must_mend_is_a_sentence_however_deep_it_lies() -> None:
    unusable = JournalUnusable(Path("journal.db"), "cannot be created here")
    taken = OSError(errno.EADDRINUSE, "taken")
    with told() as sentences:
        end_with(ExceptionGroup("of the parts", [ExceptionGroup("of one", [taken]), unusable]))
    assert sentences == [str(taken), str(unusable)]


def test_a_defect_is_none() -> None:
    with pytest.raises(ExceptionGroup) as caught, told():
        end_with(ExceptionGroup("of the parts", [OSError("mend it"), ValueError("a defect")]))
    assert [type(err) for err in caught.value.exceptions] == [ValueError]
    with pytest.raises(KeyboardInterrupt), told():
        end_with(KeyboardInterrupt())
