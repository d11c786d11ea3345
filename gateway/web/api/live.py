"""What is now: equipment, faults, and the stream that keeps a page up to date."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from gateway.web.access.roles import Role
from gateway.web.api.asked import wrong
from gateway.web.api.guard import Web, needs
from gateway.web.board import Tile
from gateway.web.fault_list import FaultItem
from gateway.web.live import TOPICS
from gateway.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["live"])
MAX_STREAMS = 100
_STREAM = needs(Role.VIEWER, 503)
_STREAM["responses"][200] = {
    "content": {"text/event-stream": {}},
    "description": "Server-Sent Events: `hello` with everything; `tiles` with what changed;"
    " `faults` with the whole list when it changed; `beat` if nothing did for 2 s",
}


@router.get("/equipment", **needs(Role.VIEWER))
async def equipment(web: Web) -> list[Tile]:
    """Every equipment as the board shows it, in the order of the configuration."""
    return list((await web.board.picture()).tiles.values())


@router.get("/faults", tags=["faults"], **needs(Role.VIEWER))
async def faults(web: Web) -> list[FaultItem]:
    """The active faults, and those that cleared before anybody acknowledged them.

    Shelved ones last; unacknowledged ones first, then by priority, then the oldest.
    """
    return list((await web.board.picture()).faults)


@router.get("/stream", response_class=StreamingResponse, **_STREAM)
async def stream(
    web: Web,
    topics: Annotated[
        str, Query(description="`tiles`, `faults` or both", examples=["tiles,faults"])
    ] = "tiles,faults",
) -> StreamingResponse:
    """Live facts as Server-Sent Events; a reconnect begins with `hello` again."""
    wanted = frozenset(topics.split(","))
    if not wanted or not wanted <= TOPICS:
        known = ", ".join(sorted(TOPICS))
        raise wrong("topics", "unknown", {"zh": f"只能是 {known}", "en": f"only {known}"})
    if web.board.lookers >= MAX_STREAMS:
        raise Problem("busy", headers={"Retry-After": "10"})
    return StreamingResponse(
        web.board.stream(wanted),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
