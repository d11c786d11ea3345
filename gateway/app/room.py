"""What takes its time at a start: opening a large file, and waiting for room on a full disk.

To end and be started again makes no room, and a check that is cut short begins anew. So the
service manager is asked for patience, and told what for, for as long as this loop turns.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from gateway.ops.notify import Notifier

RETRY_S = 5.0
TELL_S = 20.0
PATIENCE_S = 3 * TELL_S
"""The manager may give us up when it has not heard of us for so long."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


async def with_room(
    opening: Callable[[], Awaitable[_T]],
    full: type[Exception],
    without: str,
    notifier: Notifier,
    *,
    retry_s: float = RETRY_S,
    tell_s: float = TELL_S,
) -> _T:
    """Return what ``opening`` opens; while it raises ``full``, try again, and say so once.

    ``without`` is what there is not until then, "no screens".
    """
    told = False
    async with _patience(notifier, tell_s):
        while True:
            try:
                return await opening()
            except full as err:
                if not told:
                    _log.critical(
                        "%s until there is room: delete something that is not ours",
                        without,
                        extra={"error": str(err)},
                    )
                    notifier.status(f"{without} until there is room on the disk: {err}")
                told = True
                await asyncio.sleep(retry_s)


@asynccontextmanager
async def _patience(notifier: Notifier, tell_s: float) -> AsyncIterator[None]:
    """Ask the service manager not to give us up within this context."""
    notifier.patience(PATIENCE_S)
    asking = asyncio.create_task(_ask(notifier, tell_s), name="patience")
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _ask(notifier: Notifier, tell_s: float) -> None:
    while True:
        await asyncio.sleep(tell_s)
        notifier.patience(PATIENCE_S)
