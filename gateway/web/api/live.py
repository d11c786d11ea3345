"""What is now: equipment, faults, and the stream that keeps a page up to date."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.web import tile_figures
from gateway.web.access.gate import still_in_force
from gateway.web.access.roles import Role
from gateway.web.api.asked import wrong
from gateway.web.api.guard import Me, Web, needs
from gateway.web.board import Tile
from gateway.web.fault_list import FaultItem
from gateway.web.live import TOPICS
from gateway.web.problems import Problem
from gateway.web.seats import Seats

router = APIRouter(prefix="/api/v1", tags=["live"])


class _Seated(StreamingResponse):
    """Gives its place back when it is over, however it ends."""

    def __init__(
        self, seats: Seats, name: str, messages: AsyncIterator[bytes], **more: Any
    ) -> None:
        super().__init__(messages, **more)
        self._seats, self._name = seats, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.leave(self._name)


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
async def stream(
    web: Web,
    me: Me,
    topics: Annotated[
        str, Query(description="`tiles`, `faults` or both", examples=["tiles,faults"])
    ] = "tiles,faults",
) -> StreamingResponse:
    """Live facts as Server-Sent Events; a reconnect begins with `hello` again.

    It ends within seconds of the session or token it was opened with. At most 60 for one caller.
    """
    wanted = frozenset(topics.split(","))
    if not wanted or not wanted <= TOPICS:
        known = ", ".join(sorted(TOPICS))
        raise wrong("topics", "unknown", {"zh": f"只能是 {known}", "en": f"only {known}"})
    tile_figures.forget_what_is_old(web)
    if not web.board.seats.take(me.name):
        raise Problem("busy", headers={"Retry-After": "10"})
    return _Seated(
        web.board.seats,
        me.name,
        web.board.stream(wanted, partial(still_in_force, web, me)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
