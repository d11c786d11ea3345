"""What this process takes of the machine.

Read from ``/proc/self`` alone: a service whose view of ``/proc`` is cut down to itself sees
that much. Elsewhere than on Linux what cannot be asked is left out.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SELF = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Usage:
    """None where this system does not say."""

    cpu_s: float
    rss_bytes: int | None = None
    open_fds: int | None = None
    max_fds: int | None = None


def usage() -> Usage:
    """Return what is taken now."""
    rss = fds = limit = None
    with suppress(OSError):
        pages = int((_SELF / "statm").read_text("ascii").split()[1])
        rss = pages * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError):
        fds = len(os.listdir(_SELF / "fd"))  # noqa: PTH208 - names are enough
    with suppress(ImportError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return Usage(time.process_time(), rss, fds, limit)
