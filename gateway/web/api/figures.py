"""Figures: OEE with what it rests on, and what faults cost."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.domain.fault_stats import Occurrence, Reliability, down_s, pareto, reliability
from gateway.domain.figures import Figures, NoCalendar, figures
from gateway.domain.kpi import Missing
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import stamp
from gateway.journal.history import Look
from gateway.settings.site import EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked, WholeMinutes, wrong
from gateway.web.api.guard import Web, needs
from gateway.web.api.machines import Machines, machine
from gateway.web.context import Context
from gateway.web.facts import FAULTS_BEFORE, facts, fault_states, kept_from, past_faults
from gateway.web.lasting_faults import faults_of

router = APIRouter(prefix="/api/v1", tags=["figures"])


class Kpi(BaseModel):
    """The ratios of one machine or line in one window; what is null says why in `missing`."""

    equipment: str | None = None
    line: str | None = None
    window: str
    from_: str = Field(alias="from")
    to: str
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    missing: dict[str, Missing]
    inputs: dict[str, float | None]
    """Seconds and pieces: what the ratios were made of."""


class Kpis(BaseModel):
    """One row for each machine and window, then one for each line of several machines."""

    kept_from: str | None
    rows: list[Kpi]


class ParetoView(BaseModel):
    """One code of one equipment: how often, how long, its part of all."""

    equipment: str
    code: str
    text: dict[str, str]
    occurrences: int
    raises: int
    duration_ms: int
    share: float | None
    cumulative: float | None


class Pareto(BaseModel):
    """The longest first."""

    kept_from: str | None
    rows: list[ParetoView]


class FaultFigures(BaseModel):
    """Seconds; null where there is no basis. The other fields are the basis."""

    failures: int
    operating_s: float
    down_s: float
    """In state `fault`; planned stops and offline time are not in it."""
    unknown_s: float
    mtbf_s: float | None
    mttr_s: float | None
    response_s: float | None
    repair_s: float | None
    restart_s: float | None
    availability: float | None
    repaired: int
    acknowledged: int
    mended: int
    restarted: int
    missing: Literal["nothing_known", "no_failures", "too_few_failures"] | None
    """Why `mtbf_s` should not be shown, or what little it rests on."""


class FaultFiguresAnswer(BaseModel):
    """The span asked for, and the one of equal length before it."""

    kept_from: str | None
    figures: FaultFigures
    previous: FaultFigures | None


@router.get("/kpi", **needs(Role.VIEWER, 404, 503))
async def kpis(
    web: Web,
    span: WholeMinutes,
    machines: Machines,
    by: Annotated[Literal["shift", "hour", "day", "order"], Query()] = "shift",
) -> Kpis:
    """OEE by ISO 22400-2, with its inputs; the same as `millgate kpi` says. From a whole minute."""
    kept, rows = await rows_of(web, machines, span, by)
    return Kpis.model_validate({"kept_from": kept, "rows": [told(one) for one in rows]})


@router.get("/faults/pareto", tags=["faults"], **needs(Role.VIEWER, 404, 503))
async def fault_pareto(web: Web, span: Asked, machines: Machines) -> Pareto:
    """Which faults cost most in the span."""
    names = [config.equipment for config in machines]
    present = (await web.board.picture()).faults

    def look_for(look: Look) -> tuple[str | None, list[ParetoView]]:
        found = faults_of(look, names, span, present)
        texts = {(one.equipment, one.data["code"]): one.data["text"] for one in found}
        until = _until(look, span)
        rows = pareto([one.occurrence() for one in found], until)
        return kept_from(look), [
            ParetoView(
                equipment=row.equipment,
                code=row.code,
                text=texts[row.equipment, row.code],
                occurrences=row.occurrences,
                raises=row.raises,
                duration_ms=int(row.duration_s * 1000),
                share=row.share,
                cumulative=row.cumulative,
            )
            for row in rows
        ]

    kept, rows = await web.history.look(look_for)
    return Pareto(kept_from=kept, rows=rows)


@router.get("/faults/figures", tags=["faults"], **needs(Role.VIEWER, 404, 503))
async def fault_figures(web: Web, span: Asked, machines: Machines) -> FaultFiguresAnswer:
    """MTBF, MTTR and their parts, of all machines asked for together."""
    names = [config.equipment for config in machines]
    previous = Span(span.begins - span.duration, span.begins)

    def look_for(look: Look) -> tuple[str | None, FaultFigures, FaultFigures | None]:
        extent = look.extent()
        now = _together(_reliability(look, name, span) for name in names)
        known = extent is not None and extent.first_at < previous.ends
        before = _together(_reliability(look, name, previous) for name in names) if known else None
        return kept_from(look), now, before

    kept, now, before = await web.history.look(look_for)
    return FaultFiguresAnswer(kept_from=kept, figures=now, previous=before)


async def rows_of(
    web: Context,
    machines: Sequence[EquipmentConfig],
    span: Span,
    by: Literal["shift", "hour", "day", "order"],
) -> tuple[str | None, list[Figures]]:
    """Return since when there is a history, and the figures. Raises Problem."""
    tiles = (await web.board.picture()).tiles
    kinds = {
        name: frozenset(counter.kind for counter in tile.counters) for name, tile in tiles.items()
    }
    wanted = {config.equipment: config.rules.ideal_cycle_ms for config in machines}
    kept, found = await web.history.look(
        lambda look: (kept_from(look), facts(look, wanted, kinds, span))
    )
    zone = ZoneInfo(web.site.gateway.timezone)
    try:
        return kept, list(figures(map(machine, machines), found, zone, span, by))
    except NoCalendar:
        detail = {"zh": "没有 shifts.yaml", "en": "there is no shifts.yaml"}
        raise wrong("by", "no_shifts", detail) from None


def told(one: Figures) -> dict[str, Any]:
    """Return figures as the API tells them."""
    return one.data() | {"from": stamp(one.span.begins), "to": stamp(one.span.ends)}


def _until(look: Look, span: Span) -> Span:
    """Return the span up to the newest sign of life: what came afterwards nobody knows."""
    extent = look.extent()
    if extent is None or extent.last_at <= span.begins:
        return span
    return Span(span.begins, min(span.ends, extent.last_at))


def _reliability(look: Look, equipment: str, span: Span) -> tuple[Reliability, float]:
    """Return the figures of one machine, and how long it was down."""
    within = _until(look, span)
    before = Span(within.begins - FAULTS_BEFORE, within.ends)
    occurrences: list[Occurrence] = [
        fault.occurrence() for fault in past_faults(look, equipment, before)
    ]
    states = fault_states(look, equipment, within)
    return reliability(occurrences, states, within), down_s(states, within)


def _together(machines: Iterable[tuple[Reliability, float]]) -> FaultFigures:
    """Return the figures of several machines: sums first, then ratios."""
    told = list(machines)
    every = [one for one, _ in told]
    failures = sum(one.failures for one in every)
    operating_s = sum(one.operating_s for one in every)
    mtbf_s = operating_s / failures if failures and operating_s > 0 else None
    mttr_s = _mean(every, "mttr_s", "repaired")
    known = mtbf_s is not None and mttr_s is not None
    return FaultFigures(
        failures=failures,
        operating_s=operating_s,
        down_s=sum(seconds for _, seconds in told),
        unknown_s=sum(one.unknown_s for one in every),
        mtbf_s=mtbf_s,
        mttr_s=mttr_s,
        response_s=_mean(every, "response_s", "acknowledged"),
        repair_s=_mean(every, "repair_s", "mended"),
        restart_s=_mean(every, "restart_s", "restarted"),
        availability=mtbf_s / (mtbf_s + mttr_s)
        if known and mtbf_s and mttr_s is not None
        else None,
        repaired=sum(one.repaired for one in every),
        acknowledged=sum(one.acknowledged for one in every),
        mended=sum(one.mended for one in every),
        restarted=sum(one.restarted for one in every),
        missing=_missing(failures, operating_s),
    )


def _missing(
    failures: int, operating_s: float
) -> Literal["nothing_known", "no_failures", "too_few_failures"] | None:
    if operating_s <= 0:
        return "nothing_known"
    if failures == 0:
        return "no_failures"
    return "too_few_failures" if failures == 1 else None


def _mean(every: Sequence[Reliability], value: str, count: str) -> float | None:
    pairs = [(getattr(one, value), getattr(one, count)) for one in every]
    known = [(mean, basis) for mean, basis in pairs if mean is not None and basis]
    basis = sum(number for _, number in known)
    return sum(mean * number for mean, number in known) / basis if basis else None
