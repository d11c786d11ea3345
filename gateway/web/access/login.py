"""Logging in: with a password, or with the set-up code that made the first administrator.

- The answer to an unknown name and to a wrong password is the same and takes as long.
- Who guesses waits longer and longer; a try made too early is not even looked at. A try is counted
  before the password is looked at, and given back if it was right.
- A login always begins a new session with a new id.
"""

import asyncio
import math
from dataclasses import dataclass

from gateway.web.access import passwords, secret
from gateway.web.access.caller import Caller
from gateway.web.access.roles import Role
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.store import sessions, users
from gateway.web.store.audit import Deed
from gateway.web.store.database import Connection

SETUP = "(setup)"
"""Stands for a name where somebody tries the set-up code."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session begun: ``secret`` is for the cookie and is kept nowhere."""

    secret: str
    caller: Caller


async def matches(context: Context, stored: str, password: str) -> bool:
    """Whether the password is the stored one; in a thread, a few at a time."""
    async with context.hashing:
        return await asyncio.to_thread(passwords.matches, stored, password)


async def hashed(context: Context, password: str) -> str:
    """Return what is stored of a password; in a thread, a few at a time."""
    async with context.hashing:
        return await asyncio.to_thread(passwords.hashed, password)


async def with_password(context: Context, name: str, password: str, address: str) -> Opened:
    """Log in. Raises Problem."""
    key = name.casefold()
    await patience(context, key, address)
    user = await context.store.run(lambda connection: users.find(connection, name))
    stored = passwords.nobody() if user is None else user.password
    right = await matches(context, stored, password)
    if user is None or user.disabled or not right:
        await context.record(Deed(name[:64], address, "login", accepted=False))
        raise Problem("login_failed")
    context.throttle.succeeded(key, address)
    return await begin(context, user.name, address)


async def with_code(context: Context, code: str, name: str, password: str, address: str) -> Opened:
    """Create the first administrator and log in. Raises Problem."""
    if await has_admin(context):
        raise Problem("already_set_up")
    await patience(context, SETUP, address)
    if not secret.same(code.strip().upper(), context.setup_code):
        await context.record(Deed(SETUP, address, "setup", accepted=False))
        raise Problem("wrong_code")
    context.throttle.succeeded(SETUP, address)
    stored, at = await hashed(context, password), context.now()

    def create(connection: Connection) -> None:
        if users.has_admin(connection):
            raise Problem("already_set_up")
        users.add(connection, name, Role.ADMIN, stored, at)

    await context.change(Deed(name, address, "setup", name), create)
    return await begin(context, name, address)


async def begin(context: Context, name: str, address: str) -> Opened:
    """Begin a session of a user."""
    value, csrf, at = secret.new_secret(), secret.new_secret(), context.now()
    hash_ = secret.digest(value)

    def create(connection: Connection) -> sessions.Session | None:
        sessions.begin(connection, hash_, name, csrf, address, at)
        users.note_login(connection, name, at)
        return sessions.find(connection, hash_, at)

    found = await context.change(Deed(name, address, "login"), create)
    if found is None:
        raise Problem("login_failed")
    caller = Caller(
        name=found.user,
        role=found.role,
        address=address,
        csrf=csrf,
        session=hash_,
        language=found.language,
        theme=found.theme,
        must_change=found.must_change,
    )
    return Opened(value, caller)


async def has_admin(context: Context) -> bool:
    """Whether set-up was done."""
    return await context.store.run(users.has_admin)


async def patience(
    context: Context, key: str, address: str, *, by: str | None = None, action: str = "login"
) -> None:
    """Count a try, or refuse one that comes too early; said once for each wait in the audit trail.

    Whoever made the try says `Throttle.succeeded` if it was right. ``by`` is who made it, if that
    is known to be somebody else than ``key`` says.
    """
    wait_s = context.throttle.begin(key, address)
    if wait_s <= 0:
        return
    if context.throttle.is_news(key, address):
        detail = {"code": "too_many_attempts", "wait_s": math.ceil(wait_s)}
        who = key[:64] if by is None else by
        await context.record(Deed(who, address, action, accepted=False, detail=detail))
    wait = str(math.ceil(wait_s))
    raise Problem("too_many_attempts", headers={"Retry-After": wait}, retry_after_s=int(wait))
