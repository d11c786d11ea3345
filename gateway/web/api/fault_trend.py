"""What faults cost day by day: whether a measure helped."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.domain.fault_stats import pareto
from gateway.domain.figures import spans
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import stamp
from gateway.journal.history import Look
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked
from gateway.web.api.guard import Web, needs
from gateway.web.api.machines import Machines
from gateway.web.facts import kept_from
from gateway.web.lasting_faults import faults_of

router = APIRouter(prefix="/api/v1/faults", tags=["faults"])


class DayView(BaseModel):
    """One day, cut to the span that was asked for; what goes on is counted up to its end."""

    from_: str = Field(alias="from")
    to: str
    label: str
    occurrences: int
    duration_ms: int


class Trend(BaseModel):
    """Every day of the span, also one without a fault."""

    kept_from: str | None
    days: list[DayView]


@router.get("/trend", **needs(Role.VIEWER, 404, 503))
async def fault_trend(
    web: Web,
    span: Asked,
    machines: Machines,
    code: Annotated[str | None, Query(max_length=80, description="By default all of them")] = None,
) -> Trend:
    """How often and how long, day by day."""
    zone = ZoneInfo(web.site.gateway.timezone)
    calendar = machines[0].rules.calendar if machines else None
    days = list(spans(calendar, zone, span, "day"))
    names = [config.equipment for config in machines]
    present = (await web.board.picture()).faults

    def look_for(look: Look) -> Trend:
        found = [
            fault.occurrence()
            for fault in faults_of(look, names, span, present)
            if code in (None, fault.data["code"])
        ]
        extent = look.extent()
        known_until = span.begins if extent is None else extent.last_at
        shown = []
        for label, day in days:
            # A fault that goes on is known of up to the newest sign of life.
            ends = max(day.begins + timedelta(milliseconds=1), min(day.ends, known_until))
            rows = pareto(found, Span(day.begins, ends))
            told = {
                "from": stamp(day.begins),
                "to": stamp(day.ends),
                "label": label,
                "occurrences": sum(row.occurrences for row in rows),
                "duration_ms": int(sum(row.duration_s for row in rows) * 1000),
            }
            shown.append(DayView.model_validate(told))
        return Trend(kept_from=kept_from(look), days=shown)

    return await web.history.look(look_for)
