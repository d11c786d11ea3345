"""What a disk may hold after a power cut, worked out from the system calls of a real process.

The process runs under ``strace``. Its calls are played to a model of a disk:

- What was written and then flushed (fsync, fdatasync) is there.
- Of what was written since, any 512-byte sectors may be there or not, in any order; so may a
  change of length. A file that was created is there once it or its directory was flushed, and
  a removed one is gone once its directory was.

The model believes a flush. A disk that lies about it, or damages what it was not asked to
write, is beyond it.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Literal

SECTOR_BYTES = 512
_CALLS = "pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,openat,fallocate"
_LONGEST = 1 << 20
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<call>.*)$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(?P<rest>.*)$")
_UNFINISHED = "<unfinished ...>"
_TEXT = r'"(?P<data>(?:\\x[0-9a-f]{2})*)"'
_FORMS = {
    "write": re.compile(rf"^pwrite64\(\d+<(?P<path>[^>]*)>, {_TEXT}, \d+, (?P<at>\d+)\) += \d"),
    "told": re.compile(rf"^write\(1<[^>]*>, {_TEXT}, \d+\) += \d"),
    "length": re.compile(r"^ftruncate\(\d+<(?P<path>[^>]*)>, (?P<at>\d+)\) += 0"),
    "flush": re.compile(r"^f(?:data)?sync\(\d+<(?P<path>[^>]*)>\) += 0"),
    "create": re.compile(r'^openat\(.*"(?P<path>[^"]*)", [A-Z_|]*O_CREAT.*\) += \d'),
    "remove": re.compile(r'^unlink\("(?P<path>[^"]*)"\) += 0'),
}
_UNKNOWN = re.compile(r"^(?:rename|fallocate|unlinkat)\(.* = 0")
Kind = Literal["write", "told", "length", "flush", "create", "remove"]


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that reached the disk, or the pipe (``told``)."""

    kind: Kind
    path: str = ""
    data: bytes = b""
    at: int = 0
    """Offset of what is written; the new length."""


def trace(command: Sequence[str], log: Path, *, below: Path) -> list[Call]:
    """Run a command to its end and return what it did to the files in ``below``."""
    strace = ["strace", "-f", "-y", "-xx", "-s", str(_LONGEST), "-e", f"trace={_CALLS}"]
    with log.with_suffix(".told").open("wb") as told:
        subprocess.run([*strace, "-o", log, *command], check=True, stdout=told)
    with log.open(encoding="ascii") as lines:
        return [call for call in _calls(_joined(lines)) if _concerns(call, below)]


def _concerns(call: Call, below: Path) -> bool:
    inside = call.path == str(below) or call.path.startswith(f"{below}/")
    return call.kind == "told" or (inside and not call.path.endswith(("-shm", ".lock")))


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Return each call as one line, at the moment when it ended."""
    begun: dict[str, str] = {}
    for line in lines:
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        pid, call = found["pid"], found["call"]
        if call.endswith(_UNFINISHED):
            begun[pid] = call.removesuffix(_UNFINISHED).rstrip()
        elif resumed := _RESUMED.match(call):
            yield begun.pop(pid) + resumed["rest"]
        else:
            yield call


def _calls(lines: Iterable[str]) -> Iterator[Call]:
    for line in lines:
        assert not _UNKNOWN.match(line), f"not in the model of the disk: {line[:80]}"
        for kind, form in _FORMS.items():
            if found := form.match(line):
                groups = found.groupdict()
                yield Call(
                    kind,  # type: ignore[arg-type]
                    _plain(groups.get("path", "")),
                    _bytes(groups.get("data", "")),
                    int(groups.get("at", 0)),
                )
                break


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _plain(text: str) -> str:
    return os.fsdecode(_bytes(text)) if text.startswith("\\x") else text


@dataclass(frozen=True, slots=True)
class Cut:
    """The power went: what the disk holds and what had been acknowledged by then."""

    call: int
    files: Mapping[str, bytes]
    told: bytes


class Disk:
    """Files as they are on the disk for certain, and what is still on its way."""

    def __init__(self, files: Mapping[str, bytes] = MappingProxyType({})) -> None:
        """Begin with these files."""
        self._content: dict[int, bytearray] = {}
        """Of each file by a number of its own: a removed one and its successor share a name."""
        self._entries: dict[str, int] = {}
        """What the directory knows for certain."""
        self._waiting: list[tuple[int, Call]] = []
        self._names: dict[str, int] = {}
        """What the process sees."""
        self._files = 0
        for path, content in files.items():
            self._files += 1
            self._names[path] = self._entries[path] = self._files
            self._content[self._files] = bytearray(content)

    def take(self, call: Call) -> None:
        """Do as the system does."""
        if call.kind == "flush":
            self._flush(call.path)
        elif call.kind == "create" and call.path not in self._names:
            self._files += 1
            self._names[call.path] = self._files
            self._waiting.append((self._files, call))
        elif call.kind == "remove":
            self._waiting.append((self._names.pop(call.path), call))
        elif call.kind in {"write", "length"} and call.path in self._names:
            self._waiting.append((self._names[call.path], call))

    def cut(self, random: Random | None) -> dict[str, bytes]:
        """Return what may be found: without chance nothing that was not flushed."""
        after = Disk()
        after._content = {file: bytearray(data) for file, data in self._content.items()}
        after._entries = dict(self._entries)
        if random is not None:
            for file, call in self._waiting:
                for part in _sectors(call):
                    if random.random() < 0.5:
                        after._apply(file, part)
        return {path: bytes(after._content.get(n, b"")) for path, n in after._entries.items()}

    def _flush(self, path: str) -> None:
        flushed, waiting = self._names.get(path), self._waiting
        self._waiting = []
        for file, call in waiting:
            entry = call.kind in {"create", "remove"} and str(Path(call.path).parent) == path
            if entry or (file == flushed and call.kind != "remove"):
                self._apply(file, call)
            else:
                self._waiting.append((file, call))

    def _apply(self, file: int, call: Call) -> None:
        if call.kind == "create":
            self._entries[call.path] = file
        elif call.kind == "remove":
            if self._entries.get(call.path) == file:
                del self._entries[call.path]
        else:
            content = self._content.setdefault(file, bytearray())
            end = call.at + len(call.data)
            if len(content) < end:
                content.extend(bytes(end - len(content)))
            if call.kind == "write":
                content[call.at : end] = call.data
            else:
                del content[call.at :]


def _sectors(call: Call) -> Iterator[Call]:
    if call.kind != "write":
        yield call
        return
    for begin in range(0, len(call.data), SECTOR_BYTES):
        part = call.data[begin : begin + SECTOR_BYTES]
        yield Call("write", call.path, part, call.at + begin)


def cuts(
    calls: Sequence[Call],
    number: int,
    random: Random,
    before: Mapping[str, bytes] = MappingProxyType({}),
) -> Iterator[Cut]:
    """Return what ``number`` power cuts at random moments may leave, the earliest first.

    Every other time the disk holds nothing that was not flushed. ``before``: the files that
    were there when the process began.
    """
    moments = sorted(random.randrange(len(calls) + 1) for _ in range(number))
    disk, told, done = Disk(before), b"", 0
    for turn, moment in enumerate(moments):
        for call in calls[done:moment]:
            disk.take(call)
            told += call.data if call.kind == "told" else b""
        done = moment
        yield Cut(moment, disk.cut(random if turn % 2 else None), told)
