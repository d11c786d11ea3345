"""One file that holds a journal and the files beside it: ``.mgj``.

A zip with ``manifest.json`` (versions, sizes, checksums), ``journal.db`` and ``site/...``.
Reading trusts nothing: a name that leads elsewhere, a link, a size or a checksum that is
not the manifest's, or an entry that unpacks to far more than it takes is ArchiveRefused,
and nothing of the archive is left behind.
"""

import errno
import hashlib
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST = "manifest.json"
JOURNAL = "journal.db"
SITE = "site/"
SUFFIXES = frozenset({".yaml", ".csv", ".xlsx"})
"""What files of a site may be: nothing that a system would run."""

MAX_ENTRIES = 2000
MAX_MANIFEST_BYTES = 1 << 20
MAX_SITE_FILE_BYTES = 4 << 20
MAX_RATIO = 200
"""Deflate reaches 1032; a journal does not come near this."""
RATIO_FROM_BYTES = 1 << 20
"""Below that an entry may be as regular as it likes."""
SPARE_BYTES = 16 << 20
"""What unpacking leaves free on the disk."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK_BYTES = 1 << 20
_OWNER_ONLY = 0o600
_MAX_DEPTH = 4
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|. ~-][^\x00-\x1f\x7f/\\:*?\"<>|]{0,99}")


class ArchiveRefused(Exception):
    """The file is not an archive of ours, or not an honest one."""

    def __init__(self, path: Path, reason: str) -> None:
        """Say which file and what is wrong with it."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Content(_Closed):
    """One entry."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Closed):
    """What an archive says of itself."""

    format: Literal[1] = 1
    program: str
    journal_version: int
    site: str
    gateway: str
    epoch: str
    head: int
    exported_at: str
    left_out: Annotated[list[str], Field(max_length=MAX_ENTRIES)]
    """Files of the site that stayed behind, secrets among them."""
    files: Annotated[dict[str, Content], Field(max_length=MAX_ENTRIES)]


def is_safe(name: str) -> bool:
    """Whether an entry may be called so: the journal, or a plain file below ``site/``."""
    if name == JOURNAL:
        return True
    inner = name.removeprefix(SITE)
    parts = inner.split("/")
    return (
        name.startswith(SITE)
        and len(parts) <= _MAX_DEPTH
        and all(_PART.fullmatch(part) and not part.endswith((".", " ")) for part in parts)
        and PurePosixPath(inner).suffix in SUFFIXES
    )


def measure(path: Path) -> Content:
    """Return the size and the checksum of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return Content(bytes=size, sha256=digest.hexdigest())


def write(target: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write an archive in one go: ``target`` is complete or as it was. Raises OSError."""
    part = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            part.chmod(_OWNER_ONLY)
            archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
            for name, path in files.items():
                archive.write(path, name)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def unpacked(source: Path, room: Path) -> Iterator[tuple[Manifest, Path]]:
    """Check an archive and unpack it into a new directory in ``room``, removed at the end.

    Raises ArchiveRefused, OSError.
    """
    place = room / f".{source.name}.unpacking"
    place.mkdir(mode=0o700)
    try:
        with _as_refusal(source), zipfile.ZipFile(source) as archive:
            manifest = _manifest(archive, source)
            _check_entries(archive, manifest, source)
            _check_room(manifest, room, source)
            for name, content in manifest.files.items():
                _unpack(archive, name, content, place / name, source)
        yield manifest, place
    finally:
        shutil.rmtree(place)


@contextmanager
def _as_refusal(source: Path) -> Iterator[None]:
    """Translate what `zipfile` raises where the bytes of an archive are no archive."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        UnicodeDecodeError,
    ) as err:
        raise ArchiveRefused(source, f"not a sound archive: {err}") from err
    except OSError as err:
        if err.errno == errno.EINVAL:  # an offset that lies outside of the file
            raise ArchiveRefused(source, f"not a sound archive: {err}") from err
        raise


def _manifest(archive: zipfile.ZipFile, source: Path) -> Manifest:
    if any(info.compress_type not in _METHODS for info in archive.infolist()):
        raise ArchiveRefused(source, "not packed by deflate")
    if len(archive.infolist()) > MAX_ENTRIES:
        raise ArchiveRefused(source, f"more than {MAX_ENTRIES} entries")
    try:
        with archive.open(MANIFEST) as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
        if len(text) > MAX_MANIFEST_BYTES:
            raise ArchiveRefused(source, "its manifest is too long")
        return Manifest.model_validate_json(text)
    except KeyError as err:
        raise ArchiveRefused(source, f"it has no {MANIFEST}") from err
    except RuntimeError as err:  # encrypted
        raise ArchiveRefused(source, str(err)) from err
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ArchiveRefused(source, f"its manifest is refused: {where}: {first['msg']}") from err


def _check_entries(archive: zipfile.ZipFile, manifest: Manifest, source: Path) -> None:
    entries = [info for info in archive.infolist() if info.filename != MANIFEST]
    names = [info.filename for info in entries]
    if len({name.casefold() for name in names}) != len(names) or set(names) != set(manifest.files):
        raise ArchiveRefused(source, "its entries are not those of its manifest")
    if JOURNAL not in names:
        raise ArchiveRefused(source, f"it has no {JOURNAL}")
    for info in entries:
        reason = _wrong(info, manifest.files[info.filename])
        if reason is not None:
            raise ArchiveRefused(source, f"{info.filename!r}: {reason}")


def _wrong(info: zipfile.ZipInfo, content: Content) -> str | None:
    """Return what is wrong with an entry, by what the archive says of it."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    is_journal = info.filename == JOURNAL
    wrong = (
        (not is_safe(info.filename), "not a name that may be unpacked"),
        (kind not in {0, stat.S_IFREG}, "not a plain file"),
        (bool(info.flag_bits & 1), "encrypted"),
        (info.file_size != content.bytes, "its size is not that of the manifest"),
        (not is_journal and content.bytes > MAX_SITE_FILE_BYTES, "too large"),
        (
            content.bytes > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size),
            "it unpacks to far more than it takes",
        ),
    )
    return next((reason for is_so, reason in wrong if is_so), None)


def _check_room(manifest: Manifest, room: Path, source: Path) -> None:
    needed = sum(content.bytes for content in manifest.files.values()) + SPARE_BYTES
    free = shutil.disk_usage(room).free
    if needed > free:
        raise ArchiveRefused(source, f"it needs {needed >> 20} MiB, {room} has {free >> 20} MiB")


def _unpack(
    archive: zipfile.ZipFile, name: str, content: Content, target: Path, source: Path
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), content.bytes
    with archive.open(name) as packed, target.open("xb") as file:
        target.chmod(_OWNER_ONLY)
        for chunk in _chunks(packed):
            left -= len(chunk)
            if left < 0:
                raise ArchiveRefused(source, f"{name!r}: longer than its manifest says")
            digest.update(chunk)
            file.write(chunk)
    if left or digest.hexdigest() != content.sha256:
        raise ArchiveRefused(source, f"{name!r}: its content is not that of the manifest")


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
