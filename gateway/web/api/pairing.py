"""What a television asks: to become a display, and then the stream of the board. Nothing else."""

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from gateway.web.access import secret
from gateway.web.access.caller import DISPLAY_COOKIE, Caller
from gateway.web.access.gate import DISPLAYS, PAIR, address_of, in_force
from gateway.web.access.pairing import LASTS_S, TooManyWait, Waiting
from gateway.web.api.guard import Me, Web, for_displays, public
from gateway.web.api.session import Language, Theme
from gateway.web.api.streams import Topics, seated, wanted
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.seats import MAX_OF_DISPLAY
from gateway.web.store import displays
from gateway.web.store.audit import Deed

router = APIRouter(tags=["displays"])
TICKET_COOKIE = "mg_pairing"
_STREAM = for_displays(503)
_STREAM["responses"][200] = {
    "content": {"text/event-stream": {}},
    "description": "Server-Sent Events as of `/api/v1/stream`, and `display`: a `LooksView`",
}


class LooksView(BaseModel):
    """How a display shows the board; no `lines` are all of them, each is `area/line`."""

    name: str
    theme: Theme
    language: Language
    lines: list[str]


class PairingView(BaseModel):
    """The code to be entered by an administrator; or how to show the board, if one did."""

    code: str | None
    expires_in_s: int | None
    """After that ask again, for another code."""
    display: LooksView | None


@router.post(PAIR, **public(403, 503))
async def pair(request: Request, response: Response, web: Web) -> PairingView:
    """What a television asks that is to become a display, again and again until it is one.

    Once an administrator has entered the code, the answer sets the cookie `mg_display`.
    """
    cookie, address = request.cookies.get(DISPLAY_COOKIE), address_of(request)
    known = await in_force(web, secret.digest(cookie), address) if cookie else None
    if cookie and known is not None:
        return _paired(web, cookie, known, response)
    ticket = request.cookies.get(TICKET_COOKIE) or ""
    waiting = web.pairings.find(ticket)
    if waiting is not None and waiting.secret is not None:
        display = await _collected(web, waiting, waiting.secret, address)
        if display is not None:
            return _paired(web, waiting.secret, display, response)
        web.pairings.forget(ticket)  # revoked meanwhile
        waiting = None
    if waiting is None:
        waiting = _begun(web, address, response)
    left_s = math.ceil(web.pairings.left_s(waiting))
    return PairingView(code=waiting.code, expires_in_s=left_s, display=None)


@router.get(f"{DISPLAYS}stream", response_class=StreamingResponse, **_STREAM)
async def stream(web: Web, me: Me, topics: Topics = "tiles,faults") -> StreamingResponse:
    """The live stream for a display, with `display` when how it is to show the board changed.

    It ends within seconds of being revoked.
    """
    messages = _along(web, me, web.streams.stream(wanted(topics)))
    return seated(web, me.name, messages, MAX_OF_DISPLAY)


async def _along(
    web: Context, me: Caller, messages: AsyncGenerator[bytes, None]
) -> AsyncIterator[bytes]:
    """Tell one display how it is to look, along with the board, until it is revoked."""
    asked_s, told, looks = -math.inf, None, None
    async with aclosing(messages):
        async for message in messages:
            if web.board.mono_s() - asked_s >= web.beat_s:
                asked_s = web.board.mono_s()
                found = await in_force(web, me.display, me.address)
                if found is None:
                    return
                looks = found.looks
            yield message
            if looks is not None and looks != told:
                told = looks
                yield b"event: display\ndata: %b\n\n" % orjson.dumps(asdict(looks))


def _begun(web: Context, address: str, response: Response) -> Waiting:
    try:
        ticket, waiting = web.pairings.begin(address)
    except TooManyWait:
        raise Problem("busy", headers={"Retry-After": "10"}) from None
    _set_cookie(web, response, TICKET_COOKIE, ticket, LASTS_S)
    return waiting


async def _collected(
    web: Context, waiting: Waiting, value: str, address: str
) -> displays.Display | None:
    """Return what a television became that was paired since it last asked."""
    display = await in_force(web, secret.digest(value), address)
    if display is not None and not waiting.told:
        await web.record(Deed(f"display:{display.looks.name}", address, "login"))
        waiting.told = True
    return display


def _paired(web: Context, value: str, display: displays.Display, response: Response) -> PairingView:
    """Give the television its secret, for as long as a browser may keep it from now on."""
    _set_cookie(web, response, DISPLAY_COOKIE, value, displays.UNUSED.total_seconds())
    looks = LooksView.model_validate(asdict(display.looks))
    return PairingView(code=None, expires_in_s=None, display=looks)


def _set_cookie(web: Context, response: Response, name: str, value: str, lasts_s: float) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lasts_s),
        path=DISPLAYS.rstrip("/"),
        secure=web.secure,
        httponly=True,
        samesite="strict",
    )
