"""The door of a demo: a link that logs in, for as long as the demo runs."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from gateway.web.access import login, secret
from gateway.web.access.gate import address_of
from gateway.web.api.session import set_cookie
from gateway.web.context import Context
from gateway.web.problems import Problem


def add_entry(app: FastAPI, context: Context) -> None:
    """Add the door; it opens nothing unless ``context.entry`` says so."""

    async def enter(request: Request) -> Response:
        entry, code = context.entry, request.path_params["code"]
        if entry is None or not secret.same(code, entry.code):
            raise Problem("not_found")
        opened = await login.begin(context, entry.user, address_of(request))
        answer = RedirectResponse("/", status_code=303, headers={"Cache-Control": "no-store"})
        set_cookie(context, opened, answer)
        return answer

    app.add_route("/enter/{code}", enter)
