"""The web application: the pages, the API, and what stands before them.

Promises:

1. Nothing is loaded from another host, and the browser is told to refuse it.
2. Only requests addressed to this gateway are answered, so that no page elsewhere can
   use it through somebody's browser (DNS rebinding).
3. Without a session or a token nothing of the API answers but log-in, set-up and a television
   that asks to be paired; every route names the role it needs, and the application does not start
   with one that names none.
4. Whatever goes wrong is answered as RFC 9457 says, also a mistake of ours.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.access.gate import DISPLAYS, PUBLIC, SAFE, Gate, language_of
from gateway.web.access.hosts import HostCheck
from gateway.web.access.secret import new_code
from gateway.web.api import ROUTERS
from gateway.web.api.guard import enforce, is_for_displays, operations, role_of
from gateway.web.context import Context
from gateway.web.entry import add_entry
from gateway.web.openapi import DESCRIPTION
from gateway.web.pages import add_pages, page
from gateway.web.problems import Problem, of_status
from gateway.web.store.database import NoRoom

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ZIP_FROM = 1024
_log = logging.getLogger(__name__)


class Outermost:
    """Adds HEADERS to every answer; turns what nobody expected into a problem with a number."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                api = scope["path"].startswith("/api/")
                headers.setdefault("Cache-Control", "no-store" if api else "no-cache")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except NoRoom as err:
            _log.warning("nothing can be kept", extra={"error": str(err), "path": scope["path"]})
            if started:
                raise
            answer = Problem("no_room").response(language_of(Request(scope)))
            await answer(scope, receive, send_with_headers)
        except Exception:  # the last place: the caller gets a number, the log gets the rest
            number = new_code()[:9]
            _log.exception("request failed", extra={"request": number, "path": scope["path"]})
            if started:
                raise
            problem = Problem("internal", request=number)
            answer = problem.response(language_of(Request(scope)))
            await answer(scope, receive, send_with_headers)


def create_app(context: Context) -> FastAPI:
    """Return the application; the owner of ``context`` closes what is in it."""
    app = FastAPI(
        title="millgate",
        version=context.version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(enforce)],
        redirect_slashes=False,
        exception_handlers={
            Problem: _on_problem,
            RequestValidationError: _on_invalid,
            HTTPException: _on_status,
        },
    )
    app.state.web = context
    for router in ROUTERS:
        app.include_router(router)
    _check_roles(app)
    add_pages(app)
    add_entry(app, context)
    app.add_middleware(Gate, context=context)
    app.add_middleware(GZipMiddleware, minimum_size=ZIP_FROM, compresslevel=5)
    app.add_middleware(HostCheck, names=context.hosts, any_address=context.any_address)
    app.add_middleware(Outermost)
    return app


def _check_roles(app: FastAPI) -> None:
    """Fail at the start where a route says nothing about who may use it."""
    for method, route in operations(app.routes):
        if is_for_displays(route):
            if method not in SAFE or not route.path.startswith(DISPLAYS):
                msg = f"{method} {route.path}: a display only looks, and below {DISPLAYS}"
                raise RuntimeError(msg)
        elif (role_of(route) is None) != ((method, route.path) in PUBLIC):
            msg = f"{method} {route.path}: say which role it needs, or list it in PUBLIC"
            raise RuntimeError(msg)


async def _on_problem(request: Request, problem: Problem) -> Response:
    return problem.response(language_of(request))


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [_field(one) for one in error.errors()]
    return Problem("invalid", errors=errors).response(language_of(request))


def _field(error: Mapping[str, Any]) -> dict[str, Any]:
    where = [str(part) for part in error["loc"] if part not in {"body", "query", "path", "header"}]
    return {"field": ".".join(where), "code": error["type"], "detail": error["msg"]}


async def _on_status(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND and not request.url.path.startswith("/api/"):
        return HTMLResponse(page(language_of(request)), status_code=HTTPStatus.NOT_FOUND)
    problem = of_status(error.status_code, str(error.detail))
    problem.headers = error.headers
    return problem.response(language_of(request))
