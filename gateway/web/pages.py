"""The screens: one page for every address a person may open, and its files.

Promises:

1. The pages hold no data: whoever may not see any gets them, and the API decides.
2. Files have the hash of their content in their name and may be kept for ever; the page
   that names them is asked for each time, so that an update shows at once.
3. A gateway whose screens were not built says so in the page.
"""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.web.language import choose

BUILT = Path(__file__).parent / "static" / "app"
ADDRESSES = (
    "/",
    "/eq/{equipment}",
    "/events",
    "/faults",
    "/faults/{tab}",
    "/health",
    "/qr",
    "/admin",
    "/admin/{tab}",
    "/login",
    "/setup",
    "/password",
    "/display",
    "/display/{tab}",
)
NOT_BUILT = (
    '<!doctype html><html lang="zh"><meta charset="utf-8"><title>millgate</title>'
    "<p>界面尚未构建：请执行 make install。</p>"
    "<p>The screens have not been built: run make install.</p></html>"
)


class _Files(StaticFiles):
    """Built files; those named after their content never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if path.startswith("assets/") and answer.status_code in {200, 304}:
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def add_pages(app: FastAPI) -> None:
    """Serve the screens from ``app``."""
    app.mount("/static/app", _Files(directory=BUILT, check_dir=False), name="screens")
    for address in ADDRESSES:
        app.add_route(address, _page)


async def _page(request: Request) -> HTMLResponse:
    language = choose(request.cookies.get("lang"), request.headers.get("accept-language"))
    return HTMLResponse(page(language), headers={"Vary": "Accept-Language, Cookie"})


def page(language: str, built: Path = BUILT) -> str:
    """Return the page in ``language``: what it loads does the rest."""
    index = built / "index.html"
    text = index.read_text(encoding="utf-8") if index.is_file() else NOT_BUILT
    return text.replace('<html lang="zh">', f'<html lang="{language}">', 1)
