"""Says in time what about certificates needs a hand, before it stops a link.

- Said at 60, 30 and 7 days, and when it is over. Nothing is refused and nothing renewed.
- What is said was read from files; no server is asked.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from drivers.contract import BadSetting
from drivers.opcua.certificates import EXPIRED, Certificate, stage_of
from drivers.opcua.own import Unusable, command, keys_of, login_of, own_files, unusable
from drivers.opcua.settings import LinkSettings
from drivers.opcua.trust import Trusted, TrustList, place_of

_log = logging.getLogger(__name__)

Key = tuple[str, int | None]
"""A sentence and the stage it is said at."""


def notices(link: LinkSettings, now: datetime) -> Sequence[BadSetting]:
    """Return what a person should see to; reads files."""
    return tuple(_by_stage(link, now).values())


class Watch:
    """Logs, once for each stage, what comes up while a session lasts."""

    def __init__(self, link: LinkSettings, now: Callable[[], datetime]) -> None:
        """Nothing is logged yet."""
        self._link = link
        self._now = now
        self._told: frozenset[Key] = frozenset()

    async def look(self) -> None:
        """Log what is new since the last look; nothing for a link without security."""
        if self._link.secured is None:
            return
        found = await asyncio.to_thread(_by_stage, self._link, self._now())
        for key, notice in found.items():
            if key not in self._told:
                _log.warning("%s: %s; %s", self._link.endpoint, notice.problem, notice.hint)
        self._told = frozenset(found)


def _by_stage(link: LinkSettings, now: datetime) -> Mapping[Key, BadSetting]:
    if link.secured is None:
        return {}
    try:
        own, trusted = own_files(link).shown(), TrustList(keys_of(link)).trusted()
        login_of(link)
    except Unusable as err:
        return {(err.refusal.code, None): err.refusal}
    except OSError as err:
        refusal = unusable(keys_of(link), err.strerror or str(err)).refusal
        return {(refusal.code, None): refusal}
    found = [*_own(own, now, link), *_servers(trusted, now, link)]
    return {(notice.code, stage): notice for stage, notice in found}


def _own(
    own: Certificate | None, now: datetime, link: LinkSettings
) -> Iterator[tuple[int, BadSetting]]:
    stage = None if own is None else stage_of(own, now)
    if own is None or stage is None:
        return
    yield stage, own_expired(own, link) if stage == EXPIRED else _own_expires(own, now, link)


def own_expired(own: Certificate, link: LinkSettings) -> BadSetting:
    """Return what is said of our certificate when it is over."""
    return BadSetting(
        "opcua_own_expired",
        "our certificate expired on {ends}; servers may refuse it",
        "make the next one and let the servers trust it: {command}",
        ends=f"{own.ends:%Y-%m-%d}",
        command=_renew(link),
    )


def _own_expires(own: Certificate, now: datetime, link: LinkSettings) -> BadSetting:
    return BadSetting(
        "opcua_own_expires",
        "our certificate expires on {ends}, days left: {days}",
        "prepare the next one and let the servers trust it: {command}",
        ends=f"{own.ends:%Y-%m-%d}",
        days=own.days_left(now),
        command=_renew(link),
    )


def _renew(link: LinkSettings) -> str:
    return command("certificate", link.home, "--renew")


def _servers(
    trusted: Sequence[Trusted], now: datetime, link: LinkSettings
) -> Iterator[tuple[int | None, BadSetting]]:
    place, trust = place_of(link.endpoint), command("trust", link.home, link.endpoint)
    theirs = [known.certificate for known in trusted if known.place == place]
    if not theirs and all(known.place for known in trusted):
        yield (
            None,
            BadSetting(
                "opcua_none_trusted",
                "no certificate is trusted yet for {endpoint}",
                "look at it and trust it: {command}",
                endpoint=link.endpoint,
                command=trust,
            ),
        )
    for certificate in theirs:
        stage = stage_of(certificate, now)
        if stage is not None:
            yield (
                stage,
                BadSetting(
                    "opcua_server_expires",
                    "the certificate of {endpoint} is valid until {ends}",
                    "renew it in the server, then trust the new one: {command}",
                    endpoint=link.endpoint,
                    ends=f"{certificate.ends:%Y-%m-%d}",
                    command=trust,
                ),
            )
