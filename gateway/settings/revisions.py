"""The revisions of a configuration, in ``revisions/`` beside the journal.

- The newest one that says ``in_force`` is what the gateway runs with.
- An apply is announced before the first file is written (`begin`) and becomes a revision by
  one rename (`confirm`). Whatever ends the process in between, `recover` puts the files back
  that were in force before; a file somebody edited meanwhile is left alone.
- Reading needs no collector and takes no lock; writing is the collector's, or belongs to who
  holds the journal's lock.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.settings.files import (
    Files,
    changes_between,
    discard_unfinished,
    read_files,
    replace_file,
    sync_directory,
    write_changes,
)
from gateway.settings.load import GATEWAY_FILE
from gateway.settings.model import JournalFile
from gateway.settings.node import find
from gateway.settings.problems import Report
from gateway.settings.revision import (
    Head,
    Revision,
    RevisionUnreadable,
    decode,
    decode_head,
    encode,
)
from gateway.settings.yaml_source import read

FOLDER = "revisions"
KEPT = 500
"""Older ones are forgotten."""
_SUFFIX = ".json.gz"
_PENDING = "pending"


class NoRevision(LookupError):
    """There is no revision of that number."""

    def __init__(self, number: int) -> None:
        """Keep the number."""
        super().__init__(f"there is no revision {number}")
        self.number = number


def revisions_of(directory: Path) -> "Revisions":
    """Return what is kept of a configuration, also of one that cannot be used now."""
    report = Report()
    path = directory / GATEWAY_FILE
    node = read(path, GATEWAY_FILE, report) if path.is_file() else None
    at = None if node is None else find(node, ("journal", "path"))
    said = None if at is None or not isinstance(at.value, str) else at.value
    return Revisions(directory, directory / (said or JournalFile().path))


@dataclass(frozen=True, slots=True)
class Revisions:
    """All that is kept of one site. Every method blocks; all raise OSError."""

    directory: Path
    """Of the configuration."""
    journal: Path
    """They lie in a folder beside it."""

    @property
    def data(self) -> Path:
        """The folder of the journal."""
        return self.journal.parent

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.data / FOLDER

    def numbers(self) -> list[int]:
        """Return what is kept, oldest first."""
        if not self.folder.is_dir():
            return []
        stems = (path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def heads(self) -> Iterator[Head]:
        """Return what a list shows, newest first; what cannot be read is left out."""
        for number in reversed(self.numbers()):
            with suppress(RevisionUnreadable, FileNotFoundError):
                yield decode_head(self._path(number).read_bytes())

    def current(self) -> Head | None:
        """Return the revision in force; None before the first start."""
        return next((head for head in self.heads() if head.in_force), None)

    def get(self, number: int) -> Revision:
        """Return one; raises NoRevision, RevisionUnreadable."""
        try:
            return decode(self._path(number).read_bytes())
        except FileNotFoundError:
            raise NoRevision(number) from None

    def before(self, number: int) -> Head | None:
        """Return what was in force before revision ``number`` was."""
        return next((head for head in self.heads() if head.in_force and head.number < number), None)

    def on_disk(self) -> dict[str, bytes]:
        """Return the files as they are now. Raises ValueError for too many."""
        return read_files(self.directory, self.data)

    def next_number(self) -> int:
        """Return the number that was never given."""
        return max(self.numbers(), default=0) + 1

    def add(self, revision: Revision) -> None:
        """Keep one without touching any file of the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._path(revision.head.number), encode(revision))
        self._forget_old()

    def begin(self, revision: Revision, before: Files) -> None:
        """Announce an apply, then write its files: all of it can be taken back."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._pending("after"), encode(revision))
        # Only with the second file is it begun: from it everything is put back.
        replace_file(self._pending("before"), encode(replace(revision, files=before)))
        write_changes(self.directory, changes_between(before, revision.files))

    def confirm(self, revision: Revision) -> None:
        """Make the apply that was begun a revision; what is said of it may be complete by now."""
        replace_file(self._path(revision.head.number), encode(revision))
        self._end_pending()
        self._forget_old()

    def recover(self) -> Head | None:
        """Take back an apply that did not come to its end; return what it was, if there was one.

        A file that is neither as it was nor as it should have become is somebody's and stays.
        """
        before, after = self._read_pending("before"), self._read_pending("after")
        undone = None
        if before is not None and after is not None and not self._path(after.head.number).exists():
            now = self.on_disk()
            back = changes_between(after.files, before.files)
            ours = {n: text for n, text in back.items() if now.get(n) == after.files.get(n)}
            write_changes(self.directory, ours)
            discard_unfinished(self.directory, back)
            undone = after.head
        self._end_pending()
        for unfinished in self.folder.glob(".*.new"):
            unfinished.unlink()
        return undone

    def _end_pending(self) -> None:
        for name in ("after", "before"):  # in this order: without "after" nothing is taken back
            self._pending(name).unlink(missing_ok=True)
        if self.folder.is_dir():
            sync_directory(self.folder)

    def _read_pending(self, name: str) -> Revision | None:
        try:
            return decode(self._pending(name).read_bytes())
        except (FileNotFoundError, RevisionUnreadable):
            return None

    def _pending(self, name: str) -> Path:
        return self.folder / f"{_PENDING}-{name}{_SUFFIX}"

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}{_SUFFIX}"

    def _forget_old(self) -> None:
        current = self.current()
        for number in self.numbers()[:-KEPT]:
            if current is None or number != current.number:
                self._path(number).unlink(missing_ok=True)
