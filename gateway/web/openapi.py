"""The OpenAPI document: what a MES developer reads first."""

from typing import Any

from fastapi import FastAPI

from gateway.web.api.guard import ProblemBody

_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, made under `/api/v1/tokens`. Never in a query string.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mg_session",
        "description": "For the pages; what changes something needs the header `X-CSRF` too.",
    },
    "display": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mg_display",
        "description": "Of a television that was paired; `POST /api/v1/display/pair` sets it.",
    },
}
DESCRIPTION = """\
What a millgate gateway knows: equipment, states, counts, faults, orders and figures, live and as
far back as its journal reaches. Programs log in with a token: `Authorization: Bearer mgt_...`.

Times are RFC 3339 in UTC; durations are milliseconds where the name ends in `_ms`, seconds in `_s`.
Errors are `application/problem+json` (RFC 9457) with a `code` that does not change. `x-role` says
which role an operation needs: viewer, maintenance, engineer, admin, each with all that the ones
before it may; `display` is for paired televisions only. What is `null` is not known; where a
figure is `null`, it says why.
"""


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with how to log in and what a problem looks like."""
    if app.openapi_schema is None:
        found = app.openapi()
        parts = found.setdefault("components", {})
        parts.setdefault("schemas", {})["ProblemBody"] = ProblemBody.model_json_schema()
        parts["securitySchemes"] = _SECURITY
        found["security"] = [{"token": []}, {"session": []}]
    return app.openapi()
