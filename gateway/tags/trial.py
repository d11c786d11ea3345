"""Try changed files on a copy of the site, and put them in place only if it stays valid."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from gateway.settings.site import Site

COPIED = ("equipment", "faults", "links")
"""Folders in which a file may be replaced; everything else is looked at where it lies."""


def try_out(directory: Path, files: Mapping[str, bytes]) -> Site | Sequence[Problem]:
    """Return the site as it would be with ``files``, or all that would be wrong with it.

    ``files`` are named relative to the configuration directory. Nothing is changed there.
    """
    with tempfile.TemporaryDirectory(prefix="millgate-") as made:
        copy = Path(made)
        _mirror(directory.absolute(), copy)
        for name, content in files.items():
            path = copy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        try:
            return load(copy)
        except ConfigProblems as err:
            return err.problems


def put_in_place(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write each file beside its place and rename it. Raises OSError."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """Write a file so that it is the old or the new one at any moment. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _mirror(directory: Path, copy: Path) -> None:
    for entry in directory.iterdir():
        if entry.name in COPIED and entry.is_dir():
            (copy / entry.name).mkdir()
            for inner in entry.iterdir():
                (copy / entry.name / inner.name).symlink_to(inner)
        else:
            (copy / entry.name).symlink_to(entry)
