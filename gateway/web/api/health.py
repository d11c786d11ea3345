"""How the gateway is, for whoever is logged in: what works, what does not, since when."""

import shutil
from collections import Counter

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.domain.vocabulary import stamp
from gateway.journal.history import ClockStep, Extent, Filled, Look, Waiting, disk_was_full
from gateway.web import checks
from gateway.web.access.roles import Role
from gateway.web.api.guard import Web, needs
from gateway.web.checks import Check
from gateway.web.context import Context
from gateway.web.live import Picture
from gateway.web.problems import Problem
from gateway.web.source import Trouble

router = APIRouter(prefix="/api/v1", tags=["health"])


class CollectorView(BaseModel):
    """`at`: its last sign of life if it is silent. `problem`: why the journal cannot be read."""

    alive: bool
    at: str | None
    problem: str | None
    problem_code: Trouble | None


class Health(BaseModel):
    """How the whole gateway is."""

    now: str
    collector: CollectorView
    epoch: str
    head_seq: int
    equipment: int
    states: dict[str, int]
    """state -> equipment in it"""
    links: dict[str, int]
    """link state -> links in it"""
    checks: list[Check]


@router.get("/health", **needs(Role.VIEWER))
async def health(web: Web) -> Health:
    """The collector's sign of life, states and links counted, and a list of checks."""
    picture = await web.board.picture()
    tiles = picture.tiles.values()
    links: Counter[str] = Counter(link.state for tile in tiles for link in tile.links)
    return Health(
        now=stamp(web.now()),
        collector=CollectorView.model_validate(picture.collector),
        epoch=picture.epoch,
        head_seq=picture.head_seq,
        equipment=len(tiles),
        states=Counter(tile.state.value for tile in tiles),
        links=links,
        checks=[
            checks.collector(picture.collector),
            checks.links(links),
            *await _journal(web, picture),
            _disk(web),
            checks.versions(web.version),
        ],
    )


async def _journal(web: Context, picture: Picture) -> list[Check]:
    """Return what the journal tells of broker, queue, itself and the clock."""
    max_bytes = web.site.gateway.journal.max_bytes

    def look_for(look: Look) -> tuple[Extent | None, Waiting | None, Filled, list[ClockStep]]:
        start = web.now() - checks.CLOCK_SPAN
        told = (look.clock_steps(name, start) for name in web.site.equipment)
        steps = max(told, key=len, default=[])
        return look.extent(), look.waiting("mqtt"), look.filled(max_bytes), steps

    try:
        extent, waiting, filled, steps = await web.history.look(look_for)
    except Problem as problem:
        return [checks.no_history(problem.code, str(problem.detail or "")), _clock(web, [])]
    delivery = checks.delivery(
        waiting,
        web.now(),
        alive=bool(picture.collector["alive"]),
        filled=filled,
    )
    return [*delivery, checks.kept(extent), _clock(web, steps)]


def _clock(web: Context, steps: list[ClockStep]) -> Check:
    by_person = web.site.gateway.clock == "trusted"
    return checks.clock(steps, trusted=web.clock_is_trusted(), by_person=by_person)


def _disk(web: Context) -> Check:
    journal = web.site.path(web.site.gateway.journal.path)
    place = journal.parent
    try:
        usage = shutil.disk_usage(place if place.exists() else web.site.directory)
    except OSError as err:
        return checks.no_disk(str(err))
    return checks.disk(usage.free, usage.total, was_full=disk_was_full(journal))
