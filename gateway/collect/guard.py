"""The one place that catches what nobody foresaw, so that it costs one link only."""

import logging
from collections.abc import Awaitable, Callable

from gateway.journal.errors import JournalError
from gateway.ops.backoff import MAX_DELAY_S

_log = logging.getLogger(__name__)


async def guard(
    name: str,
    run: Callable[[], Awaitable[None]],
    failed: Callable[[Exception], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Run a link for ever; after a defect mark it as failed and start it again.

    A failed journal is not survived: without it nothing may be collected.
    """
    while True:
        try:
            await run()
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001 - a defect in one link must not stop the others
            _log.exception("link %s failed; it starts again in %.0f s", name, MAX_DELAY_S)
            await failed(err)
            await sleep(MAX_DELAY_S)
        else:
            return
