"""Ends with SIGKILL at the n-th step that an apply takes on the disk, for every n.

    python -m tests.support.apply_worker ROOM

Below ROOM lies a site in ``start`` with its first revision. For each n there is a copy ``n``
of it in which an apply was begun and confirmed up to that step, and for each m and every
sixth n a copy ``n-m`` in which taking it back ended at its m-th step too.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gateway.settings.files import changed
from gateway.settings.revision import Head, Revision
from gateway.settings.revisions import Revisions, revisions_of

NEW = {
    "equipment/oven-1.yaml": b"equipment: oven-1\n",
    "equipment/press-07.yaml": b"equipment: press-07\nline: line-9\n",
    "faults/press.csv": None,
    "deep/er/notes.csv": b"a,b\n",
}
AT = datetime(2026, 3, 20, tzinfo=UTC)
STEPS = ("replace", "unlink", "fsync")


def head(number: int) -> Head:
    return Head(number, AT, "li", "", "apply", number - 1)


def apply(kept: Revisions) -> None:
    before = kept.on_disk()
    new = Revision(head(2), changed(before, NEW))
    kept.begin(new, before)
    kept.confirm(new)


def deadly(step: int) -> None:
    """Let this process end just before its ``step``-th call that changes the disk."""
    left = step

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return run

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def survives(step: int, act: Callable[[], object]) -> bool:
    """Do it in a process of its own that ends at ``step``; say whether it came to its end."""
    child = os.fork()
    if child == 0:
        deadly(step)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


def copies(room: Path, source: str, name: str) -> Iterator[tuple[Path, int]]:
    """A copy for every step, for as long as whoever works on it says it does not survive."""
    step = 0
    while True:
        place = room / name.format(step)
        shutil.copytree(room / source, place)
        yield place, step
        step += 1


def main(room: Path) -> None:
    for place, step in copies(room, "start", "{}"):
        done = survives(step, partial(apply, revisions_of(place)))
        for twice, again in copies(room, place.name, f"{step}-{{}}") if step % 6 == 5 else ():
            if survives(again, revisions_of(twice).recover):
                break
        if done:
            break


if __name__ == "__main__":
    main(Path(sys.argv[1]))
