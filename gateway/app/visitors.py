"""Who may look at a demo, and where."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who may look at a demo: a link that logs in, and a user of each role.

    For throw-away data on this machine only.
    """

    code: str
    password: str
    listener: socket.socket
    """Where the screens are served; it listens already, so nobody else takes its port."""
