"""The board's web application: its pages, the stream and a small API, read only.

Promises:

1. Nothing is loaded from another host, and the browser is told to refuse it.
2. Only requests addressed to this machine are answered, so that no page elsewhere can
   read the board through somebody's browser (DNS rebinding).
3. There is no operation that changes anything.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain.vocabulary import Json, stamp
from gateway.journal.row import Row
from gateway.web.board import Tile
from gateway.web.live import Board
from gateway.web.pages import add_pages
from gateway.web.source import BoardSource, SourceUnavailable

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_EVENTS = 1000
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SafetyHeaders:
    """Adds HEADERS to every answer; a copy must be checked unless the answer says more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)


@dataclass(frozen=True, slots=True)
class Overview:
    """How the whole gateway is."""

    now: str
    collector: dict[str, str | bool | None]
    """{"alive", "at": its last sign of life if it is silent, "problem"}"""
    epoch: str
    head_seq: int
    equipment: int
    states: dict[str, int]
    """state -> equipment in it"""
    links: dict[str, int]
    """link state -> links in it"""


def create_app(source: BoardSource, *, board: Board | None = None) -> FastAPI:
    """Return the application; its owner, as a rule `serve`, closes ``app.state.board``."""
    board = Board(source) if board is None else board
    app = FastAPI(
        title="millgate", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.board = board
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)
    app.add_middleware(SafetyHeaders)
    add_pages(app)
    _add_live(app, board)
    _add_events(app, board)
    return app


def _add_live(app: FastAPI, board: Board) -> None:
    @app.get("/api/v1/equipment")
    async def equipment() -> list[Tile]:
        """Every equipment as the board shows it, in the order of the configuration."""
        return list((await board.picture()).tiles.values())

    @app.get("/api/v1/health")
    async def health() -> Overview:
        """How the gateway is: the collector's sign of life, states and links counted."""
        picture = await board.picture()
        tiles = picture.tiles.values()
        return Overview(
            now=stamp(board.now()),
            collector=dict(picture.collector),
            epoch=picture.epoch,
            head_seq=picture.head_seq,
            equipment=len(tiles),
            states=Counter(tile.state.value for tile in tiles),
            links=Counter(link.state for tile in tiles for link in tile.links),
        )

    @app.get(
        "/api/v1/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Live tiles"}},
    )
    async def stream() -> StreamingResponse:
        """`hello` with everything, then `tiles` with what changed, or a `beat`."""
        return StreamingResponse(
            board.stream(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _add_events(app: FastAPI, board: Board) -> None:
    @app.get("/api/v1/events", responses={503: {"description": "The journal cannot be read now"}})
    async def events(
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 100,
    ) -> Response:
        """The journal's events with a seq above `after`, oldest first.

        Ask again with `after` = `next` for more; fewer than `limit` means there is no more.
        """
        try:
            rows = await board.rows(after, limit)
        except SourceUnavailable as err:
            return _json({"detail": str(err)}, status=503)
        return _json(
            {
                "events": [_event(row) for row in rows],
                "next": rows[-1].seq if rows else after,
            }
        )


def _event(row: Row) -> Json:
    return {
        "id": f"{row.epoch}-{row.seq}",
        "seq": row.seq,
        "equipment": row.equipment,
        "type": row.type,
        "part": row.part,
        "streamseq": row.streamseq,
        "local": row.local,
        "time": _stamp_ms(row.time_ms),
        "recordedtime": _stamp_ms(row.recorded_ms),
        "data": orjson.Fragment(row.data),
    }


def _stamp_ms(time_ms: int) -> str:
    return stamp(EPOCH + timedelta(milliseconds=time_ms))


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
