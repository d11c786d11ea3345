"""Serial ports as the system shows them: which device, under which names, held by whom.

Everything here reads files: not for the event loop.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from grp import getgrgid
from pathlib import Path

from drivers.modbus.errors import PortForbidden

STABLE = (Path("/dev/serial/by-path"), Path("/dev/serial/by-id"))
"""Names that stay with a socket, and with an adapter."""
_BARE = re.compile(r"/dev/tty(USB|ACM)\d+")


@dataclass(frozen=True, slots=True)
class Port:
    """What a configured path leads to at one moment."""

    device: str
    """The device file itself, such as ``/dev/ttyUSB0``."""
    names: tuple[str, ...]
    """Its stable names."""


def look(path: str, stable: Sequence[Path] = STABLE) -> Port:
    """Return what a path leads to; raises FileNotFoundError or PortForbidden."""
    state = Path(path).stat()
    if not os.access(path, os.R_OK | os.W_OK):
        raise PortForbidden(f"no permission: the port belongs to group {_group(state.st_gid)}")
    device = os.path.realpath(path)
    return Port(device, tuple(names_of(device, stable)))


def names_of(device: str, stable: Sequence[Path] = STABLE) -> list[str]:
    """Return the stable names of a device file, by-path first."""
    links = [link for folder in stable if folder.is_dir() for link in sorted(folder.iterdir())]
    return [str(link) for link in links if os.path.realpath(link) == device]


def is_bare(path: str) -> bool:
    """Say whether another adapter may have this name after a restart."""
    return _BARE.fullmatch(path) is not None


def moved(before: Port, after: Port) -> str:
    """Return what a person should look at, "" if nothing changed."""
    if before.device != after.device:
        return f"is {after.device} now and was {before.device}"
    if before.names and after.names and not set(before.names) & set(after.names):
        return f"was {before.names[0]} and is {after.names[0]} now: another adapter or socket"
    return ""


def holder_of(device: str, processes: Path = Path("/proc")) -> str:
    """Return who has a device file open, "" if it cannot be seen."""
    for process in processes.glob("[0-9]*"):
        try:
            if any(os.path.realpath(fd) == device for fd in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
        except OSError:
            continue  # it ended, or is not ours to look into
    return ""


def _group(gid: int) -> str:
    try:
        return getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
