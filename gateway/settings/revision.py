"""One state of a configuration, kept: who, when, why, and every file.

A file of gzip'ed JSON lines: first what a list shows, then the files. So `zcat` reads it, a
list does not unpack the files, and one rename makes it whole.
"""

import base64
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from gateway.settings.files import Changes, Files

Origin = Literal["start", "disk", "apply", "restore"]
"""How it came: the first one, edited on disk, applied by somebody, an earlier one put back."""
MAX_HEAD_BYTES = 4 << 20


class RevisionUnreadable(Exception):
    """A revision's file is damaged or not one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants changed, and on what they built it."""

    base: int
    """The revision in force when it was begun."""
    files: Changes
    by: str
    why: str = ""
    origin: Origin = "apply"


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a revision without its files."""

    number: int
    at: datetime
    """UTC."""
    by: str
    why: str
    origin: Origin
    base: int
    """The revision before it; 0 for the first."""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """``equipment``, ``links``, ``files`` -> added, removed, changed."""
    notes: tuple[str, ...] = ()
    """One line for each difference, in the words of the files."""
    in_force: bool = True
    """False: kept so that nobody's edits are lost, never in force."""

    def data(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "number": self.number,
            "at": self.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "by": self.by,
            "why": self.why,
            "origin": self.origin,
            "base": self.base,
            "counts": {name: dict(counts) for name, counts in self.counts.items()},
            "notes": list(self.notes),
            "in_force": self.in_force,
        }


@dataclass(frozen=True, slots=True)
class Revision:
    """A head with its files."""

    head: Head
    files: Files


def encode(revision: Revision) -> bytes:
    """Return the content of its file; the same for the same revision."""
    files = {name: shown(content) for name, content in revision.files.items()}
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        packed.write(orjson.dumps(revision.head.data()) + b"\n")
        packed.write(orjson.dumps(files, option=orjson.OPT_SORT_KEYS) + b"\n")
    return out.getvalue()


def decode(content: bytes) -> Revision:
    """Return what `encode` was given; raises RevisionUnreadable."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            head = _head(orjson.loads(packed.readline(MAX_HEAD_BYTES)))
            files = orjson.loads(packed.read())
        return Revision(head, {name: content_of(said) for name, said in files.items()})
    except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise RevisionUnreadable(str(err)) from err


def decode_head(content: bytes) -> Head:
    """Return the head alone; raises RevisionUnreadable."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            return _head(orjson.loads(packed.readline(MAX_HEAD_BYTES)))
    except (OSError, EOFError, ValueError, TypeError, KeyError) as err:
        raise RevisionUnreadable(str(err)) from err


def _head(said: Mapping[str, Any]) -> Head:
    return Head(
        number=int(said["number"]),
        at=datetime.fromisoformat(said["at"]),
        by=str(said["by"]),
        why=str(said["why"]),
        origin=said["origin"],
        base=int(said["base"]),
        counts=said["counts"],
        notes=tuple(said["notes"]),
        in_force=bool(said["in_force"]),
    )


def shown(content: bytes) -> str | dict[str, str]:
    """Return a file's content for JSON: readable where it is text."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def content_of(said: str | Mapping[str, str]) -> bytes:
    """Return what `shown` was given. Raises ValueError, KeyError, TypeError."""
    if isinstance(said, str):
        return said.encode("utf-8")
    return base64.b64decode(said["base64"], validate=True)
