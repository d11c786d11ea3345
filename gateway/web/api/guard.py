"""What a route needs: a role, written beside it; a route that names none is closed to all."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import BaseRoute

from gateway.web.access.caller import Caller
from gateway.web.access.gate import PUBLIC, refused
from gateway.web.access.roles import Role
from gateway.web.context import Context
from gateway.web.problems import MEDIA_TYPE, Problem

ROLE = "x-role"
"""Stands in the OpenAPI document too."""
DISPLAY = "display"
"""Stands there instead of a role: paired televisions, and nobody else."""


class ProblemBody(BaseModel):
    """RFC 9457; `code` never changes, `title` and `detail` are in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[dict[str, Any]] | None = None
    role_needed: Role | None = None
    """With `forbidden`."""
    contact: str | None = None
    """With `forbidden`: whom to ask."""
    retry_after_s: int | None = None
    """With `too_many_attempts`."""


def _described(*codes: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    words = {
        400: "Not understood",
        401: "No session, no token, or one that is over",
        403: "The role may not, or the request came from another site",
        404: "There is no such thing",
        408: "The request did not arrive in time",
        409: "It cannot be done now",
        413: "Too large",
        422: "The input is not valid; `errors` names the fields",
        429: "Too many attempts; `Retry-After` says how long to wait",
        503: "The collector, the history or the service is not available now",
    }
    return {code: {"description": words[code], "content": content} for code in codes}


def needs(role: Role, *more: int) -> dict[str, Any]:
    """Return what a route's decorator is given: the role, and what else it may answer."""
    return {
        "openapi_extra": {ROLE: role.value},
        "responses": _described(400, 401, 403, 422, *more),
    }


def for_displays(*more: int) -> dict[str, Any]:
    """Return what the decorator of a route is given that only paired televisions may use."""
    return {
        "openapi_extra": {ROLE: DISPLAY, "security": [{DISPLAY: []}]},
        "responses": _described(400, 401, 403, 422, *more),
    }


def public(*more: int) -> dict[str, Any]:
    """Return what the decorator of a route is given that stands in `PUBLIC`."""
    return {"openapi_extra": {ROLE: None, "security": []}, "responses": _described(400, 422, *more)}


def role_of(route: APIRoute) -> Role | None:
    """Return the role a route needs; None where it names none."""
    named = (route.openapi_extra or {}).get(ROLE)
    return None if named in {None, DISPLAY} else Role(named)


def is_for_displays(route: APIRoute) -> bool:
    """Whether paired televisions may use a route, and nobody else."""
    return (route.openapi_extra or {}).get(ROLE) == DISPLAY


def operations(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, APIRoute]]:
    """Yield (method, route) of every route of the API, also in routers that were included."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            yield from ((method, route) for method in sorted(route.methods or ()))
        elif included is not None:
            yield from operations(included.routes)


async def enforce(request: Request) -> None:
    """Let only those through whose role suffices; the application's every route depends on it."""
    route = request.scope.get("route")
    if (request.method, request.url.path) in PUBLIC:
        return
    caller: Caller | None = request.scope["state"].get("caller")
    if caller is None:
        raise Problem("not_logged_in")
    needed = role_of(route) if isinstance(route, APIRoute) else None
    if caller.is_display:
        may = isinstance(route, APIRoute) and is_for_displays(route)
    else:
        may = needed is not None and caller.role.includes(needed)
    if not may:
        await refused(request.app.state.web, caller, request, "forbidden")
        contact = request.app.state.web.site.gateway.web.contact
        role = None if needed is None else needed.value
        raise Problem("forbidden", role_needed=role, contact=contact)


def _context(request: Request) -> Context:
    context: Context = request.app.state.web
    return context


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


Web = Annotated[Context, Depends(_context)]
Me = Annotated[Caller, Depends(_caller)]
