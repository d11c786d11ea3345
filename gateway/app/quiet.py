"""Long work in a thread, beside a loop that reads devices.

Two threads of Python take turns; by default a turn lasts 5 ms, and a loop that wakes some
hundred times a second would spend all of it waiting for its turn. While such work is done
turns are short.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
TURN_S = 0.0002


async def quietly(work: Callable[..., T], *arguments: object) -> T:
    """Do ``work`` in a thread; what it raises is raised here. One at a time."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        return await asyncio.to_thread(work, *arguments)
    finally:
        sys.setswitchinterval(usual_s)
