"""A file system of its own, small enough to be filled. Needs the right to mount."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path, size_bytes: int) -> Iterator[Path]:
    """Give a directory on a disk of this size."""
    place = directory / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", place],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("[")[0].partition(" (")[0]
        pytest.skip(
            f"what {test} shows of a full or read-only disk was NOT SHOWN: this user may not mount"
            " a file system to fill; run it as root, or under `unshare --map-root-user --mount`"
        )
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def read_only(place: Path) -> None:
    """Turn it read-only, as the system does after an error of the disk."""
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)


def fill(place: Path, *, leave_bytes: int = 0) -> Path:
    """Let somebody else's file take the rest; remove it to make room again."""
    theirs = place / "somebody-elses"
    try:
        theirs.write_bytes(bytes(max(0, shutil.disk_usage(place).free - leave_bytes)))
    except OSError as err:
        if err.errno != errno.ENOSPC:  # somebody wrote meanwhile: it is full all the same
            raise
    return theirs
