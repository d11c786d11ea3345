"""What others may see of a running site: its metrics, and whether it is well."""

import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from gateway.app.collector import Collector
from gateway.app.ports import refused
from gateway.journal.journal import Journal
from gateway.ops.heart import Check, Heart
from gateway.settings.site import Site

if TYPE_CHECKING:
    from gateway.historian.historian import Historian
    from gateway.ops.metrics import Metric

WRITER_SILENT_S = 20.0
"""A writer that waits for the disk longer than this is not well."""

_log = logging.getLogger(__name__)


def journal_check(journal: Journal) -> Check:
    """Return what says whether the journal's writer turns."""

    def check() -> str | None:
        silent_s = time.monotonic() - journal.pulse().turned_mono_s
        if silent_s < WRITER_SILENT_S:
            return None
        return f"its writer has not come back from the disk for {silent_s:.0f} s"

    return check


@asynccontextmanager
async def metrics(
    site: Site, heart: Heart, collector: Collector | None, historian: "Historian | None"
) -> AsyncIterator[int | None]:
    """Serve ``/metrics`` if the site asks for it; gives its port.

    A port that cannot be had is said in the log: production does not stand still for it.
    """
    asked = site.gateway.metrics
    if asked is None:
        yield None
        return
    # 5 MB and a fifth of a second that others save
    from gateway.app import figures  # noqa: PLC0415
    from gateway.ops.metrics_server import serving  # noqa: PLC0415

    def gather() -> Iterator["Metric"]:
        yield from figures.of_process(heart)
        if collector is not None:
            yield from figures.of_collector(collector)
        if historian is not None:
            yield from figures.of_historian(historian)

    key = "historian_port" if collector is None else "port"
    port: int = getattr(asked, key)
    async with AsyncExitStack() as stack:
        serves: int | None = None
        try:
            serves = await stack.enter_async_context(serving(asked.host, port, gather))
        except OSError as err:
            _log.error("no metrics: %s", refused(site, f"metrics.{key}", asked.host, port, err))
        yield serves
