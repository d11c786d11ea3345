"""What a process left behind that ended in the middle of an apply: put back before a start."""

import logging
from pathlib import Path

from gateway.journal.errors import JournalInUse
from gateway.journal.lock import FileLock
from gateway.settings.revisions import revisions_of

_log = logging.getLogger(__name__)


def take_back(directory: Path) -> None:
    """Put the files back that were in force before an apply without an end.

    Only while no collector runs: it may be in the middle of one. Whatever cannot be read or
    written here is met again, and told, when the configuration is loaded.
    """
    kept = revisions_of(directory)
    if not kept.folder.is_dir():
        return
    try:
        lock = FileLock(kept.journal)
    except (JournalInUse, OSError):
        return
    try:
        undone = kept.recover()
    except (OSError, ValueError) as err:
        _log.error("an unfinished apply could not be taken back: %s", err)
    else:
        if undone is not None:
            _log.warning(
                "revision %d by %s was not complete: the files before it are back",
                undone.number,
                undone.by,
            )
    finally:
        lock.release()
