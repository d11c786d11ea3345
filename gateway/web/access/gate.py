"""The gate before every route of the API: nobody passes who is not known.

1. Whatever lies under ``/api/`` needs a session or a token, also what does not exist; `PUBLIC`
   lists the few exceptions. What lies elsewhere holds no data: the pages and their files.
2. A token comes in the header and from nowhere else.
3. A session may not be used from another site: Origin and Sec-Fetch-Site are checked, and what
   changes something needs the session's own ``X-CSRF``.
4. Below `DISPLAYS` the cookie of a paired television counts and nothing else; anywhere else that
   cookie is nothing. A display changes nothing: it has no ``X-CSRF``.
5. What a role may is checked by the route: `gateway.web.api.guard`.
6. There are no WebSockets.
"""

from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.access import secret
from gateway.web.access.caller import COOKIE, DISPLAY_COOKIE, Caller
from gateway.web.access.roles import Role
from gateway.web.access.throttle import Throttle
from gateway.web.context import Context
from gateway.web.language import choose
from gateway.web.problems import Problem
from gateway.web.store import audit, displays, sessions, tokens

API = "/api/"
DISPLAYS = "/api/v1/display/"
PAIR = DISPLAYS + "pair"
PUBLIC = frozenset(
    [
        *(("POST", "/api/v1/login"), ("GET", "/api/v1/setup"), ("POST", "/api/v1/setup")),
        ("POST", PAIR),
    ]
)
"""All that is answered without credentials."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WITH_OLD_PASSWORD = frozenset(["/api/v1/session", "/api/v1/session/password", "/api/v1/logout"])
"""What somebody may do who must change the password first."""
ASKING = ("GET", "/api/v1/session")
"""A page asks so again and again whether its session still lasts: that is no use of it."""
MAX_BODY = 256 * 1024
UPLOADS = frozenset({"/api/v1/restore"})
MAX_UPLOAD = 4 * 1024**2
STRANGER = "(stranger)"
"""Stands for a name in the audit trail where nobody is logged in."""
_FOREIGN = "cross_origin"
_SAME_SITE = frozenset({"same-origin", "none"})


class Gate:
    """ASGI; puts the `Caller` into the request's state."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        self._strangers = Throttle(context.throttle.mono_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            scope.setdefault("state", {})["caller"] = await self._admit(request)
        except Problem as problem:
            await problem.response(language_of(request))(scope, receive, send)
            return
        await self._app(scope, _bounded(receive, _most(request)), send)

    async def _admit(self, request: Request) -> Caller | None:
        if int(request.headers.get("content-length") or 0) > _most(request):
            raise Problem("too_large", headers={"Connection": "close"})
        changes = request.method not in SAFE
        public = (request.method, request.url.path) in PUBLIC
        if public:
            if changes and not _is_ours(request):
                await self._refuse_stranger(request)
            return None
        caller = await self._known(request)
        if caller is None:
            raise Problem("not_logged_in", headers={"WWW-Authenticate": "Bearer"})
        if caller.comes_by_cookie:
            wrong = _misused(request, caller, changes=changes)
            if wrong is not None:
                await refused(self._context, caller, request, wrong)
                raise Problem(wrong)
        if caller.must_change and request.url.path not in WITH_OLD_PASSWORD:
            raise Problem("password_must_change")
        return caller

    async def _refuse_stranger(self, request: Request) -> NoReturn:
        """Refuse another site; its pages may ask without end, so that only the first are noted."""
        address = address_of(request)
        if self._strangers.begin(STRANGER, address) <= 0:
            await refused(self._context, Caller(STRANGER, Role.VIEWER, address), request, _FOREIGN)
        raise Problem(_FOREIGN)

    async def _known(self, request: Request) -> Caller | None:
        of_display = request.url.path.startswith(DISPLAYS)
        header = request.headers.get("authorization")
        if header is not None:
            return None if of_display else await self._program(request, header)
        cookie = request.cookies.get(DISPLAY_COOKIE if of_display else COOKIE)
        if not cookie:
            return None
        find = self._display if of_display else self._person
        return await find(request, secret.digest(cookie))

    async def _program(self, request: Request, header: str) -> Caller | None:
        kind, _, value = header.partition(" ")
        if kind.lower() != "bearer" or not value.startswith(secret.TOKEN_PREFIX):
            return None
        hash_, address, at = secret.digest(value), address_of(request), self._context.now()
        token = await self._context.store.look(
            lambda connection: tokens.find(connection, hash_, address, at)
        )
        if token is None:
            return None
        return Caller(f"token:{token.name}", token.role, address, token=hash_)

    async def _person(self, request: Request, hash_: bytes) -> Caller | None:
        at = self._context.now()
        used = (request.method, request.url.path) != ASKING
        found = await self._context.store.look(
            lambda connection: sessions.find(connection, hash_, at, used=used)
        )
        if found is None:
            return None
        return Caller(
            name=found.user,
            role=found.role,
            address=address_of(request),
            csrf=found.csrf,
            session=hash_,
            language=found.language,
            theme=found.theme,
            must_change=found.must_change,
        )

    async def _display(self, request: Request, hash_: bytes) -> Caller | None:
        address = address_of(request)
        found = await in_force(self._context, hash_, address)
        if found is None:
            return None
        looks = found.looks
        return Caller(
            name=f"display:{looks.name}",
            role=Role.VIEWER,
            address=address,
            language=looks.language,
            display=hash_,
        )


async def in_force(context: Context, hash_: bytes, address: str) -> displays.Display | None:
    """Return a display that is not revoked, as it is now."""
    at = context.now()
    return await context.store.look(
        lambda connection: displays.find(connection, hash_, address, at)
    )


async def refused(context: Context, caller: Caller, request: Request, why: str) -> None:
    """Write down that somebody tried what he may not."""
    deed = audit.Deed(
        caller.name,
        caller.address,
        "refused",
        f"{request.method} {request.url.path}"[:200],
        accepted=False,
        detail={"code": why},
    )
    await context.record(deed)


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client is not None else ""


def language_of(request: Request) -> str:
    """Return the language of who asks: the user's, the page's, the browser's."""
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    chosen = None if caller is None else caller.language
    return choose(chosen or request.cookies.get("lang"), request.headers.get("accept-language"))


def _most(request: Request) -> int:
    return MAX_UPLOAD if request.url.path in UPLOADS else MAX_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    """Return ``receive`` with an end to what may come."""
    came = 0

    async def bounded() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return bounded


def _misused(request: Request, caller: Caller, *, changes: bool) -> str | None:
    """Return why a session may not be used for this request, None if it may."""
    if not _is_ours(request):
        return _FOREIGN
    given = request.headers.get("x-csrf", "")
    if changes and (caller.csrf is None or not secret.same(given, caller.csrf)):
        return "csrf"
    return None


def _is_ours(request: Request) -> bool:
    """Whether a browser says that one of our own pages asks; a program says nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _SAME_SITE:
        return False
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:  # no address at all
        return False
