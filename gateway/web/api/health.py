"""How the gateway is, for whoever is logged in: what works, what does not, since when."""

import shutil
from collections import Counter
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.journal.history import Extent
from gateway.web.access.roles import Role
from gateway.web.api.guard import Web, needs
from gateway.web.context import Context
from gateway.web.live import Picture
from gateway.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["health"])
LOW_DISK = 0.05
MAX_BACKLOG_AGE = timedelta(minutes=2)
Name = Literal["collector", "links", "broker", "queue", "history", "disk", "versions"]


class CollectorView(BaseModel):
    """`at`: its last sign of life if it is silent."""

    alive: bool
    at: str | None
    problem: str | None


class Check(BaseModel):
    """One thing that can be well or not; `ok` null: it cannot be told from here."""

    name: Name
    ok: bool | None
    detail: str
    since: str | None


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
            _collector(picture),
            _links(links),
            *await _journal(web, picture),
            _disk(web),
            Check(name="versions", ok=True, detail=f"millgate {web.version}", since=None),
        ],
    )


def _collector(picture: Picture) -> Check:
    told = picture.collector
    detail = told["problem"] or ("alive" if told["alive"] else "silent")
    since = told["at"]
    return Check(
        name="collector",
        ok=bool(told["alive"]),
        detail=str(detail),
        since=None if since is None else str(since),
    )


def _links(links: Counter[str]) -> Check:
    bad = sum(number for state, number in links.items() if state in {"offline", "degraded"})
    detail = ", ".join(f"{state} {number}" for state, number in sorted(links.items()))
    return Check(name="links", ok=bad == 0, detail=detail or "none", since=None)


async def _journal(web: Context, picture: Picture) -> list[Check]:
    """Return what the journal tells of broker, queue and itself."""
    try:
        extent, waiting = await web.history.look(lambda look: (look.extent(), look.waiting("mqtt")))
    except Problem as problem:
        return [Check(name="history", ok=False, detail=str(problem.detail), since=None)]
    backlog = 0 if waiting is None else waiting.events
    since = None if waiting is None else waiting.oldest_at
    stuck = since is not None and web.now() - since > MAX_BACKLOG_AGE
    alive = bool(picture.collector["alive"])
    return [
        Check(
            name="broker",
            ok=not stuck if alive else None,
            detail=f"confirmed up to {0 if waiting is None else waiting.cursor}",
            since=stamp_or_none(since) if stuck else None,
        ),
        Check(
            name="queue", ok=not stuck, detail=f"{backlog} events wait", since=stamp_or_none(since)
        ),
        _kept(extent),
    ]


def _kept(extent: Extent | None) -> Check:
    if extent is None:
        return Check(name="history", ok=None, detail="empty", since=None)
    return Check(
        name="history",
        ok=True,
        detail=f"{stamp(extent.first_at)} .. {stamp(extent.last_at)}",
        since=stamp(extent.first_at),
    )


def _disk(web: Context) -> Check:
    place = web.site.path(web.site.gateway.journal.path).parent
    try:
        usage = shutil.disk_usage(place if place.exists() else web.site.directory)
    except OSError as err:
        return Check(name="disk", ok=False, detail=str(err), since=None)
    free = usage.free / usage.total
    return Check(
        name="disk",
        ok=free > LOW_DISK,
        detail=f"{usage.free / 1024**3:.1f} GiB of {usage.total / 1024**3:.1f} GiB free",
        since=None,
    )
