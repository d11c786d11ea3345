"""What the commands that ask the history share: the span asked for, the store, how cells look."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from rich.console import Console

from gateway.domain import figures
from gateway.domain.shifts import Span
from gateway.settings.model import SqlStoreFile
from gateway.settings.secrets import store_url
from gateway.settings.site import EquipmentConfig, Site
from gateway.wire.topics import GatewayTopics

PIPED_WIDTH = 200
NO_SHIFTS = "没有 shifts.yaml，不能按班次 / there is no shifts.yaml, so not by shift"


class NotAnswered(Exception):
    """Why there are no figures, in both languages."""


def refuse(reason: str) -> int:
    """Say why there are no figures; return the exit code."""
    sys.stderr.write(f"millgate: {reason}\n")
    return 1


def source(site: Site) -> str:
    """Return the gateway's name in facts."""
    gateway = site.gateway
    return GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway).source


def sql_url(site: Site) -> str:
    """Return where the store of record is. Raises NotAnswered, SecretUnreadable."""
    stores = site.gateway.historian.stores
    sql = next((store for store in stores if isinstance(store, SqlStoreFile)), None)
    if sql is None:
        raise NotAnswered("没有 SQL 历史库 / there is no SQL store in gateway.yaml")
    return store_url(site.directory, sql).get_secret_value()


def span(
    site: Site,
    begins: str | None,
    ends: str | None,
    now: datetime,
    *,
    days: int = 0,
) -> Span:
    """Return the span from ``begins`` to ``ends``. Raises NotAnswered.

    They are ISO dates or times of whole minutes, in the site's zone where they name none; by
    default from the midnight ``days`` before today's up to now.
    """
    zone = ZoneInfo(site.gateway.timezone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = Span(
        (midnight - timedelta(days=days)).astimezone(UTC)
        if begins is None
        else _moment(begins, zone),
        now if ends is None else _moment(ends, zone),
    )
    if found.duration <= timedelta(0):
        raise NotAnswered("--from 必须早于 --to / --from must lie before --to")
    return found


def shift_spans(config: EquipmentConfig, within: Span) -> list[tuple[str, Span]]:
    """Return the shifts of an equipment with their names, cut to ``within``. Raises NotAnswered."""
    try:
        return figures.shift_spans(config.rules.calendar, within)
    except figures.NoCalendar:
        raise NotAnswered(NO_SHIFTS) from None


def console(stream: TextIO) -> Console:
    """Return a console that cuts nothing off where its output goes on to a program."""
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)


def percent(ratio: float | None) -> str:
    """Return a ratio for people."""
    return "-" if ratio is None else f"{ratio:.1%}"


def clock(seconds: float | None) -> str:
    """Return a duration for people: hours, minutes, seconds."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def number(value: float | None) -> str:
    """Return a number for people."""
    return "-" if value is None else f"{value:.10g}"


def _moment(written: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise NotAnswered(f"不是日期或时间 / not a date or a time: {written}") from None
    at = at.replace(second=0, microsecond=0)  # parts are read by the minute
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
