"""Which boot of the machine this is: monotonic times compare only within one."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

VARIABLE = "MILLGATE_BOOT_ID"
"""Set by our systemd units: inside of their sandbox the kernel cannot be asked."""
_LINUX = Path("/proc/sys/kernel/random/boot_id")


def boot_id(environment: Mapping[str, str] = os.environ, *, kernel: Path = _LINUX) -> str:
    """Return the boot's id; where nobody tells, one that no other run has.

    The same boot has the same id however it is told: systemd leaves out the hyphens.
    """
    with suppress(ValueError):
        return str(UUID(environment.get(VARIABLE, "")))
    try:
        return kernel.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(8)
