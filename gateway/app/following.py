"""Who runs beside the collector goes over to a configuration as soon as the collector has."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NoReturn

from gateway.settings.files import config_paths
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.revisions import Revisions
from gateway.settings.site import Site

LOOK_S = 1.0
_log = logging.getLogger(__name__)


async def following(
    directory: Path,
    mark: Callable[[], Hashable],
    become: Callable[[Site], None],
    *,
    seen: Hashable,
    look_s: float = LOOK_S,
) -> NoReturn:
    """Give ``become`` the configuration whenever its ``mark`` is another than ``seen``.

    Files that cannot be used now are being edited: what was known stays in force, which is
    said once, and they are looked at again.
    """
    told: Hashable = seen
    while True:
        await asyncio.sleep(look_s)
        now = await asyncio.to_thread(mark)
        if now == seen:
            continue
        try:
            site = await asyncio.to_thread(load, directory)
        except (ConfigProblems, OSError) as err:
            if now != told:
                _log.warning("the configuration known before stays in force here: %s", err)
            told = now
            continue
        become(site)
        seen = told = now


def in_force(kept: Revisions) -> int:
    """Return the number of the revision in force; 0 where there is none."""
    try:
        head = kept.current()
    except OSError:
        return 0
    return 0 if head is None else head.number


def in_force_or_on_disk(kept: Revisions) -> Hashable:
    """Return the same; where no collector keeps revisions, what the files look like."""
    number = in_force(kept)
    if number:
        return number
    try:
        stats = {path: path.stat() for path in config_paths(kept.directory, kept.data)}
    except OSError:  # one was replaced in this moment
        return None
    return frozenset((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats.items())
