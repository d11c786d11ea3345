"""The figures of the running shift, for the tiles; `gateway.web.tile_figures` says when."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.kpi import kpi, made
from gateway.domain.shifts import ShiftCalendar, Span, shift_at
from gateway.domain.vocabulary import CounterKind, Shift, stamp
from gateway.domain.worktime import spent
from gateway.journal.history import Look
from gateway.settings.site import EquipmentConfig
from gateway.web.board import ShiftFigures
from gateway.web.context import Context
from gateway.web.facts import facts
from gateway.web.order_progress import planned
from gateway.web.parts_so_far import PartsSoFar
from gateway.web.problems import Problem

EVERY_S = 30.0


async def shift_figures(
    web: Context, so_far: PartsSoFar | None = None
) -> Mapping[str, ShiftFigures]:
    """Return the figures of every machine; nothing where the journal cannot be read in time.

    ``so_far`` is what was booked when this was asked last.
    """
    so_far = PartsSoFar() if so_far is None else so_far
    picture = await web.board.picture()
    tiles = picture.tiles
    kinds = {
        name: frozenset(counter.kind for counter in tile.counters) for name, tile in tiles.items()
    }
    machines, now = list(web.site.equipment.values()), web.now()
    zone = ZoneInfo(web.site.gateway.timezone)
    so_far.keep(picture.epoch, web.site.equipment)
    try:
        return await web.history.look(lambda look: _all(look, machines, kinds, zone, now, so_far))
    except Problem:
        return {}


def running(
    calendar: ShiftCalendar | None, zone: ZoneInfo, now: datetime
) -> tuple[Shift | None, Span]:
    """Return the shift that runs and its time so far; without one, the local day so far."""
    shift = None if calendar is None else shift_at(calendar, now)
    if shift is not None and shift.starts_at < now:
        return shift, Span(shift.starts_at, now)
    local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = local.astimezone(UTC)
    return None, Span(midnight if midnight < now else now - timedelta(minutes=1), now)


def _all(
    look: Look,
    machines: Iterable[EquipmentConfig],
    kinds: Mapping[str, frozenset[CounterKind]],
    zone: ZoneInfo,
    now: datetime,
    so_far: PartsSoFar,
) -> Mapping[str, ShiftFigures]:
    so_far.look_back(look)
    return {
        config.equipment: _one(
            look, config, kinds.get(config.equipment, frozenset()), zone, now, so_far
        )
        for config in machines
    }


def _one(
    look: Look,
    config: EquipmentConfig,
    kinds: frozenset[CounterKind],
    zone: ZoneInfo,
    now: datetime,
    so_far: PartsSoFar,
) -> ShiftFigures:
    name, calendar = config.equipment, config.rules.calendar
    shift, span = running(calendar, zone, now)
    known = facts(look, {name: config.rules.ideal_cycle_ms}, {name: kinds}, span, so_far.booked)
    parts = known.parts[name]
    output = made(parts, known.counted[name])
    ratios = kpi(spent(known.intervals[name], span, calendar), output)
    reject = sum(one.quantity for one in parts if one.kind == "reject")
    return ShiftFigures(
        shift=None if shift is None else shift.code,
        since=stamp(span.begins),
        good=output.good,
        reject=reject if "reject" in known.counted[name] else None,
        target=None if shift is None else _target(config, shift, shift.ends_at),
        due=_target(config, shift, now),
        oee=ratios.oee,
        missing=ratios.missing.get("oee"),
    )


def _target(config: EquipmentConfig, shift: Shift | None, until: datetime) -> float | None:
    """Return the parts of the shift up to a moment, at the ideal cycle; None if nobody said it."""
    ideal_ms, calendar = config.rules.ideal_cycle_ms, config.rules.calendar
    if shift is None or calendar is None or not ideal_ms:
        return None
    worked = planned(calendar, shift.starts_at, min(until, shift.ends_at))
    return float(worked / timedelta(milliseconds=ideal_ms) // 1)
