"""Says in time that a certificate of ours runs out, and that a file of a login is missing.

- Said at 60, 30 and 7 days, and when it is over. Nothing is refused and nothing renewed.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from drivers.contract import BadSetting
from drivers.opcua.certificates import EXPIRED, Certificate, stage_of
from drivers.opcua.own import Unusable, command, login_of, own_files
from drivers.opcua.settings import LinkSettings

_log = logging.getLogger(__name__)


def notices(link: LinkSettings, now: datetime) -> Sequence[BadSetting]:
    """Return what a person should see to before it stops the link; reads files."""
    if link.secured is None:
        return ()
    try:
        own = own_files(link).shown()
        login_of(link)
    except Unusable as err:
        return (err.refusal,)
    notice = None if own is None else own_notice(own, now, link)
    return () if notice is None else (notice,)


def tell(link: LinkSettings, told: int | None, now: datetime) -> int | None:
    """Log how long our certificate lasts unless that was ``told``; return what is told now.

    Reads a file. What is told is a stage: see `stage_of`.
    """
    try:
        own = None if link.secured is None else own_files(link).shown()
    except Unusable:  # in use and gone from the disk: the next session will say so
        return told
    stage = None if own is None else stage_of(own, now)
    notice = None if own is None or stage == told else own_notice(own, now, link)
    if notice is not None:
        _log.warning("%s: %s; %s", link.endpoint, notice.problem, notice.hint)
    return stage


def own_notice(own: Certificate, now: datetime, link: LinkSettings) -> BadSetting | None:
    """Return the warning about our certificate; None while there is time."""
    stage = stage_of(own, now)
    if stage is None:
        return None
    ends, renew = f"{own.ends:%Y-%m-%d}", command("certificate", link.home, "--renew")
    if stage == EXPIRED:
        return BadSetting(
            "opcua_own_expired",
            "our certificate expired on {ends}; servers may refuse it",
            "make the next one and let the servers trust it: {command}",
            ends=ends,
            command=renew,
        )
    return BadSetting(
        "opcua_own_expires",
        "our certificate expires on {ends}, days left: {days}",
        "prepare the next one and let the servers trust it: {command}",
        ends=ends,
        days=own.days_left(now),
        command=renew,
    )
