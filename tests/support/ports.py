"""Ports that a server of a test may have, and have again after it was away."""

import socket
from random import SystemRandom

HOST = "127.0.0.1"
_FIRST, _LAST = 15_000, 32_000
"""Below those the system gives to whoever calls out: none of them is taken meanwhile."""
_next = SystemRandom().randrange(_FIRST, _LAST)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on, another one each time."""
    global _next
    while True:
        port, _next = _next, _FIRST + (_next + 1 - _FIRST) % (_LAST - _FIRST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
