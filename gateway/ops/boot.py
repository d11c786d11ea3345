"""Which boot of the machine this is: monotonic times compare only within one."""

import secrets
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return the kernel's boot id; where there is none, one that no other run has."""
    try:
        return _LINUX.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(8)
