"""Who else has the journal open: for the alarm that somebody keeps it from being tidied."""

import os
from collections.abc import Iterator
from pathlib import Path


def users_of(journal: Path, proc: Path = Path("/proc")) -> list[str]:
    """Return "name (pid)" of every other process of ours that has the file open.

    Empty where the system does not tell: other users' processes, other systems.
    """
    wanted = str(journal.absolute())
    return [
        _name(process)
        for process in proc.glob("[0-9]*")
        if process.name != str(os.getpid()) and wanted in _open_files(process)
    ]


def _open_files(process: Path) -> Iterator[str]:
    try:
        for descriptor in (process / "fd").iterdir():
            yield str(descriptor.readlink())
    except OSError:  # it ended, or it is not ours
        return


def _name(process: Path) -> str:
    try:
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = "?"
    return f"{name} ({process.name})"
