"""What routes are asked with: an equipment of this site, a span of time."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path, Query

from gateway.domain.shifts import Span
from gateway.settings.site import EquipmentConfig
from gateway.web.api.guard import Web
from gateway.web.problems import Problem

LONGEST = timedelta(days=400)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_MOMENT = "RFC 3339, for example 2026-03-20T01:00:00Z"


def _equipment(
    web: Web, equipment: Annotated[str, Path(description="Its code", examples=["press-07"])]
) -> EquipmentConfig:
    found = web.site.equipment.get(equipment)
    if found is None:
        raise Problem(
            "not_found", {"zh": f"没有设备 {equipment}", "en": f"no such equipment: {equipment}"}
        )
    return found


def moment(value: datetime, field: str) -> datetime:
    """Return a moment in UTC; one without a zone is refused. Raises Problem."""
    if value.tzinfo is None:
        raise wrong(field, "no_zone", {"zh": "缺少时区", "en": "a time zone is missing"})
    try:
        at = value.astimezone(UTC)
    except OverflowError:
        at = _EARLIEST - timedelta(days=1)
    if not _EARLIEST <= at <= _LATEST:
        raise wrong(field, "out_of_range", {"zh": "时间超出范围", "en": "not in 1970 to 2200"})
    return at


def wrong(field: str, code: str, detail: dict[str, str]) -> Problem:
    """Return the problem of one field."""
    return Problem("invalid", detail, errors=[{"field": field, "code": code}])


def _span(
    web: Web,
    begins: Annotated[
        datetime | None, Query(alias="from", description=f"Eight hours ago by default. {_MOMENT}")
    ] = None,
    ends: Annotated[
        datetime | None, Query(alias="to", description=f"Now by default. {_MOMENT}")
    ] = None,
) -> Span:
    last = web.now() if ends is None else moment(ends, "to")
    first = last - timedelta(hours=8) if begins is None else moment(begins, "from")
    if first >= last:
        raise wrong(
            "from", "not_before_to", {"zh": "from 必须早于 to", "en": "from must be before to"}
        )
    if last - first > LONGEST:
        raise wrong("from", "too_long", {"zh": "时间段过长", "en": "more than 400 days"})
    return Span(first, last)


def _whole_minutes(span: Annotated[Span, Depends(_span)]) -> Span:
    """Return the span from the begin of its minute: parts are booked to whole minutes."""
    return Span(span.begins.replace(second=0, microsecond=0), span.ends)


Equipment = Annotated[EquipmentConfig, Depends(_equipment)]
Asked = Annotated[Span, Depends(_span)]
WholeMinutes = Annotated[Span, Depends(_whole_minutes)]
