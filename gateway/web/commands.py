"""Asking the collector: every command says who asks, and is written down with its answer."""

from uuid import uuid4

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
    identified = {"command_id": f"web-{uuid4().hex}", "by": me.name, **content}
    try:
        reply = await web.ask(equipment, name, identified)
    except NoCollector as err:
        raise Problem("no_collector", str(err)) from err
    detail = {key: value for key, value in content.items() if value is not None}
    if reply.error is not None:
        detail["error"] = reply.error
    if reply.seq is not None:
        detail["seq"] = reply.seq
    deed = Deed(me.name, me.address, action or name, equipment, reply.accepted, detail)
    await web.record(deed)
    return reply


async def obeyed(web: Context, me: Caller, equipment: str, name: str, content: Json) -> Reply:
    """As `ask`; a refusal is a Problem."""
    reply = await ask(web, me, equipment, name, content)
    if not reply.accepted:
        raise Problem("refused", refusals.told(reply.error))
    return reply
