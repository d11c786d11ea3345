"""What is now: equipment, faults, and the stream that keeps a page up to date."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gateway.web import tile_figures
from gateway.web.access.roles import Role
from gateway.web.api.guard import Me, Web, needs
from gateway.web.api.streams import Topics, seated, wanted
from gateway.web.board import Tile
from gateway.web.fault_list import FaultItem

router = APIRouter(prefix="/api/v1", tags=["live"])


_STREAM = needs(Role.VIEWER, 503)
_STREAM["responses"][200] = {
    "content": {"text/event-stream": {}},
    "description": "Server-Sent Events: `hello` with everything; `tiles` with what changed;"
    " `faults` with the whole list when it changed; `beat` if nothing did for 2 s",
}


@router.get("/equipment", **needs(Role.VIEWER))
async def equipment(web: Web) -> list[Tile]:
    """Every equipment as the board shows it, in the order of the configuration."""
    await tile_figures.at_hand(web)
    return list((await web.board.picture()).tiles.values())


@router.get("/faults", tags=["faults"], **needs(Role.VIEWER))
async def faults(web: Web) -> list[FaultItem]:
    """The active faults, and those that cleared before anybody acknowledged them.

    Shelved ones last; unacknowledged ones first, then by priority, then the oldest.
    """
    return list((await web.board.picture()).faults)


@router.get("/stream", response_class=StreamingResponse, **_STREAM)
async def stream(web: Web, me: Me, topics: Topics = "tiles,faults") -> StreamingResponse:
    """Live facts as Server-Sent Events; a reconnect begins with `hello` again.

    It ends within seconds of the session or token it was opened with. At most 60 for one caller.
    """
    return seated(web, me.name, web.streams.stream(wanted(topics), me))
