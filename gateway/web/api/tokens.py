"""API tokens: for programs; an engineer makes his own, an administrator sees all."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.web.access import secret
from gateway.web.access.caller import Caller
from gateway.web.access.gate import refused
from gateway.web.access.roles import Role
from gateway.web.api.bodies import Line, Strict
from gateway.web.api.guard import Me, Web, needs
from gateway.web.problems import Problem
from gateway.web.store import tokens
from gateway.web.store.audit import Deed, write
from gateway.web.store.database import Connection

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])
DAYS = 90
MAX_DAYS = 3650


class TokenView(BaseModel):
    """One token, without its secret."""

    id: int
    name: str
    role: Role
    created_by: str
    created_at: str
    expires_at: str
    last_used_at: str | None
    last_used_from: str | None


class NewToken(TokenView):
    """With its secret, which is shown this once: `Authorization: Bearer <secret>`."""

    secret: str


class TokenBody(Strict):
    """A new token; its role is at most that of who makes it."""

    name: Line = Field(examples=["mes"])
    role: Role = Role.VIEWER
    days: int = Field(DAYS, ge=1, le=MAX_DAYS)


@router.get("", **needs(Role.ENGINEER))
async def everyone(me: Me, web: Web) -> list[TokenView]:
    """All tokens; those of one's own for who is no administrator."""
    mine = _mine(me)
    found = await web.store.run(lambda connection: tokens.everyone(connection, mine))
    return [TokenView.model_validate(_told(one)) for one in found]


@router.post("", status_code=201, **needs(Role.ENGINEER))
async def add(body: TokenBody, me: Me, web: Web, request: Request) -> NewToken:
    """Make a token. A program cannot make one: only a person who is logged in."""
    if not me.is_person or not me.role.includes(body.role):
        await refused(web, me, request, "forbidden")
        raise Problem("forbidden")
    value, at = secret.new_token(), web.now()

    def create(connection: Connection) -> tokens.Token:
        return tokens.add(
            connection,
            secret.digest(value),
            body.name,
            body.role,
            me.name,
            at=at,
            expires_at=at + timedelta(days=body.days),
        )

    detail = {"role": body.role.value, "days": body.days}
    token = await web.change(
        Deed(me.name, me.address, "token_add", body.name, detail=detail), create
    )
    return NewToken.model_validate(_told(token) | {"secret": value})


@router.delete("/{id}", status_code=204, **needs(Role.ENGINEER, 404))
async def remove(id_: Annotated[int, Path(alias="id", ge=1, lt=2**63)], me: Me, web: Web) -> None:
    """Revoke a token."""
    at, mine = web.now(), _mine(me)

    def work(connection: Connection) -> None:
        gone = tokens.remove(connection, id_, mine)
        if gone is None:
            raise Problem("not_found")
        write(connection, Deed(me.name, me.address, "token_remove", gone.name), at)

    await web.store.run(work)


def _mine(me: Caller) -> str | None:
    return None if me.role is Role.ADMIN else me.name


def _told(token: tokens.Token) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_by": token.created_by,
        "created_at": stamp(token.created_at),
        "expires_at": stamp(token.expires_at),
        "last_used_at": stamp_or_none(token.used_at),
        "last_used_from": token.used_from,
    }
