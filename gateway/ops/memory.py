"""Python's search for cycles of garbage, kept away from what lives as long as the process.

A site of 1,000 machines is a million objects. Looking through all of them again and again
took a quarter of a collector's CPU time and found nothing.

- Nothing that becomes garbage without a cycle waits for any of this.
- Cycles made later are found as ever, among what was made later.
"""

import asyncio
import gc

SETTLED_S = 30.0
"""So long after the start the sessions are open and the first values are known."""
_THRESHOLDS = (10_000, 20, 50)


def begin() -> None:
    """While a site is read, nothing is garbage for long: do not look."""
    gc.disable()


def settle(loop: asyncio.AbstractEventLoop) -> None:
    """Set apart what is there now, and later what the start has brought."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
    loop.call_later(SETTLED_S, gc.freeze)
