"""How the gateway is, for whoever is logged in."""

from collections import Counter

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.domain.vocabulary import stamp
from gateway.web.access.roles import Role
from gateway.web.api.guard import Web, needs

router = APIRouter(prefix="/api/v1", tags=["health"])


class CollectorView(BaseModel):
    """`at`: its last sign of life if it is silent."""

    alive: bool
    at: str | None
    problem: str | None


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


@router.get("/health", **needs(Role.VIEWER))
async def health(web: Web) -> Health:
    """The collector's sign of life, states and links counted."""
    picture = await web.board.picture()
    tiles = picture.tiles.values()
    return Health(
        now=stamp(web.now()),
        collector=CollectorView.model_validate(picture.collector),
        epoch=picture.epoch,
        head_seq=picture.head_seq,
        equipment=len(tiles),
        states=Counter(tile.state.value for tile in tiles),
        links=Counter(link.state for tile in tiles for link in tile.links),
    )
