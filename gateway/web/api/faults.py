"""Faults: acknowledging and what else people do with them, their history, what they cost."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from gateway.domain.vocabulary import stamp
from gateway.web import refusals
from gateway.web.access.caller import Caller
from gateway.web.access.roles import Role
from gateway.web.api.asked import MeOnce, moment, wrong
from gateway.web.api.bodies import Line, Strict, Text
from gateway.web.api.guard import Web, needs
from gateway.web.commands import ask
from gateway.web.context import Context

router = APIRouter(prefix="/api/v1/faults", tags=["faults"])
MAX_AT_ONCE = 100
LONGEST_SHELF_MIN = 480


class FaultRef(Strict):
    """Which occurrence."""

    equipment: str = Field(max_length=40, examples=["press-07"])
    fault_id: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,160}$")


Refs = Annotated[list[FaultRef], Field(min_length=1, max_length=MAX_AT_ONCE)]


class AckBody(Strict):
    """Some faults, and one comment for all of them."""

    faults: Refs
    comment: Text | None = None


class CommentBody(Strict):
    """Some faults, and what is to be said about them."""

    faults: Refs
    comment: Text


class ShelveBody(Strict):
    """Out of sight until a moment, or for so many minutes; `reason` is kept."""

    faults: Refs
    reason: Line
    minutes: int | None = Field(None, ge=1, le=LONGEST_SHELF_MIN)
    until: datetime | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "ShelveBody":
        if (self.minutes is None) == (self.until is None):
            msg = "either minutes or until"
            raise ValueError(msg)
        return self


class UnshelveBody(Strict):
    """Some faults."""

    faults: Refs


class FaultResult(BaseModel):
    """What became of one of them; `error` says why it was refused, `text` in both languages."""

    equipment: str
    fault_id: str
    accepted: bool
    seq: int | None
    error: str | None
    text: dict[str, str] | None


class FaultResults(BaseModel):
    """One for each, in the order asked."""

    results: list[FaultResult]


@router.post("/ack", **needs(Role.MAINTENANCE, 503))
async def ack(body: AckBody, me: MeOnce, web: Web) -> FaultResults:
    """Acknowledge. Again is no error: the first one stays.

    Without a comment it is 422 where `web.ack_comment_for` has the category of one of them.
    """
    if not (body.comment or "").strip() and await _needs_comment(web, body.faults):
        detail = {
            "zh": "此类故障确认时必须填写备注",
            "en": "faults of this category need a comment",
        }
        raise wrong("comment", "required", detail)
    return await _each(web, me, body.faults, {"action": "ack", "comment": body.comment})


@router.post("/comment", **needs(Role.MAINTENANCE, 503))
async def comment(body: CommentBody, me: MeOnce, web: Web) -> FaultResults:
    """Say something about active faults."""
    return await _each(web, me, body.faults, {"action": "comment", "comment": body.comment})


@router.post("/shelve", **needs(Role.MAINTENANCE, 503))
async def shelve(body: ShelveBody, me: MeOnce, web: Web) -> FaultResults:
    """Put faults out of sight for a while; the machine's state and figures do not change."""
    now = web.now()
    longest = now + timedelta(minutes=LONGEST_SHELF_MIN)
    until = longest if body.until is None else moment(body.until, "until")
    if body.minutes is not None:
        until = now + timedelta(minutes=body.minutes)
    if not now < until <= longest:
        detail = {"zh": "必须在将来 8 小时之内", "en": "within the next 8 hours"}
        raise wrong("until", "out_of_range", detail)
    content = {"action": "shelve", "comment": body.reason, "until": stamp(until)}
    return await _each(web, me, body.faults, content)


@router.post("/unshelve", **needs(Role.MAINTENANCE, 503))
async def unshelve(body: UnshelveBody, me: MeOnce, web: Web) -> FaultResults:
    """Show shelved faults again."""
    return await _each(web, me, body.faults, {"action": "unshelve"})


async def _needs_comment(web: Context, refs: list[FaultRef]) -> bool:
    """Whether the site wants a word with one of them; what is acknowledged already needs none."""
    categories = web.site.gateway.web.ack_comment_for
    asked = {(one.equipment, one.fault_id) for one in refs}
    return bool(categories) and any(
        fault.category in categories and fault.acked is None
        for fault in (await web.board.picture()).faults
        if (fault.equipment, fault.fault_id) in asked
    )


async def _each(
    web: Context, me: Caller, faults: list[FaultRef], content: Mapping[str, Any]
) -> FaultResults:
    results = []
    for one in faults:
        told = {"fault_id": one.fault_id, **content}
        reply = await ask(web, me, one.equipment, "fault", told, action=content["action"])
        results.append(
            FaultResult(
                equipment=one.equipment,
                fault_id=one.fault_id,
                accepted=reply.accepted,
                seq=reply.seq,
                error=reply.error,
                text=refusals.told(reply.error),
            )
        )
    return FaultResults(results=results)
