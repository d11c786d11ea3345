"""Who did what: for administrators, also as a table for a spreadsheet."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from gateway.domain.vocabulary import stamp
from gateway.web.access.roles import Role
from gateway.web.api.guard import Web, needs
from gateway.web.api.tables import csv_stream, table
from gateway.web.context import Context
from gateway.web.store import audit
from gateway.web.store.audit import AuditRow

router = APIRouter(prefix="/api/v1", tags=["audit"])
MAX_ROWS = 1000
Who = Annotated[str | None, Query(max_length=80)]
Action = Annotated[str | None, Query(max_length=40)]


class AuditView(BaseModel):
    """One deed, or an attempt: `accepted` false."""

    id: int
    at: str
    who: str
    address: str
    action: str
    target: str
    accepted: bool
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Newest first; ask again with `before` = `next` for older ones."""

    entries: list[AuditView]
    next: int | None


@router.get("/audit", **needs(Role.ADMIN))
async def trail(
    web: Web,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    who: Who = None,
    action: Action = None,
) -> AuditPage:
    """The audit trail."""
    rows = await _read(web, before, limit, who, action)
    return AuditPage(
        entries=[AuditView(**_told(row)) for row in rows],
        next=rows[-1].id if len(rows) == limit else None,
    )


@router.get("/audit.csv", **table(Role.ADMIN))
async def trail_table(web: Web, who: Who = None, action: Action = None) -> Response:
    """The audit trail as CSV, newest first, all of it."""

    async def parts() -> AsyncIterator[Iterator[list[object]]]:
        before: int | None = None
        while rows := await _read(web, before, MAX_ROWS, who, action):
            yield _lines(rows)
            before = rows[-1].id

    return csv_stream("audit.csv", list(AuditView.model_fields), parts())


async def _read(
    web: Context, before: int | None, limit: int, who: str | None, action: str | None
) -> Sequence[AuditRow]:
    return await web.store.run(
        lambda connection: audit.read(
            connection, before=before, limit=limit, who=who, action=action
        )
    )


def _lines(rows: Sequence[AuditRow]) -> Iterator[list[object]]:
    for row in rows:
        told = _told(row)
        told["detail"] = orjson.dumps(row.detail).decode()
        yield list(told.values())


def _told(row: AuditRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": stamp(row.at),
        "who": row.who,
        "address": row.address,
        "action": row.action,
        "target": row.target,
        "accepted": row.accepted,
        "detail": row.detail,
    }
