"""The files of a configuration as a set: read, checked by name, written by rename.

- What belongs to it is what a journal's export takes along: tables and YAML below the
  directory, without data, secrets, hidden files and links.
- A file is replaced as a whole or not at all; its directory is synced before anything that
  relies on it is written.
- Where several change, `gateway.settings.revisions` makes them one.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from gateway.settings.portable import MAX_FILES, SECRETS, SUFFIXES, plain_files

MAX_BYTES = 64 << 20
"""Of all files together."""

Files = Mapping[str, bytes]
"""Name relative to the configuration directory, with slashes -> content."""
Changes = Mapping[str, bytes | None]
"""The same for what changes; None takes a file away."""


def read_files(directory: Path, data: Path) -> dict[str, bytes]:
    """Return the configuration as it lies on the disk; ``data`` is not part of it.

    Raises OSError, ValueError for too much of it.
    """
    found: dict[str, bytes] = {}
    size = 0
    for path in config_paths(directory, data):
        content = path.read_bytes()
        size += len(content)
        if len(found) == MAX_FILES or size > MAX_BYTES:
            raise ValueError(f"{directory}: more than {MAX_FILES} files or {MAX_BYTES} bytes")
        found[path.relative_to(directory).as_posix()] = content
    return found


def config_paths(directory: Path, data: Path) -> Iterator[Path]:
    """Return where the files of the configuration lie."""
    for path in plain_files(directory):
        name = path.relative_to(directory).as_posix()
        if is_config_name(name) and not path.is_symlink() and not _lies_in(path, data, directory):
            yield path


def is_config_name(name: str) -> bool:
    """Whether a file of this name may be part of a configuration."""
    path = PurePosixPath(name)
    plain = str(path) == name and not path.is_absolute() and name.isprintable()
    parts = path.parts
    hidden = any(part.startswith(".") for part in parts)
    return plain and not hidden and SECRETS not in parts and path.suffix in SUFFIXES


def changes_between(before: Files, after: Files) -> dict[str, bytes | None]:
    """Return what has to be written to come from one to the other."""
    changes: dict[str, bytes | None] = {name: None for name in before if name not in after}
    changes |= {name: text for name, text in after.items() if before.get(name) != text}
    return dict(sorted(changes.items()))


def changed(files: Files, changes: Changes) -> dict[str, bytes]:
    """Return the files after ``changes``."""
    after = {name: text for name, text in files.items() if name not in changes}
    after |= {name: text for name, text in changes.items() if text is not None}
    return dict(sorted(after.items()))


def write_changes(directory: Path, changes: Changes) -> None:
    """Carry out ``changes``, each file by itself. Raises OSError."""
    for name, content in changes.items():
        path = directory / name
        if content is None:
            path.unlink(missing_ok=True)
            sync_directory(path.parent)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all, also after a power cut.

    It keeps the rights of the file before it. Raises OSError.
    """
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def discard_unfinished(directory: Path, names: Iterable[str]) -> None:
    """Take away what a process left that ended while it wrote these files."""
    for name in names:
        _temporary(directory / name).unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def sync_directory(directory: Path) -> None:
    """Make what was renamed in it last; where directories cannot be synced, nothing."""
    with suppress(PermissionError, FileNotFoundError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def mirror(directory: Path, data: Path, files: Files, target: Path) -> None:
    """Make ``target`` look like the directory with these files instead of its own.

    Everything else (secrets, certificates) is linked, so that what names it finds it.
    Raises OSError.
    """
    own = {path.relative_to(directory).as_posix() for path in config_paths(directory, data)}
    _link_rest(directory, data, own | set(files), target)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _link_rest(directory: Path, data: Path, ours: set[str], target: Path) -> None:
    """Link what is not ours; a folder that holds anything of ours is made anew."""
    folders = {str(parent) for name in ours for parent in PurePosixPath(name).parents}
    waiting = [directory]
    while waiting:
        for path in waiting.pop().iterdir():
            name = path.relative_to(directory).as_posix()
            if name in folders:
                waiting.append(path)
            elif name not in ours and path.resolve() != data.resolve():
                link = target / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.resolve(), target_is_directory=path.is_dir())


def _lies_in(path: Path, data: Path, directory: Path) -> bool:
    """Whether a file belongs to the data; a journal beside ``gateway.yaml`` has no folder."""
    inner, own = data.resolve(), directory.resolve()
    return own in inner.parents and path.resolve().is_relative_to(inner)
