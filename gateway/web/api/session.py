"""Logging in and out, the first set-up, and what a person keeps about the screens."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from gateway.domain.vocabulary import ReasonCategory
from gateway.web.access import login, passwords
from gateway.web.access.caller import COOKIE, Caller
from gateway.web.access.gate import address_of, refused
from gateway.web.access.roles import Role
from gateway.web.api.bodies import Strict, printable
from gateway.web.api.guard import Me, Web, needs, public
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.store import audit, sessions, users

router = APIRouter(prefix="/api/v1", tags=["session"])
Language = Literal["zh", "en"]
Theme = Literal["calm", "tower", "dark"]
NAME = r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff._@-]{0,39}"


UserName = Annotated[str, Field(pattern=f"^{NAME}$", examples=["zhang.wei"])]
Password = Annotated[
    str,
    Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH),
    AfterValidator(printable),
]


class LoginBody(Strict):
    """Who, and the password."""

    name: str = Field(max_length=64)
    password: str = Field(max_length=passwords.MAX_LENGTH)


class SetupBody(Strict):
    """The code from the terminal or the log of the service, and the first administrator."""

    code: str = Field(max_length=64)
    name: UserName
    password: Password


class SetupState(BaseModel):
    """Whether the first administrator has to be created."""

    needed: bool


class SiteView(BaseModel):
    """Whose gateway it is; times are shown in `timezone`."""

    site: str
    gateway: str
    timezone: str


class OfferedReason(BaseModel):
    """A reason of a stop, as the site words it."""

    code: str
    category: ReasonCategory
    text: dict[str, str]
    planned: bool


class SessionView(BaseModel):
    """Who is logged in. `csrf` goes into the header `X-CSRF` of whatever is not a GET.

    `quick_comments` and `stop_reasons` are what this site offers to choose from; empty: the usual.
    """

    user: str
    role: Role
    language: Language | None
    theme: Theme | None
    csrf: str | None
    must_change_password: bool
    site: SiteView
    contact: str | None
    """Whom to ask for a role."""
    quick_comments: list[dict[str, str]]
    stop_reasons: list[OfferedReason]
    ack_comment_for: list[ReasonCategory]
    """Acknowledging faults of these categories takes a comment."""


class PreferenceBody(Strict):
    """What is left out stays as it is."""

    language: Language | None = None
    theme: Theme | None = None


class PasswordBody(Strict):
    """The password in force, and the new one."""

    old: str = Field(max_length=passwords.MAX_LENGTH)
    new: Password


@router.get("/setup", **public())
async def setup_state(web: Web) -> SetupState:
    """Whether the first administrator has to be created."""
    return SetupState(needed=not await login.has_admin(web))


@router.post("/setup", **public(403, 409, 429))
async def setup(body: SetupBody, request: Request, response: Response, web: Web) -> SessionView:
    """Create the first administrator with the code that was printed at the start, and log in."""
    opened = await login.with_code(web, body.code, body.name, body.password, address_of(request))
    return _logged_in(web, opened, response)


@router.post("/login", **public(401, 403, 429))
async def log_in(body: LoginBody, request: Request, response: Response, web: Web) -> SessionView:
    """Log in; the answer sets the cookie `mg_session`. Programs use tokens instead."""
    opened = await login.with_password(web, body.name, body.password, address_of(request))
    return _logged_in(web, opened, response)


@router.post("/logout", status_code=204, **needs(Role.VIEWER))
async def log_out(me: Me, response: Response, web: Web) -> None:
    """End this session."""
    deed = audit.Deed(me.name, me.address, "logout")
    await web.change(deed, lambda connection: sessions.end(connection, me.session))
    response.delete_cookie(COOKIE, path="/")


@router.get("/session", **needs(Role.VIEWER))
async def session(me: Me, web: Web) -> SessionView:
    """Who is logged in; for a token, what it may."""
    return view(web, me)


@router.patch("/session", **needs(Role.VIEWER))
async def prefer(body: PreferenceBody, me: Me, web: Web, request: Request) -> SessionView:
    """Keep the language and the theme of a person."""
    await _person(me, web, request)
    language, theme = body.language or me.language, body.theme or me.theme
    await web.store.run(
        lambda connection: users.prefer(connection, me.name, language=language, theme=theme)
    )
    shown = view(web, me)
    return shown.model_copy(update={"language": language, "theme": theme})


@router.post("/session/password", **needs(Role.VIEWER, 429))
async def change_password(
    body: PasswordBody, me: Me, request: Request, response: Response, web: Web
) -> SessionView:
    """Change one's own password; all sessions of the user end, a new one begins."""
    await _person(me, web, request)
    await login.patience(web, me.name.casefold(), me.address)
    user = await web.store.run(lambda connection: users.find(connection, me.name))
    if user is None or not await login.matches(web, user.password, body.old):
        await web.record(audit.Deed(me.name, me.address, "password", accepted=False))
        raise Problem("wrong_password")
    web.throttle.succeeded(me.name.casefold(), me.address)
    stored = await login.hashed(web, body.new)
    await web.change(
        audit.Deed(me.name, me.address, "password", me.name),
        lambda connection: users.set_password(connection, me.name, stored, must_change=False),
    )
    return _logged_in(web, await login.begin(web, me.name, me.address), response)


def view(web: Context, me: Caller) -> SessionView:
    """Return a caller as the screens know him."""
    gateway = web.site.gateway
    return SessionView.model_validate(
        {
            "user": me.name,
            "role": me.role,
            "language": me.language,
            "theme": me.theme,
            "csrf": me.csrf,
            "must_change_password": me.must_change,
            "site": {
                "site": gateway.site,
                "gateway": gateway.gateway,
                "timezone": gateway.timezone,
            },
            "contact": gateway.web.contact,
            "quick_comments": gateway.web.quick_comments,
            "ack_comment_for": gateway.web.ack_comment_for,
            "stop_reasons": [reason.model_dump() for reason in gateway.web.stop_reasons],
        }
    )


def set_cookie(web: Context, opened: login.Opened, response: Response) -> None:
    """Give the browser the session; no script can read it."""
    response.set_cookie(
        COOKIE,
        opened.secret,
        max_age=int(sessions.lasts(opened.caller.role).total_seconds()),
        path="/",
        secure=web.secure,
        httponly=True,
        samesite="lax",
    )


def _logged_in(web: Context, opened: login.Opened, response: Response) -> SessionView:
    set_cookie(web, opened, response)
    return view(web, opened.caller)


async def _person(me: Caller, web: Context, request: Request) -> None:
    if not me.is_person:
        await refused(web, me, request, "forbidden")
        raise Problem("forbidden")
