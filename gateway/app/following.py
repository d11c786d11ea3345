"""The screens go over to a configuration as soon as the collector has."""

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.revisions import Revisions
from gateway.settings.site import Site

LOOK_S = 1.0
_log = logging.getLogger(__name__)


async def following(
    kept: Revisions, become: Callable[[Site], None], *, seen: int, look_s: float = LOOK_S
) -> NoReturn:
    """Give ``become`` the configuration whenever another revision than ``seen`` is in force.

    Files that cannot be used now are being edited: they are looked at again.
    """
    while True:
        await asyncio.sleep(look_s)
        number = await asyncio.to_thread(in_force, kept)
        if number == seen:
            continue
        try:
            site = await asyncio.to_thread(load, kept.directory)
        except (ConfigProblems, OSError) as err:
            _log.debug("revision %d cannot be read yet: %s", number, err)
            continue
        become(site)
        seen = number


def in_force(kept: Revisions) -> int:
    """Return the number of the revision in force; 0 where there is none."""
    try:
        head = kept.current()
    except OSError:
        return 0
    return 0 if head is None else head.number
