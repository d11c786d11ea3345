"""The displays, for administrators: which there are, pairing one, how each shows the board."""

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.web.access import login, secret
from gateway.web.access.roles import Role
from gateway.web.api.asked import wrong
from gateway.web.api.bodies import Line, Strict
from gateway.web.api.guard import Me, Web, needs
from gateway.web.api.pairing import LooksView
from gateway.web.api.session import Language, Theme
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.store import displays
from gateway.web.store.audit import Deed, write
from gateway.web.store.database import Connection

router = APIRouter(prefix="/api/v1/displays", tags=["displays"])
MAX_LINES = 100
GUESSED = "(display)"
"""Stands for a name where somebody tries a code."""
Name = Annotated[Line, Field(max_length=40, examples=["hall 1 north"])]
Number = Annotated[int, Path(ge=1, lt=2**63)]
Lines = Annotated[
    list[Line], Field(max_length=MAX_LINES, examples=[["stamping/line-1"]], description="All: none")
]


class DisplayView(LooksView):
    """One display, without its secret."""

    id: int
    created_by: str
    created_at: str
    last_seen_at: str | None
    last_seen_from: str | None


class DisplayBody(Strict):
    """A new display: the code it shows, and how it is to show the board."""

    code: Annotated[str, Field(pattern=r"^[0-9]{3} ?[0-9]{3}$", examples=["204 518"])]
    name: Name
    theme: Theme = "tower"
    language: Language = "zh"
    lines: Lines = Field(default_factory=list)


class DisplayChange(Strict):
    """What is left out stays as it is. The television follows within seconds."""

    name: Name | None = None
    theme: Theme | None = None
    language: Language | None = None
    lines: Lines | None = None


@router.get("", **needs(Role.ADMIN))
async def everyone(web: Web) -> list[DisplayView]:
    """All displays, with when and from where they were last seen."""
    return [_view(one) for one in await web.store.run(displays.everyone)]


@router.post("", status_code=201, **needs(Role.ADMIN, 404, 409, 429))
async def add(body: DisplayBody, me: Me, web: Web) -> DisplayView:
    """Pair the television that shows `code`: it goes to the board by itself."""
    looks = displays.Looks(body.name, body.theme, body.language, _lines(web, body.lines))
    await login.patience(web, GUESSED, me.address, by=me.name, action="display_add")
    waiting = web.pairings.enter(body.code.replace(" ", ""))
    if waiting is None:
        detail = {"code": "unknown_code"}
        deed = Deed(me.name, me.address, "display_add", looks.name, accepted=False, detail=detail)
        await web.record(deed)
        raise Problem("unknown_code")
    web.throttle.succeeded(GUESSED, me.address)
    value, at = secret.new_secret(), web.now()
    told = {"theme": looks.theme, "language": looks.language, "lines": list(looks.lines)}
    told["from"] = waiting.address
    deed = Deed(me.name, me.address, "display_add", looks.name, detail=told)
    try:
        display = await web.change(
            deed,
            lambda connection: displays.add(connection, secret.digest(value), looks, me.name, at),
        )
        web.pairings.pair(waiting, value)
    except displays.DisplayExists:
        raise Problem("exists") from None
    finally:
        if waiting.secret is None:
            web.pairings.give_back(waiting)
    return _view(display)


@router.patch("/{number}", **needs(Role.ADMIN, 404, 409))
async def change(number: Number, body: DisplayChange, me: Me, web: Web) -> DisplayView:
    """Change the name of a display or how it shows the board."""
    told = body.model_dump(exclude_none=True)
    changed = dict(told)
    if body.lines is not None:
        changed["lines"] = _lines(web, body.lines)
    at = web.now()

    def work(connection: Connection) -> displays.Display:
        found = _must_be(displays.get(connection, number))
        displays.change(connection, number, replace(found.looks, **changed))
        deed = Deed(me.name, me.address, "display_change", found.looks.name, detail=told)
        write(connection, deed, at)
        return _must_be(displays.get(connection, number))

    try:
        return _view(await web.store.run(work))
    except displays.DisplayExists:
        raise Problem("exists") from None


@router.delete("/{number}", status_code=204, **needs(Role.ADMIN, 404))
async def remove(number: Number, me: Me, web: Web) -> None:
    """Revoke a display: its stream ends, and it shows a code again."""
    at = web.now()

    def work(connection: Connection) -> None:
        gone = _must_be(displays.get(connection, number))
        displays.remove(connection, number)
        write(connection, Deed(me.name, me.address, "display_remove", gone.looks.name), at)

    await web.store.run(work)


def _lines(web: Context, asked: list[str]) -> tuple[str, ...]:
    """Return the lines, each once. Raises Problem where the site has no such line."""
    known = {f"{config.area}/{config.line}" for config in web.site.equipment.values()}
    for line in asked:
        if line not in known:
            detail = {"zh": f"没有产线 {line}", "en": f"there is no line {line}"}
            raise wrong("lines", "unknown", detail)
    return tuple(dict.fromkeys(asked))


def _must_be(display: displays.Display | None) -> displays.Display:
    if display is None:
        raise Problem("not_found")
    return display


def _view(display: displays.Display) -> DisplayView:
    return DisplayView.model_validate(
        asdict(display.looks)
        | {
            "id": display.id,
            "created_by": display.created_by,
            "created_at": stamp(display.created_at),
            "last_seen_at": stamp_or_none(display.seen_at),
            "last_seen_from": display.seen_from,
        }
    )
