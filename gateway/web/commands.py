"""Asking the collector: every command says who asks, and is written down with its answer.

An answer may be lost after the command was obeyed: then it is written down as unknown, and whoever
makes the request again under the same ``Idempotency-Key`` gets the answer, without a second deed.
"""

import hashlib
from uuid import uuid4

import orjson

from gateway.control.client import NoCollector
from gateway.domain.commands import Reply
from gateway.domain.vocabulary import Json
from gateway.web import refusals
from gateway.web.access.caller import Caller
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.store.audit import Deed


async def ask(
    web: Context, me: Caller, equipment: str, name: str, content: Json, *, action: str | None = None
) -> Reply:
    """Ask what ``cmd/<name>`` asks, in the name of ``me``. Raises Problem without a collector.

    ``action`` is the word in the audit trail, by default ``name``.
    """
    identified = {"command_id": _command_id(me, equipment, name, content), "by": me.name, **content}
    detail = {key: value for key, value in content.items() if value is not None}
    try:
        reply = await web.ask(equipment, name, identified)
    except NoCollector as err:
        lost = detail | {"outcome": "unknown", "command_id": identified["command_id"]}
        await web.record(
            Deed(me.name, me.address, action or name, equipment, accepted=False, detail=lost)
        )
        raise Problem("no_collector", str(err)) from err
    if reply.error is not None:
        detail["error"] = reply.error
    if reply.seq is not None:
        detail["seq"] = reply.seq
    deed = Deed(me.name, me.address, action or name, equipment, reply.accepted, detail)
    await web.record(deed)
    return reply


def _command_id(me: Caller, equipment: str, name: str, content: Json) -> str:
    """Return the same id for the same request of the same caller under the same key."""
    if me.key is None:
        return f"web-{uuid4().hex}"
    asked = {key: value for key, value in content.items() if key != "until"}  # moves with now
    said = orjson.dumps([me.key, me.name, equipment, name, asked], option=orjson.OPT_SORT_KEYS)
    return f"web-{hashlib.sha256(said).hexdigest()[:32]}"


async def obeyed(web: Context, me: Caller, equipment: str, name: str, content: Json) -> Reply:
    """As `ask`; a refusal is a Problem."""
    reply = await ask(web, me, equipment, name, content)
    if not reply.accepted:
        raise Problem("refused", refusals.told(reply.error))
    return reply
