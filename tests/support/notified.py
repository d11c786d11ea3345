"""What a service manager would hear of a service."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Manager:
    """Listens as systemd does."""

    address: str
    receiver: socket.socket

    def heard(self) -> list[bytes]:
        """Return what was said since the last call."""
        said = []
        try:
            while True:
                said.append(self.receiver.recv(1000))
        except BlockingIOError:
            return said


@contextmanager
def manager(directory: Path) -> Iterator[Manager]:
    """Listen at a socket in this directory, which must have a short name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(directory / "n"))
        receiver.settimeout(0)
        yield Manager(str(directory / "n"), receiver)
