"""What routes are asked with: an equipment of this site, a span of time, a name for a command."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Path, Query

from gateway.domain.shifts import Span
from gateway.settings.site import EquipmentConfig
from gateway.web.access.caller import Caller
from gateway.web.api.guard import Me, Web
from gateway.web.problems import Problem

LONGEST = timedelta(days=400)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_KEY = (
    "A name of your choice for this command. Without an answer, or after a 503, nobody knows"
    " whether it was obeyed: make the same request again under the same key, and it is obeyed once."
)
MAX_KEY = 255
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


def _once(
    me: Me,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=MAX_KEY,
            description=_KEY,
            examples=["mes-2026-03-20-000017"],
        ),
    ] = None,
) -> Caller:
    return replace(me, key=key or None)


MeOnce = Annotated[Caller, Depends(_once)]
"""Who gives a command, with the key under which it is obeyed once."""
Equipment = Annotated[EquipmentConfig, Depends(_equipment)]
Asked = Annotated[Span, Depends(_span)]
WholeMinutes = Annotated[Span, Depends(_whole_minutes)]
