"""The OpenAPI document of this very program."""

from typing import Any

from fastapi import APIRouter, Request

from gateway.web.access.roles import Role
from gateway.web.api.guard import needs
from gateway.web.openapi import document

router = APIRouter(prefix="/api/v1", tags=["document"])


@router.get("/openapi.json", **needs(Role.VIEWER))
async def openapi(request: Request) -> dict[str, Any]:
    """What describes this API, to generate clients from."""
    return document(request.app)
