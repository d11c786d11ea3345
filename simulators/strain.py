"""How long this machine keeps a process waiting: for the CPU and for the disk.

What one process is kept waiting another may be, too. Who judges by the clock what several
processes did allows for it.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.05


@dataclass
class Strain:
    """The worst that was seen."""

    late_s: float = 0.0


@asynccontextmanager
async def strain(directory: Path) -> AsyncIterator[Strain]:
    """Look again and again how late a commit beside the loop would be."""
    seen = Strain()
    looking = asyncio.create_task(_look(directory / "strain", seen))
    try:
        yield seen
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(path: Path, seen: Strain) -> None:
    while True:
        began_s = time.monotonic()
        await asyncio.sleep(_EVERY_S)
        await asyncio.to_thread(_to_disk, path)
        seen.late_s = max(seen.late_s, time.monotonic() - began_s - _EVERY_S)


def _to_disk(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())
