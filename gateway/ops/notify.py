"""Tell the service manager how we are: sd_notify(3), without its library.

Does nothing where no service manager listens.
"""

import os
import socket
from collections.abc import Mapping

_MICROSECONDS = 1_000_000


class Notifier:
    """Sends to ``$NOTIFY_SOCKET``; made once, from the process's environment."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Read the environment; send nothing yet."""
        environment = os.environ if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(usec) / _MICROSECONDS if usec.isdigit() and ours else None
        """The manager kills us if `watchdog` is not called this often; None if it does not."""

    def ready(self, status: str = "") -> None:
        """Started and serving; ``status`` is a line for the operator."""
        self._send("READY=1", *([f"STATUS={_one_line(status)}"] if status else []))

    def status(self, status: str) -> None:
        """Show a line to the operator."""
        self._send(f"STATUS={_one_line(status)}")

    def patience(self, for_s: float) -> None:
        """Not started yet, and busy: do not give us up within so many seconds from now."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(for_s * _MICROSECONDS)}")

    def watchdog(self) -> None:
        """Still alive."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Ending in an orderly way."""
        self._send("STOPPING=1")

    def _send(self, *assignments: str) -> None:
        if not self._address:
            return
        # A leading @ means the abstract namespace, whose names begin with a zero byte.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0)
            try:
                sender.sendto("\n".join(assignments).encode(), address)
            except OSError:
                # A manager that does not read must not stop production.
                return


def _one_line(text: str) -> str:
    return " ".join(text.split())
