"""A null modem: two pseudo-terminals joined back to back."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def null_modem() -> AsyncIterator[tuple[str, str]]:
    """Give the paths of the two ends; what is written to one is read at the other."""
    loop = asyncio.get_running_loop()
    (near, near_end), (far, far_end) = os.openpty(), os.openpty()
    for end in (near_end, far_end):
        tty.setraw(end)
    for master, other in ((near, far), (far, near)):
        os.set_blocking(master, False)
        loop.add_reader(master, _copy, master, other)
    try:
        yield os.ttyname(near_end), os.ttyname(far_end)
    finally:
        for master in (near, far):
            loop.remove_reader(master)
        for fd in (near, far, near_end, far_end):
            os.close(fd)


def _copy(master: int, other: int) -> None:
    with contextlib.suppress(OSError):  # both ends are kept open here, so only a full buffer
        os.write(other, os.read(master, 4096))
